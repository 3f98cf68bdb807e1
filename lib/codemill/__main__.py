"""`python -m codemill`."""

from codemill.cli import main

main()
