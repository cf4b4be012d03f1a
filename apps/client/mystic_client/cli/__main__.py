"""`python -m mystic_client.cli` takes the words of `mystic`."""

import sys

from mystic_client.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
