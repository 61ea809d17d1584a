"""Prepare the virtual environment of a checkout; never leave one that looks whole and is not.

A stamp in the environment says which parts are completely installed. A part is struck out before it is changed and
entered again afterwards, so an interrupted installation goes on where it can be trusted. Nothing outside the
environment and its lock is written.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOCK_FILE: Final = ROOT / "daemon" / "requirements.lock"
OUTPUT_LINES_SHOWN: Final = 15

# They turn Python, pip or uv to some other place than the environment at hand.
UNWANTED_VARIABLES: Final = (
    *("PIP_PREFIX", "PIP_PYTHON", "PIP_ROOT", "PIP_TARGET", "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE"),
    *("UV_PREFIX", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"),
)

Stamp = dict[str, str]


class SetupError(Exception):
    """Say which step of the installation failed, why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Name the places in one virtual environment."""

    path: Path

    @property
    def python(self) -> Path:
        """Return its interpreter."""
        return self.path / "bin" / "python"

    @property
    def command(self) -> Path:
        """Return the installed ``dropglow`` script."""
        return self.path / "bin" / "dropglow"

    @property
    def stamp(self) -> Path:
        """Return the file that says what is completely installed."""
        return self.path / "dropglow-stamp.json"

    def installed(self) -> Stamp:
        """Return what the stamp says; nothing when it is missing or tells of what is gone."""
        if not os.access(self.python, os.X_OK):
            return {}
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(stamp, dict) or ("project" in stamp and not os.access(self.command, os.X_OK)):
            return {}
        return stamp

    def enter(self, stamp: Stamp) -> None:
        """Write *stamp*, whole or not at all."""
        draft = self.stamp.with_suffix(".new")
        draft.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        draft.replace(self.stamp)


def prepare(*, with_tests: bool) -> Environment:
    """Return an environment in which the project and, on wish, its test tools are installed.

    Takes milliseconds when nothing changed. Otherwise a second start waits until the first has finished.

    Raises:
        SetupError: It cannot be installed; the message says why and what to do.
    """
    candidates = [Environment(path=place) for place in places()]
    for environment in candidates:
        if is_complete(environment, wanted(environment, with_tests=with_tests)):
            return environment
    environment = writable(candidates)
    with one_at_a_time(environment.path):
        stamp = wanted(environment, with_tests=with_tests)
        if not is_complete(environment, stamp):
            install(environment, stamp)
    return environment


def places() -> Iterator[Path]:
    """Yield where the environment may stand: where the user said, else in the checkout or the user's cache."""
    if told := os.environ.get("DROPGLOW_VENV"):
        yield Path(told).expanduser().absolute()
        return
    yield ROOT / ".venv"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    yield Path(cache) / "dropglow" / f"venv-{digest(str(ROOT))[:12]}"


def writable(candidates: list[Environment]) -> Environment:
    """Return the first of *candidates* that this user may make or change.

    Raises:
        SetupError: There is none.
    """
    for environment in candidates:
        path = environment.path
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        if os.access(path.parent, os.W_OK | os.X_OK) and (not path.exists() or os.access(path, os.W_OK)):
            return environment
    tried = " and ".join(str(environment.path) for environment in candidates)
    message = f"a virtual environment is needed, but {tried} cannot be written.\nSet DROPGLOW_VENV to a folder of yours."
    raise SetupError(message)


@contextlib.contextmanager
def one_at_a_time(place: Path) -> Iterator[None]:
    """Let other starts wait while the environment at *place* is changed."""
    with place.with_name(f"{place.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another start that is preparing {place}")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            pass  # some network shares have no locks; two first starts at once are rare enough
        yield


def wanted(environment: Environment, *, with_tests: bool) -> Stamp:
    """Return the stamp of a complete installation of this checkout by this Python."""
    parts = sections(LOCK_FILE.read_text(encoding="utf-8"))
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = (ROOT / "daemon" / "dropglow" / "__init__.py").read_text(encoding="utf-8")
    stamp = {
        "python": f"{sys.implementation.name} {platform.python_version()} {sys.base_prefix}",
        "place": f"{ROOT} {environment.path}",
        "run": digest(parts["run"]),
        "project": digest(settings, version),
    }
    return {**stamp, "test": digest(parts["test"])} if with_tests else stamp


def is_complete(environment: Environment, stamp: Stamp) -> bool:
    """Return whether everything in *stamp* is installed; more than that does no harm."""
    return stamp.items() <= environment.installed().items()


def sections(lock: str) -> dict[str, str]:
    """Return the parts of the lock file by name: ``run``, ``notify``, ``test`` and ``journal``.

    A line ``# [name]`` begins a part. The lines of ``journal`` stand behind ``#: `` there, since it needs a compiler:
    whoever installs the file as it is gets everything else.
    """
    _, *parts = re.split(r"^# \[(\w+)\].*\n", lock, flags=re.MULTILINE)
    return {name: re.sub(r"(?m)^#: ", "", body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def digest(*texts: str) -> str:
    """Return a fingerprint of *texts*."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Uv:
    """Install with uv: seconds instead of half a minute."""

    program: str
    name: str = "uv"

    def make(self, environment: Environment) -> None:
        """Make an empty *environment* in place of whatever was there."""
        carry_out(
            self.program, "venv", "--quiet", "--clear", "--python", base_python(), str(environment.path)
        )

    def add(self, environment: Environment, *what: str) -> None:
        """Install *what* and nothing that depends on it."""
        target = ("--python", str(environment.python))
        carry_out(self.program, "pip", "install", "--quiet", *target, "--no-deps", *what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pip:
    """Install with what Python brings along."""

    name: str = "pip"

    def make(self, environment: Environment) -> None:
        """Make an empty *environment* in place of whatever was there."""
        if importlib.util.find_spec("ensurepip") is None:
            message = "this Python cannot make virtual environments: its ensurepip is missing.\n"
            hint = "On Debian and Ubuntu: apt install python3-venv. Or install uv. Then start again."
            raise SetupError(message + hint)
        carry_out(base_python(), "-m", "venv", "--clear", str(environment.path))

    def add(self, environment: Environment, *what: str) -> None:
        """Install *what* and nothing that depends on it."""
        carry_out(str(environment.python), "-m", "pip", "install", "--quiet", "--no-deps", *what)


def install(environment: Environment, stamp: Stamp) -> None:
    """Install what is missing for *stamp*: with uv when it is there and can, else with pip.

    Raises:
        SetupError: Neither could.
    """
    refuse_foreign_folder(environment.path)
    if uv := shutil.which("uv"):
        try:
            install_with(Uv(program=uv), environment, stamp)
        except SetupError as error:
            say(f"{error}\ntrying pip instead")
        else:
            return
    install_with(Pip(), environment, stamp)


def refuse_foreign_folder(path: Path) -> None:
    """Refuse to clear a folder that is no virtual environment, in case DROPGLOW_VENV names the wrong one."""
    if path.exists() and not (path / "pyvenv.cfg").exists() and any(path.iterdir()):
        message = f"{path} holds something else than a virtual environment.\nName an empty or a new folder."
        raise SetupError(message)


def install_with(installer: Uv | Pip, environment: Environment, stamp: Stamp) -> None:
    """Bring *environment* to *stamp*, reusing what is there if the same Python and installer made it."""
    maker = {"python": stamp["python"], "place": stamp["place"], "installer": installer.name}
    if not maker.items() <= environment.installed().items():
        say(f"making the virtual environment {environment.path} with {installer.name}")
        environment.stamp.unlink(missing_ok=True)
        installer.make(environment)
        environment.enter(maker)
    for part in ("run", "test", "project"):
        installed = environment.installed()
        if part in stamp and installed.get(part) != stamp[part]:
            environment.enter({key: value for key, value in installed.items() if key != part})
            add_part(installer, environment, part)
            environment.enter({**installed, part: stamp[part]})


def add_part(installer: Uv | Pip, environment: Environment, part: str) -> None:
    """Install one *part* of the lock file, or the project itself."""
    if part == "project":
        say("installing Dropglow itself from this checkout")
        installer.add(environment, "--no-build-isolation", "--editable", str(ROOT))
        return
    parts = sections(LOCK_FILE.read_text(encoding="utf-8"))
    purpose = {"run": "Dropglow needs", "test": "its tests need besides"}[part]
    count = len(re.findall(r"^[\w.-]+==", parts[part], flags=re.MULTILINE))
    say(f"installing the {count} packages that {purpose}")
    add_locked(installer, environment, part, parts[part])
    if part == "run":
        add_journal(installer, environment, parts["journal"])


def add_locked(installer: Uv | Pip, environment: Environment, name: str, requirements: str) -> None:
    """Install *requirements*, each in the release and with one of the sums that the lock file names."""
    file = environment.path / f"requirements-{name}.txt"
    file.write_text(requirements, encoding="utf-8")
    installer.add(environment, "--require-hashes", "--requirement", str(file))


def add_journal(installer: Uv | Pip, environment: Environment, requirements: str) -> None:
    """Install the journal's own library where it can be compiled; say so either way, fail never."""
    if not can_compile_journal():
        say(
            "the journal's own library is not used: libsystemd's headers or a C compiler are missing (not required)"
        )
        return
    try:
        add_locked(installer, environment, "journal", requirements)
    except SetupError:
        say("the journal's own library is not used: it did not compile (not required)")
    else:
        say("the journal's own library is used")


def can_compile_journal() -> bool:
    """Return whether libsystemd's headers and a C compiler are here."""
    if not (shutil.which("pkg-config") and (shutil.which("cc") or shutil.which("gcc"))):
        return False
    return subprocess.run(["pkg-config", "--exists", "libsystemd"], check=False).returncode == 0


def base_python() -> str:
    """Return the interpreter behind the running one: an active environment may be the one to be made anew."""
    return getattr(sys, "_base_executable", None) or sys.executable


def carry_out(*command: str) -> None:
    """Run *command* quietly.

    Raises:
        SetupError: It failed; the end of its output is in the message.
    """
    variables = {name: value for name, value in os.environ.items() if name not in UNWANTED_VARIABLES}
    variables |= {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    # A company's own certificate authority stands in the system's store, where uv does not look by itself.
    variables.setdefault("UV_SYSTEM_CERTS", "1")
    done = subprocess.run(
        command,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        shown = done.stdout.decode(errors="replace").strip().splitlines()[-OUTPUT_LINES_SHOWN:]
        message = "\n  ".join([f"this step failed: {' '.join(command)}", *shown])
        raise SetupError(message)


def say(line: str) -> None:
    """Print one step; standard output belongs to the command that follows."""
    print(line, file=sys.stderr, flush=True)
