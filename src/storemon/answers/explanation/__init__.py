"""What an explanation tells of one store: its days, its polls, its spells and pieces."""
