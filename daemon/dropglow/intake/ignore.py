"""Know which names are never drops: hidden, temporary, and housekeeping of NAS and desktops.

Pure. Names are compared without regard to case, as the programs that make
them are not of one mind about it. What else an operator wants left alone he says
in globs, see ``Ignored``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dropglow.rules.globs import compile_globs, folded

# Hidden names cover ._NAME, .nfs…, .fuse_hidden…, .~lock.…, .goutputstream-…, rsync's and lftp's.
# ":2e" is how old netatalk writes a dot.
_PREFIXES: Final = (".", ":2e", "~$", "~syncthing~")

# Our own notes beside a file or folder may be moved back with it, and are no prompts.
_NOTES: Final = (".error.txt", ".held.txt", ".report.txt")

# Of all that is ignored, what tells that somebody is still writing where it lies.
_UNFINISHED: Final = (
    ".!bt",
    ".!qb",
    ".!ut",
    ".aria2",
    ".aria2__temp",
    ".bc!",
    ".crdownload",
    ".download",
    ".dtapart",
    ".fdmdownload",
    ".filepart",
    ".ftpupload",
    ".icloud",
    ".opdownload",
    ".part",
    ".partial",
    ".temp",
    ".tmp",
    ".uploading",
)
_UNFINISHED_PREFIXES: Final = (".goutputstream-", ".in.", ".nfs", "~syncthing~")
_RSYNC: Final = re.compile(r"\.[^_].*\.[A-Za-z0-9]{6}")  # .beach.jpg.Xa81bQ, and not ._beach.sketch
_UNFINISHED_FOLDERS: Final = frozenset({".~tmp~", ".rsync-partial"})

_SUFFIXES: Final = (
    *_NOTES,
    "~",
    ".!bt",
    ".!qb",
    ".!ut",
    ".aria2",
    ".aria2__temp",
    ".bak",
    ".bc!",
    ".crdownload",
    ".download",
    ".dtapart",
    ".fdmdownload",
    ".filepart",
    ".ftpupload",
    ".icloud",
    ".lnk",
    ".lock",
    ".opdownload",
    ".part",
    ".partial",
    ".swp",
    ".swx",
    ".temp",
    ".tmp",
    ".uploading",
    ":zone.identifier",  # Windows' mark on a download, copied as a file of its own
    "@synoeastream",
    "@synoresource",
    "_exiftool_tmp",
)

_FILES: Final = frozenset(
    {
        "desktop.ini",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "icon\r",
        "thumbs.db",
    }
)

_FOLDERS: Final = frozenset(
    {
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "@eadir",
        "@recently-snapshot",
        "@recycle",
        "@tmp",
        "__macosx",
        "found.000",
        "lost+found",
        "lost.dir",
        "network trash folder",
        "recycler",
        "system volume information",
        "temporary items",
        "~snapshot",
    }
)


# Downloads of Safari's, and libraries that are files to their owners, full of thumbnails inside.
_FOLDER_SUFFIXES: Final = (".aplibrary", ".download", ".lrdata", ".photoslibrary")


class Ignored:
    """Know what is never a drop in one inbox, by the usual list and by an operator's globs."""

    def __init__(self, globs: Sequence[str] = ()) -> None:
        """Add *globs*, on paths below the inbox, to the list; a folder that one takes is not looked into."""
        self._pattern: re.Pattern[str] | None = compile_globs(globs) if globs else None

    def file(self, path: str, name: str) -> bool:
        """Return whether the file at *path* below the inbox, whose last part is *name*, is no drop."""
        return is_ignored_file(name) or self.by_globs(path)

    def folder(self, path: str, name: str) -> bool:
        """Return whether the folder at *path* below the inbox is never looked into."""
        return is_ignored_folder(name) or self.by_globs(path)

    def why(self, name: str) -> str:
        """Return in words why a file of this *name*, beside a drop, is never looked at; nothing where it is."""
        if is_ignored_file(name):
            return "is a hidden or temporary name, and such files are never looked at"
        return "is what `ignore` leaves alone, so that it would never be seen" if self.by_globs(name) else ""

    def by_globs(self, path: str) -> bool:
        """Return whether an operator's glob takes *path*."""
        return self._pattern is not None and self._pattern.fullmatch(folded(path)) is not None


def is_ignored_file(name: str) -> bool:
    """Return whether a file of this name is hidden, temporary, or somebody's housekeeping."""
    low = name.lower()
    if low.startswith("#") and low.endswith("#"):  # Emacs; a picture may well be named "#1.jpg"
        return True
    return low.startswith(_PREFIXES) or low.endswith(_SUFFIXES) or low in _FILES


def is_unfinished_file(name: str) -> bool:
    """Return whether an ignored file of this name means that somebody is still writing beside it."""
    low = name.lower()
    return (
        low.endswith(_UNFINISHED)
        or low.startswith(_UNFINISHED_PREFIXES)
        or _RSYNC.fullmatch(name) is not None
    )


def is_unfinished_folder(name: str) -> bool:
    """Return whether an ignored folder of this name holds what somebody is still writing."""
    low = name.lower()
    return low in _UNFINISHED_FOLDERS or low.endswith(".download")


def is_ignored_folder(name: str) -> bool:
    """Return whether a folder of this name is never looked into."""
    low = name.lower()
    return low.startswith(".") or low.endswith(_FOLDER_SUFFIXES) or low in _FOLDERS
