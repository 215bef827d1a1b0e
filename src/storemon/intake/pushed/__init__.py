"""Polls that arrive as bytes, a request or a message at a time: which are accepted, which are not, and why."""
