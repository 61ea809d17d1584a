"""Find the configuration, its rule files and the state folder, and know again whether they were edited.

Imports next to nothing, unlike ``config``, which reads what is in them.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dropglow.errors import ConfigError
from dropglow.rules.paths import resolved

FILE_NAME: Final = "dropglow.yaml"
CONFIG_VARIABLE: Final = "DROPGLOW_CONFIG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A file of the configuration at one moment; another edit of it is another stamp."""

    file: str  # absolute
    mtime_ns: int = 0
    size_bytes: int = -1  # -1: it was not there, or could not be looked at
    inode: int = 0


def find_config(option: str | None, *, environ: Mapping[str, str], cwd: str) -> str:
    """Return the absolute path of the configuration file.

    Raises:
        ConfigError: There is none; the hint names the places.
    """
    named = option or environ.get(CONFIG_VARIABLE)
    if named:
        path = resolved(cwd, named)
        found = resolved(path, FILE_NAME) if os.path.isdir(path) else path  # noqa: PTH112
        if not os.path.isfile(found):  # noqa: PTH113
            said_by = "--config" if option else f"${CONFIG_VARIABLE}"
            raise ConfigError(
                f"there is no configuration file {found}", hint=f"{said_by} names it: is it right?"
            )
        return found
    places = (cwd, resolved(_xdg(environ, "XDG_CONFIG_HOME", ".config"), "dropglow"), "/etc/dropglow")
    for place in places:
        if os.path.isfile(candidate := resolved(place, FILE_NAME)):  # noqa: PTH113
            return candidate
    raise ConfigError(
        f"no {FILE_NAME} was found in {', '.join(places)}",
        hint="write one, or name it with --config; `dropglow demo` makes an example",
    )


def stamps(path: str, patterns: Iterable[str]) -> tuple[Stamp, ...]:
    """Return the stamps of the configuration file at *path* and of its rule files, as they are now. Blocks."""
    files = {file for pattern in patterns for file in rule_files(pattern)}
    return (stamp(path), *(stamp(file) for file in sorted(files)))


def stamp(file: str) -> Stamp:
    """Return the stamp of one file as it is now. Blocks."""
    try:
        found = os.stat(file)  # noqa: PTH116  # a path is text here
    except OSError:
        return Stamp(file=file)
    return Stamp(file=file, mtime_ns=found.st_mtime_ns, size_bytes=found.st_size, inode=found.st_ino)


def rule_files(pattern: str) -> set[str]:
    """Return the files that an absolute *pattern* stands for."""
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207  # a path is text here
    return {file for file in found if os.path.isfile(file)}  # noqa: PTH113


def _xdg(environ: Mapping[str, str], variable: str, fallback: str) -> str:
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
    return environ.get(variable) or resolved(home, fallback)


def default_state(environ: Mapping[str, str], cwd: str) -> str:
    """Return the state folder of a configuration that names none."""
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]  # systemd lists several with colons
    return resolved(cwd, given or resolved(_xdg(environ, "XDG_STATE_HOME", ".local/state"), "dropglow"))
