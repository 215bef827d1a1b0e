"""What the columns of each kind of file are called, and how their texts are read."""
