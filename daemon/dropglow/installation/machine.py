"""Look at the machine: what stands where, who is a user, and what systemd says. Changes nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dropglow
from dropglow.errors import InstallationError
from dropglow.installation.plan import Kind, Machine, Seen
from dropglow.installation.record import RECORD, Record, read_record
from dropglow.installation.wanted import CREDENTIAL_FILES, SERVICE, SOCKET, STATE, Item, Link, User

HERE: Final = Path("/")
MARK: Final = "dropglow.service"
MANAGED: Final = "/run/systemd/system"
TEMPLATE: Final = "dropglow@*.service"
ANSWER_S: Final = 20.0
# The units forbid the service these: a program that lies there cannot even be started.
HIDDEN: Final = ("/home", "/root", "/run/user")
FOR_ALL: Final = "install it for everybody first: pipx install --global dropglow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A machine, or the root of one that is being made (*root*), which no systemd runs yet."""

    root: Path = HERE

    def at(self, path: str) -> Path:
        """Return where *path* of the machine is for us."""
        return self.root / path.lstrip("/")

    @property
    def here(self) -> bool:
        """Return whether it is the machine that this program runs on."""
        return self.root == HERE

    def looked_at(self, items: Sequence[Item], record: Record) -> Machine:
        """Return the machine as it is.

        Raises:
            InstallationError: Something cannot be looked at.
        """
        paths = {item.path for item in items if not isinstance(item, User)}
        paths |= {*record.files, *record.folders, *record.links, *CREDENTIAL_FILES, STATE}
        manager = self.here and Path(MANAGED).is_dir()
        return Machine(
            seen={
                path: seen
                for path in paths
                if (seen := self._seen(path, _targets(path, items, record))) is not None
            },
            users=frozenset(self._users()),
            manager=manager,
            enabled=frozenset(self._that("is-enabled") if shutil.which("systemctl") else ()),
            active=frozenset(self._that("is-active") if manager else ()),
            instances=_instances() if manager else (),
        )

    def record(self) -> Record | None:
        """Return what an installation made here; None where there was none.

        Raises:
            InstallationError: It cannot be read.
        """
        try:
            return read_record(self.at(RECORD).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unseen(RECORD, error) from error

    def _seen(self, path: str, targets: Sequence[str]) -> Seen | None:
        """Return what stands at *path*; a link that leads where one of *targets* is, leads to that."""
        place = self.at(path)
        try:
            mode = place.lstat().st_mode
            if stat.S_ISLNK(mode):
                led = os.path.realpath(place)
                same = (each for each in targets if os.path.realpath(each) == led)
                return Seen(kind=Kind.LINK, target=next(same, led))
            if stat.S_ISREG(mode):
                return Seen(kind=Kind.FILE, sha256=hashlib.sha256(place.read_bytes()).hexdigest())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unseen(path, error) from error
        return Seen(kind=Kind.FOLDER if stat.S_ISDIR(mode) else Kind.OTHER)

    def _users(self) -> Iterable[str]:
        try:
            lines = self.at("/etc/passwd").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ()
        return [line.partition(":")[0] for line in lines]

    def _that(self, question: str) -> list[str]:
        """Return the units of ours of which systemctl says yes."""
        where = () if self.here else (f"--root={self.root}",)
        return [unit for unit in (SERVICE, SOCKET) if _yes("systemctl", *where, question, "--quiet", unit)]


def _targets(path: str, items: Sequence[Item], record: Record) -> Sequence[str]:
    """Return where a link at *path* is wanted to lead, and where it was made to."""
    wanted = [item.target for item in items if isinstance(item, Link) and item.path == path]
    return [*wanted, *(target for each, target in record.links.items() if each == path)]


def _instances() -> tuple[str, ...]:
    """Return the instances of the template that run."""
    words = ("systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating", TEMPLATE)
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=ANSWER_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(line.split()[0] for line in done.stdout.splitlines() if line.strip())


def _yes(*words: str) -> bool:
    try:
        return not subprocess.run(words, capture_output=True, timeout=ANSWER_S, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def _unseen(path: str, error: OSError) -> InstallationError:
    return InstallationError(
        f"cannot look at {path}: {(error.strerror or str(error)).lower()}", hint="only root may install"
    )


def systemd_version() -> int:
    """Return the version of this machine's systemd; 0 where there is none, or it does not say."""
    try:
        done = subprocess.run(
            ("systemctl", "--version"), capture_output=True, text=True, timeout=ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    words = done.stdout.split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0


def shipped() -> dict[str, bytes]:
    """Return the units, examples and pages that came with the program, by their path below their folder.

    Raises:
        InstallationError: They did not come along.
    """
    beside = Path(dropglow.__file__).resolve().parents[2] / "systemd"
    with_wheel = Path(sys.prefix) / "share" / "dropglow" / "systemd"
    for folder in (beside, with_wheel):
        if (folder / MARK).is_file():
            return {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            }
    raise InstallationError(
        f"the units that belong to the program are not there: {with_wheel}",
        hint="install Dropglow from its wheel or its checkout, as a whole",
    )


def program() -> str:
    """Return the absolute path of the command that this program is started by.

    Raises:
        InstallationError: There is none.
    """
    beside = Path(sys.executable).parent / "dropglow"
    found = str(beside) if beside.is_file() else shutil.which("dropglow")
    if found is None:
        raise InstallationError("there is no command `dropglow` to start the service by", hint=FOR_ALL)
    return str(Path(found).absolute())


def unreachable(path: str) -> str:
    """Return why the service could not start the program at *path*; nothing where it can."""
    needed = {os.path.realpath(path), os.path.realpath(sys.base_prefix), os.path.realpath(sys.prefix)}
    for each in sorted(needed):
        if hidden := next((top for top in HIDDEN if each == top or each.startswith(f"{top}/")), None):
            return f"the program lies in {each}: the service must not look into {hidden}, so {FOR_ALL}"
    return ""
