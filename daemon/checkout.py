"""Become the command that was asked for, in a virtual environment that is ready for it.

Standard library only, like ``environment`` and ``relock``: it runs before anything is installed.
"""

import os
import sys
from pathlib import Path
from typing import Final, NoReturn

from environment import UNWANTED_VARIABLES, SetupError, prepare, say
from relock import relock

USAGE: Final = """\
python3 daemon demo [DIR]     the whole story in one minute, without Adobe and without credentials
python3 daemon test           every check: format, lint, types, layers, tests, coverage
python3 daemon test ARGS…     only the tests, with these arguments for pytest
python3 daemon test --wheel   the tests against the wheel as it would be installed; ARGS as above
python3 daemon lock           pin the newest releases allowed in daemon/requirements.lock (needs uv)
python3 daemon COMMAND …      any other command of dropglow, for example: python3 daemon run --sandbox

The first start makes a virtual environment in .venv; DROPGLOW_VENV names another place for it."""


def become(program: Path, *arguments: str) -> NoReturn:
    """Replace this process by *program*: signals and the exit code are then its own."""
    for variable in UNWANTED_VARIABLES:
        os.environ.pop(variable, None)
    sys.stdout.flush()
    os.execv(program, [str(program), *arguments])


def main(arguments: list[str]) -> int:
    """Carry out the command line *arguments*; returns only if no other program takes over."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(USAGE)
        return 0 if arguments else 2
    command, *rest = arguments
    try:
        if command == "lock":
            relock()
            return 0
        environment = prepare(with_tests=command == "test")
    except SetupError as error:
        say(f"dropglow: {error}")
        return 1
    except KeyboardInterrupt:
        say("dropglow: stopped; the next start goes on from here")
        return 130
    if command == "test":
        checks = Path(__file__).with_name("checks.py")
        become(environment.python, str(checks), *rest)
    become(environment.command, *arguments)
