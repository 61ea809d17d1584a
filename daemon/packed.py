"""Build the wheel and install it into an environment of its own, so that it is tried as people get it.

Runs inside the environment that ``environment`` made, whose packages it borrows: nothing is
fetched. Of the checkout nothing can be imported there.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from environment import ROOT, Environment, SetupError, carry_out


def build(folder: Path) -> Path:
    """Build the wheel into *folder* and return its path.

    Raises:
        SetupError: It cannot be built.
    """
    for old in folder.glob("*.whl"):
        old.unlink()
    # -P: of the checkout's folders none is taken for a package.
    command = (sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"the wheel cannot be built:\n{done.stderr}"
        raise SetupError(message)
    return next(folder.glob("*.whl"))


def install(wheel: Path, place: Path) -> Environment:
    """Return a new environment at *place* in which *wheel* is installed as pip or uv do it.

    Raises:
        SetupError: It cannot be installed, or something else is imported there.
    """
    environment = Environment(path=place)
    carry_out(sys.executable, "-m", "venv", "--clear", "--without-pip", str(place))
    # A line of a .pth file is a folder to import from; the editable installation in it is another such file, and unread.
    borrowed = Path(sysconfig.get_path("purelib"))
    (purelib(environment) / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    carry_out(*installer(environment), "--no-deps", "--no-index", "--quiet", str(wheel))
    found = Path(answer(environment, "import dropglow; print(dropglow.__file__)"))
    if not found.is_relative_to(place):
        message = f"not the wheel's package is imported, but {found}"
        raise SetupError(message)
    return environment


def installer(environment: Environment) -> tuple[str, ...]:
    """Return the command that installs into *environment*: pip of the running one, or uv.

    Raises:
        SetupError: There is neither.
    """
    python = str(environment.python)
    if (
        subprocess.run(
            (sys.executable, "-m", "pip", "--version"), capture_output=True, check=False
        ).returncode
        == 0
    ):
        return (sys.executable, "-m", "pip", "--python", python, "install")
    if (uv := shutil.which("uv")) is not None:
        return (uv, "pip", "install", "--python", python)
    message = "neither pip nor uv is here to install the wheel"
    raise SetupError(message)


def purelib(environment: Environment) -> Path:
    """Return the folder that *environment* imports from."""
    return Path(answer(environment, "import sysconfig; print(sysconfig.get_path('purelib'))"))


def answer(environment: Environment, code: str) -> str:
    """Return what *environment*'s Python prints when it runs *code*, away from the checkout.

    Raises:
        SetupError: It failed.
    """
    command = (str(environment.python), "-P", "-c", code)
    done = subprocess.run(command, cwd=environment.path, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"this step failed: {code}\n{done.stderr}"
        raise SetupError(message)
    return done.stdout.strip()
