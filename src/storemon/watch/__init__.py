"""What is watched live: alerts as they come and go, who is told of them, and answers that are sent on time."""
