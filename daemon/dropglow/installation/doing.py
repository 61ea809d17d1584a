"""Carry a plan out, step by step, and note what is made before it is made: whenever it ends, it can be undone.

Nothing is decided here, but for folders and users that turn out to be in use: those stay, and it is said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, assert_never

from dropglow.errors import InstallationError
from dropglow.installation.machine import Site
from dropglow.installation.plan import (
    Errand,
    Make,
    Plan,
    Remove,
    RemoveFolder,
    RemoveTree,
    RemoveUser,
    Step,
    Tell,
)
from dropglow.installation.record import RECORD, Record
from dropglow.installation.wanted import CONFIGURATION, ROOT, STATE, File, Folder, Item, Link, User

NOTHING: Final = "nothing was done: mend this and say the same again"
AGAIN: Final = "what was done is noted: mend this and say the same again, or undo it with: dropglow uninstall"

Run = Callable[[Sequence[str]], None]
Own = Callable[[int, int, int], None]  # a descriptor, a user's number and a group's


def run(words: Sequence[str]) -> None:
    """Run a command of the system to its end.

    Raises:
        InstallationError: It is not there, or refuses.
    """
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise _failed(" ".join(words), error) from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise InstallationError(
            f"`{' '.join(words)}` failed: {said[-1] if said else done.returncode}", hint=AGAIN
        )


class Hand:
    """Does what a plan says, on one site."""

    def __init__(
        self,
        site: Site,
        record: Record,
        *,
        manager: bool,
        spare: Callable[[Path], None],
        command: Run = run,
        own: Own = os.fchown,
    ) -> None:
        """Go on from *record*; *manager* says whether systemd runs there.

        *spare* is asked at the last moment about a folder that is to go with all that is in it: it raises an
        InstallationError where something in it is still needed.
        """
        self.record = record
        self._site = site
        self._manager = manager
        self._spare = spare
        self._command = command
        self._own = own

    def carry_out(self, plan: Plan) -> Iterator[str]:
        """Do every step; yield what turned out to have to stay.

        Raises:
            InstallationError: The machine refused one. Those before it are done, and noted.
        """
        for step in plan.steps:
            try:
                yield from self._do(step)
            except OSError as error:
                hint = AGAIN if self.record != Record() else NOTHING
                raise _failed(error.filename or str(step), error, hint=hint) from error

    def _do(self, step: Step) -> Iterator[str]:
        match step:
            case Make(item=item, replaces=replaces):
                self._make(item, replaces=replaces)
            case Remove(path=path):
                self._site.at(path).unlink(missing_ok=True)
                _part(self._site.at(path)).unlink(missing_ok=True)
                self._note(self.record.without(path))
            case RemoveFolder(path=path):
                yield from self._remove_folder(path)
            case RemoveTree(path=path):
                self._spare(self._site.at(path))
                shutil.rmtree(self._site.at(path))
            case RemoveUser(name=name, owns=owns):
                if left := [path for path in owns if self._site.at(path).exists()]:
                    yield f"the user {name} stays: {' and '.join(left)} would belong to nobody"
                else:
                    self._command(("userdel", *self._chroot(), name))
                    self._note(self.record.without_user(name))
            case Tell(errand=errand, units=units):
                yield from self._tell(errand, units)
            case _:
                assert_never(step)

    def _make(self, item: Item, *, replaces: bool) -> None:
        """Make *item*, and note it: before, since nobody may get round to it afterwards.

        Two are noted afterwards. What is *replaced* is known by the old note until then, and a file that people edit
        would be taken for one that they removed.
        """
        if not isinstance(item, User):
            self._make_parents(item.path)
        before, after = self.record, _with(self.record, item)
        if replaces or (isinstance(item, File) and item.edited):
            self._put(item, replaces=replaces)
            self._note(after)
            return
        self._note(after)
        try:
            self._put(item, replaces=False)
        except (OSError, InstallationError):
            self._note(before)
            raise
        if isinstance(item, Folder) and item.path == CONFIGURATION:
            self._note(after)  # only now there is a place for it

    def _put(self, item: Item, *, replaces: bool) -> None:
        match item:
            case User(name=name):
                self._make_user(name)
            case Folder():
                self._make_folder(item)
            case File(path=path):
                self._write(item.content, path, mode=item.mode, replaces=replaces)
            case Link(path=path, target=target):
                if replaces:
                    self._site.at(path).unlink(missing_ok=True)
                self._site.at(path).symlink_to(target)
            case _:
                assert_never(item)

    def _make_parents(self, path: str) -> None:
        """Make the folders around *path* that are missing, as root's; those that were made are noted like any other."""
        missing = [each for each in Path(path).parents if not self._site.at(str(each)).exists()]
        for each in reversed(missing):
            self._make(
                Folder(path=str(each)), replaces=False
            )  # whatever the umask: others have to get through

    def _make_folder(self, folder: Folder) -> None:
        place = self._site.at(folder.path)
        place.mkdir(mode=0o700)
        # Not by its name: in a folder of other people's, something else may stand there by now.
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if folder.owner != ROOT:
                self._own(descriptor, *self._numbers(folder.owner))
            os.fchmod(descriptor, folder.mode)
        finally:
            os.close(descriptor)

    def _make_user(self, name: str) -> None:
        if shutil.which("systemd-sysusers"):
            where = () if self._site.here else (f"--root={self._site.root}",)
            self._command(("systemd-sysusers", *where, f"{name}.conf"))
            return
        options = ("--system", "--user-group", "--no-create-home", "--home-dir", STATE)
        self._command(("useradd", *self._chroot(), *options, "--shell", "/usr/sbin/nologin", name))

    def _numbers(self, name: str) -> tuple[int, int]:
        """Return the numbers of a user and its group, as that machine has them."""
        lines = self._site.at("/etc/passwd").read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2]), int(fields[3])
        raise InstallationError(f"there is no user {name} after it was made", hint=AGAIN)

    def _write(self, content: bytes, path: str, *, mode: int, replaces: bool) -> None:
        """Write a file whole or not at all; nobody's file is replaced that came in between."""
        place = self._site.at(path)
        part = _part(place)
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        try:
            if replaces:
                part.replace(place)
            else:
                place.hardlink_to(part)
        finally:
            part.unlink(missing_ok=True)

    def _remove_folder(self, path: str) -> Iterator[str]:
        place = self._site.at(path)
        if path == CONFIGURATION:
            if self.record.without(path) != Record():
                yield f"{path} stays, with the note of what is left: say the same again when that can go"
                return
            self._note(Record())
        try:
            place.rmdir()
        except OSError:
            if place.exists():
                yield f"{path} stays: it is not empty"
                return
        if path != CONFIGURATION:
            self._note(self.record.without(path))

    def _tell(self, errand: Errand, units: Sequence[str]) -> Iterator[str]:
        try:
            for words in self._words(errand, units):
                self._command(words)
        except InstallationError as refusal:
            if errand is not Errand.LOAD_CATALOG:
                raise
            yield f"`journalctl -x` does not explain its messages yet: {refusal.message}"

    def _words(self, errand: Errand, units: Sequence[str]) -> Sequence[Sequence[str]]:
        where = () if self._site.here else (f"--root={self._site.root}",)
        now = ("--now",) if self._manager else ()
        match errand:
            case Errand.LOAD_UNITS:
                return [("systemctl", "daemon-reload")]
            case Errand.LOAD_CATALOG:
                return [("journalctl", *where, "--update-catalog")]
            case Errand.START:
                return [("systemctl", *where, "enable", *now, *units)]
            case Errand.STOP:
                return [("systemctl", *where, "disable", *now, *units)]
            case _:
                assert_never(errand)

    def _chroot(self) -> tuple[str, ...]:
        return () if self._site.here else ("--root", str(self._site.root))

    def _note(self, record: Record) -> None:
        """Keep *record* as what was done until now, once there is a folder for it; where nothing is left, nothing."""
        self.record = record
        if not self._site.at(CONFIGURATION).is_dir():
            return
        if record == Record():
            self._site.at(RECORD).unlink(missing_ok=True)
            _part(self._site.at(RECORD)).unlink(missing_ok=True)
            return
        self._write(record.text().encode(), RECORD, mode=0o600, replaces=True)


def _with(record: Record, item: Item) -> Record:
    match item:
        case User(name=name):
            return record.with_user(name)
        case Folder(path=path):
            return record.with_folder(path)
        case File(path=path):
            return record.with_file(path, item.sha256)
        case Link(path=path, target=target):
            return record.with_link(path, target)
        case _:
            assert_never(item)


def _part(place: Path) -> Path:
    """Return where a file is written until it is whole."""
    return place.with_name(f".{place.name}.part")


def _failed(what: str, error: OSError, *, hint: str = AGAIN) -> InstallationError:
    return InstallationError(f"{what}: {(error.strerror or str(error)).lower()}", hint=hint)
