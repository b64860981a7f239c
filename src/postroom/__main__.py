"""`python -m postroom` and the `postroom` command."""

import gc

from postroom.cli.group import main

# A run makes its values once and ends: looking through all of them for circles each few
# hundred took a tenth of a build.
gc.set_threshold(100_000)

if __name__ == "__main__":
    main()
