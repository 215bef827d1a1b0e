"""``python -m storemon`` is ``storemon``."""

from storemon.cli import main

main()
