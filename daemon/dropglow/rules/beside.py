"""Name the files that belong together: from a drop to its partner, and from a partner to its drop. Pure.

A rule names a partner by a template: ``{stem}.mask.png`` is the mask of ``beach.jpg``
when it is called ``beach.mask.png``, in the same folder. ``{stem}`` is the drop's name
without its last extension, ``{name}`` the whole of it.

Whoever has both files spelled them by hand, or on a system that does not care
about letter case: names are compared like the patterns of ``match: name``, without
case and Unicode normal form. Only where two drops differ in nothing else is the
exact spelling asked for, so that neither gets the other's partner.
"""

from __future__ import annotations

import functools
import posixpath
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dropglow.rules.globs import folded

_TOKEN: Final = re.compile(r"\{(stem|name)\}")
_ANY: Final = r"(?P<{token}>.+)"
_SAME: Final = r"(?P={token})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The drop, or the drops, that a file belongs to by its name."""

    path: str  # below the inbox, as the partner spells it; without an extension unless *whole*
    whole: bool  # True: *path* has the drop's extension

    @property
    def pattern(self) -> str:
        """Return how such a drop may be called: ``beach.*``, or ``beach.jpg``."""
        return self.path if self.whole else f"{self.path}.*"

    @property
    def key(self) -> str:
        """Return what is among the ``owner_keys`` of such a drop, and of no other file."""
        return _key(self.path, whole=self.whole)


def partner(template: str, path: str) -> str:
    """Return where the partner that *template* names lies, for the drop at *path* below the inbox."""
    folder, name = posixpath.split(path)
    values = {"stem": posixpath.splitext(name)[0], "name": name}
    return posixpath.join(folder, _TOKEN.sub(lambda token: values[token[1]], template))


def partners(templates: Iterable[str], path: str) -> tuple[str, ...]:
    """Return where every partner of the drop at *path* lies, each once, in the order of *templates*."""
    return tuple(dict.fromkeys(partner(template, path) for template in templates))


def owner(template: str, path: str) -> Owner | None:
    """Return whose partner the file at *path* is by *template*; None: its name does not fit."""
    folder, name = posixpath.split(unicodedata.normalize("NFC", path))
    found = _expression(template).fullmatch(name)
    if found is None:
        return None
    values = found.groupdict()
    whole = "name" in values
    return Owner(path=posixpath.join(folder, values["name" if whole else "stem"]), whole=whole)


def owners(templates: Iterable[str], path: str) -> tuple[Owner, ...]:
    """Return whose partner the file at *path* is by any of *templates*. Where there is one, it is no drop itself."""
    found = (owner(template, path) for template in dict.fromkeys(templates))
    return tuple(each for each in found if each is not None)


def owner_keys(path: str) -> tuple[str, str]:
    """Return the keys under which the drop at *path* is known to its partners: by its stem, and by its name."""
    return _key(posixpath.splitext(path)[0], whole=False), _key(path, whole=True)


@functools.lru_cache(maxsize=256)
def _expression(template: str) -> re.Pattern[str]:
    """Return what matches the name of any partner by *template*, the drop's part of it in a group."""
    text, seen = "", set()
    for number, piece in enumerate(_TOKEN.split(unicodedata.normalize("NFC", template))):
        if number % 2 == 0:
            text += re.escape(piece)
            continue
        text += (_SAME if piece in seen else _ANY).format(token=piece)
        seen.add(piece)
    return re.compile(text, re.IGNORECASE | re.DOTALL)


def _key(path: str, *, whole: bool) -> str:
    return f"{'=' if whole else '~'}{folded(path)}"
