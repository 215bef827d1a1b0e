"""``python -m storemon`` is ``storemon``."""

from storemon.cli import process

if __name__ == "__main__":
    process()
