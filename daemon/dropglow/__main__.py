"""Run the command line with ``python -m dropglow``."""

from __future__ import annotations

from dropglow.cli.main import main

if __name__ == "__main__":
    main(prog_name="dropglow")
