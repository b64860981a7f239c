"""`python -m postroom` and the `postroom` command."""

from postroom.cli.group import main

if __name__ == "__main__":
    main()
