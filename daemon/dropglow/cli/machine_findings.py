"""Look at this machine for ``doctor``: versions, user, clock and proxy settings, credentials, the kernel's watches."""

from __future__ import annotations

import os
import platform
import pwd
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from dropglow import __version__
from dropglow.cli.findings import Finding, advice, fine, wrong
from dropglow.cli.tables import counted
from dropglow.errors import AuthError
from dropglow.firefly.credentials import CredentialSource

_LIBRARIES: Final = ("watchdog", "httpx", "Pillow")
_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_INOTIFY: Final = Path("/proc/sys/fs/inotify")
MOST_COUNTED: Final = 100_000  # folders below the inboxes: more need not be counted to know what to say


def machine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is to be told of this machine, quickest first."""
    yield versions()
    yield user()
    yield credentials(environ)
    yield from proxy(environ)


def versions() -> Finding:
    """Return which versions are at work."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return fine("versions", f"dropglow {__version__}, {python}, {libraries}")


def user() -> Finding:
    """Return as whom this command runs: what it may do says nothing of what another user may."""
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = f"number {number}"
    return fine(
        "user", f"this looks as {name} does; where the service has a user of its own, run it as that one"
    )


def credentials(environ: Mapping[str, str]) -> Finding:
    """Return where the credentials are found; what they are is never told."""
    source = CredentialSource(environ)
    try:
        source.read()
    except AuthError as error:
        return wrong("credentials", error.message, error.hint)
    places = " and ".join(dict.fromkeys(source.place(name) for name in ("client_id", "client_secret")))
    return fine("credentials", f"client id and secret are read from {places}")


def proxy(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield that a proxy of the environment is not used."""
    named = next((name for name in _PROXIES if environ.get(name)), None)
    if named is not None:
        yield advice(
            "proxy",
            f"{named} is set, and not used: calls go to Adobe directly",
            "let port 443 through to Adobe",
        )


def watches(folders: Iterable[str]) -> Finding:
    """Return whether the kernel lets *folders*, and all folders below them, be watched."""
    wanted = sum(_tree_size(folder) for folder in folders)
    limit = _limit("max_user_watches")
    if limit is None:
        return advice(
            "inotify",
            "this kernel does not tell how many folders may be watched",
            "nothing, while events come",
        )
    if wanted > limit:
        return advice(
            "inotify",
            f"the inboxes hold {_about(wanted)}, and only {limit:,} may be watched: they are polled",
            f"raise fs.inotify.max_user_watches above {2 * wanted:,} (sysctl)",
        )
    instances = _limit("max_user_instances")
    return fine(
        "inotify",
        f"{_about(wanted)} to watch; the kernel allows {limit:,} watches and {instances or 0:,} watchers",
    )


def _about(count: int) -> str:
    if count >= MOST_COUNTED:
        return f"{MOST_COUNTED:,} folders or more"
    return counted(count, "folder")


def _tree_size(folder: str) -> int:
    count = 0
    for _ in os.walk(folder):
        count += 1
        if count >= MOST_COUNTED:
            break
    return count


def _limit(name: str) -> int | None:
    try:
        return int((_INOTIFY / name).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
