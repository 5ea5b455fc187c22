"""``python -m yuanmai`` is the command line."""

from yuanmai.cli import main

main()
