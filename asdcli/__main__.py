"""`python -m asdcli` is `asd`."""

from asdcli.cli import main

main()
