#!/usr/local/bin/python -I
"""The command `dropglow` in a container: become the user that was asked for, find secrets, and be Dropglow.

The variables are those that people with a NAS know: PUID and PGID (who it is), UMASK, TZ, and
FILE__NAME (a file that holds NAME's value). Standard library only. It stands before the real
command, so that one typed by a person in the container is the same user, with the same
configuration. ``health`` says whether the service is well, for the image's health check.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

CONFIG: Final = Path("/config")
DATA: Final = Path("/data")
FIRST: Final = Path("/opt/container/first")
PROGRAM: Final = "/opt/dropglow/bin/dropglow"
FILES: Final = ("dropglow.yaml", "rules/10-first.yaml")  # of a first configuration
FOLDERS: Final = ("inbox/prompts", "outbox/prompts")  # that it names
ZONES: Final = Path("/usr/share/zoneinfo")
ROOT: Final = 0
UNCONFIGURED: Final = 78
FILE: Final = "FILE__"
# Dropglow reads these files itself, anew each time, so that a rotated secret needs no restart.
READ_LATER: Final = ("FIREFLY_SERVICES_", "DROPGLOW_NOTIFY_")
LIVE: Final = "http://127.0.0.1:9817/live"
ANSWER_S: Final = 8.0  # of the ten that the recipe gives


class EntryError(Exception):
    """Say what is wrong with how the container was started, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who is to run, and with which permissions for new files."""

    user: int
    group: int
    umask: int


def identity(environ: Mapping[str, str]) -> Identity:
    """Return whom PUID, PGID and UMASK name.

    Raises:
        EntryError: One of them is no number of its kind.
    """
    return Identity(
        user=_number(environ, "PUID", "1000", base=10, most=2**32 - 2),
        group=_number(environ, "PGID", "1000", base=10, most=2**32 - 2),
        umask=_number(environ, "UMASK", "022", base=8, most=0o777),
    )


def _number(environ: Mapping[str, str], name: str, usual: str, *, base: int, most: int) -> int:
    said = environ.get(name, "").strip() or usual
    digits = "01234567" if base == 8 else "0123456789"
    number = int(said, base) if set(said) <= set(digits) else -1
    if 0 <= number <= most:
        return number
    kind = "three octal digits like 022" if base == 8 else "a number, as `id` shows it"
    raise EntryError(f"{name} should be {kind}, not {said!r}")


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the service: FILE__NAME has become NAME_FILE, or NAME with the file's content.

    Raises:
        EntryError: A file cannot be read.
    """
    found = {name: value for name, value in environ.items() if not name.startswith(FILE)}
    for name, path in environ.items():
        if not name.startswith(FILE):
            continue
        wanted = name.removeprefix(FILE)
        if wanted.startswith(READ_LATER):
            found[f"{wanted}_FILE"] = path
            continue
        try:
            found[wanted] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise EntryError(f"{name} names {path}, which cannot be read: {reason}") from error
    return found


def remarks(environ: Mapping[str, str], *, zones: Path = ZONES) -> Iterator[str]:
    """Yield what is odd, and no reason not to start."""
    zone = environ.get("TZ", "")
    if zone and not (zones / zone).is_file():
        yield f"TZ names {zone}, which nobody knows here: days are days of UTC"


def become(wanted: Identity) -> None:
    """Be *wanted* from now on; root is left for good. Who is not root stays who he is, and keeps the umask that was said.

    Raises:
        EntryError: The container was denied the right to.
    """
    os.umask(wanted.umask)
    if os.geteuid() != ROOT:
        return
    try:
        for volume in (CONFIG, DATA):
            if _is_new(volume):
                os.chown(volume, wanted.user, wanted.group)
        os.setgroups([])
        os.setgid(wanted.group)
        os.setuid(wanted.user)
    except OSError as error:
        message = f"cannot become user {wanted.user} and group {wanted.group}: {error.strerror}; allow the capabilities CHOWN, SETUID and SETGID, or start the container as that user"
        raise EntryError(message) from error


def _is_new(volume: Path) -> bool:
    """Return whether an engine made *volume* just now: it is root's, and nothing is in it."""
    try:
        return volume.stat().st_uid == ROOT and not any(volume.iterdir())
    except OSError:
        return False


def prepare(config: Path, data: Path, first: Path) -> bool:
    """Write a first configuration into *config*, and make the folders that it names; return whether that was done.

    Raises:
        EntryError: A folder is missing, or somebody else's.
    """
    for folder in (config, data):
        if not folder.is_dir():
            raise EntryError(f"there is no folder {folder}: mount one there")
    if (config / FILES[0]).exists():
        return False
    try:
        for name in FOLDERS:
            (data / name).mkdir(parents=True, exist_ok=True)
        for name in reversed(FILES):  # the one that is looked for comes last
            (config / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(first / name, config / name)
    except OSError as error:
        message = f"cannot write to {error.filename} as user {os.geteuid()}: {error.strerror}; on the host, make its folder that user's (chown), or set PUID and PGID to its owner's"
        raise EntryError(message) from error
    return True


def healthy(environ: Mapping[str, str], *, live: str = LIVE, config: Path = CONFIG) -> bool:
    """Return whether the service is well: as it says itself where it answers, else whether it runs."""
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever HTTP_PROXY says
    try:
        with directly.open(live, timeout=ANSWER_S) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
    except OSError as error:
        if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
            return False  # something listens, and is stuck
    command = [PROGRAM, "--config", str(config), "status", "--json"]
    with contextlib.suppress(subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        done = subprocess.run(command, env=dict(environ), capture_output=True, timeout=ANSWER_S, check=False)
        return done.returncode == 0 and bool(json.loads(done.stdout)["service"]["running"])
    return False


def main(arguments: list[str]) -> NoReturn:
    """Be the service, or another command of it; does not return."""
    try:
        become(identity(os.environ))
        environ = variables(os.environ)  # as that user: what it may not read is said now
        if arguments[:1] == ["health"]:
            sys.exit(0 if healthy(environ) else 1)
        made = arguments[:1] == ["run"] and prepare(CONFIG, DATA, FIRST)
    except EntryError as error:
        print(f"dropglow: {error}", file=sys.stderr)
        sys.exit(UNCONFIGURED)
    for remark in remarks(environ):
        print(f"dropglow: {remark}", file=sys.stderr)
    if made:
        print(f"dropglow: wrote a first configuration to {CONFIG}", file=sys.stderr)
    config = [] if arguments[:1] == ["--config"] else ["--config", str(CONFIG)]
    # Besides the volumes there is one place to write.
    os.execve(PROGRAM, [PROGRAM, *config, *arguments], {**environ, "HOME": "/tmp"})  # noqa: S108


if __name__ == "__main__":
    main(sys.argv[1:])
