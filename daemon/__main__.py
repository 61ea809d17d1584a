"""Run Dropglow from its checkout: ``python3 daemon demo``, ``python3 daemon test``.

Only the first step stands here, in the grammar of Python 3.6: whatever ``python3`` is on this machine can read it,
so it can look for a newer one, or say what is needed. ``checkout.py``, beside it, does the rest.
"""

import os
import shutil
import subprocess
import sys

FLOOR = (3, 11)
CANDIDATES = ("python3.14", "python3.13", "python3.12", "python3.11")
HERE = os.path.dirname(os.path.abspath(__file__))


def is_new_enough(program: str) -> bool:
    """Return whether *program* runs at all and is a Python that Dropglow can use.

    A name on PATH proves little: version managers put placeholders there that only print an error.
    """
    question = "import sys; sys.exit(sys.version_info < {})".format(FLOOR)
    try:
        answer = subprocess.call(
            [program, "-c", question], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return False
    return answer == 0


def start_newer_python() -> None:
    """Replace this process by a newer Python on the same work, or explain what is missing."""
    for variable in ("PYTHONHOME", "PYTHONPATH"):
        os.environ.pop(variable, None)
    for name in CANDIDATES:
        program = shutil.which(name)
        if program and is_new_enough(program):
            os.execv(program, [program, HERE, *sys.argv[1:]])
    running = "{}.{}".format(*sys.version_info[:2])
    print("Python 3.11 or newer is needed; this is Python " + running + ".", file=sys.stderr)
    print("No python3.11, python3.12, python3.13 or python3.14 that works is on the PATH.", file=sys.stderr)
    print("Install one (for example: apt install python3.11) and start again with it.", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    if sys.version_info < FLOOR:
        start_newer_python()
    sys.path.insert(0, HERE)
    from checkout import main

    sys.exit(main(sys.argv[1:]))
