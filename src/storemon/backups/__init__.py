"""Backups: all that a service must not lose, in one archive, and back. It must not know what a figure means."""
