"""Know which names are never drops: hidden, temporary, and housekeeping of NAS and desktops.

Pure. Names are compared without regard to case, as the programs that make
them are not of one mind about it.
"""

from __future__ import annotations

from typing import Final

# Hidden names cover ._NAME, .nfs…, .fuse_hidden…, .~lock.…, .goutputstream-…, rsync's and lftp's.
_PREFIXES: Final = (".", "~$", "~syncthing~")

# Our own notes beside a failed or held file may be moved back with it, and are no prompts.
_NOTES: Final = (".error.txt", ".held.txt")

_SUFFIXES: Final = (
    *_NOTES,
    "~",
    ".!qb",
    ".aria2",
    ".aria2__temp",
    ".bak",
    ".crdownload",
    ".download",
    ".filepart",
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
        "lost+found",
        "network trash folder",
        "recycler",
        "system volume information",
        "temporary items",
        "~snapshot",
    }
)


def is_ignored_file(name: str) -> bool:
    """Return whether a file of this name is hidden, temporary, or somebody's housekeeping."""
    low = name.lower()
    if low.startswith("#") and low.endswith("#"):  # Emacs; a picture may well be named "#1.jpg"
        return True
    return low.startswith(_PREFIXES) or low.endswith(_SUFFIXES) or low in _FILES


def is_ignored_folder(name: str) -> bool:
    """Return whether a folder of this name is never looked into."""
    return name.startswith(".") or name.lower() in _FOLDERS
