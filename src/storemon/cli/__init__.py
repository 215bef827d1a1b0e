"""The ``storemon`` command. What is heavy is imported by the command that needs it."""

from storemon.cli.app import main

__all__ = ["main"]
