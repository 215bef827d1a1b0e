"""What a rule says of a subject at an instant."""

HOLDS, CLEAR, UNKNOWN, NEITHER = 1, -1, 0, 2
"""It holds; it does not; nobody knows; or it neither holds nor is over, as between a threshold and a better one."""
