"""Compile name patterns once, so that matching a file costs one search.

Patterns are about the path below the inbox, with ``/`` between folders.
Without a ``/`` a pattern speaks of the file's name in any folder; with one it
is anchored at the inbox. Case and Unicode normal form do not matter: a
Macintosh and a Linux share spell the same name differently.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence


def folded(path: str) -> str:
    """Return *path* in the form that compiled patterns compare."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def compile_globs(globs: Sequence[str]) -> re.Pattern[str]:
    """Return one expression that fully matches a folded path which any of *globs* takes."""
    return re.compile("|".join(_expression(folded(glob)) for glob in globs), re.DOTALL)


def glob_fault(glob: str) -> str | None:
    """Return what is wrong with a pattern, as the rest of a sentence, or None."""
    if not glob.strip("/ "):
        return "should not hold an empty pattern"
    if "\\" in glob:
        return f"should have / between folders, not a backslash: {glob.replace(chr(92), '/')!r}"
    if ".." in glob.split("/"):
        return "should not climb out of the inbox with '..'"
    return None


def may_share_a_name(ones: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether a name could match one of either, as far as the ends of the patterns tell; none match all."""
    if not ones or not others:
        return True
    ends = [(_literal_end(one), _literal_end(other)) for one in ones for other in others]
    return any(one.endswith(other) or other.endswith(one) for one, other in ends)


def _literal_end(glob: str) -> str:
    return re.split(r"[*?\]]", folded(glob))[-1]


def _expression(glob: str) -> str:
    if "/" not in glob:
        return "(?:.*/)?" + _component(glob)
    parts = glob.strip("/").split("/")
    *folders, last = parts
    text = "".join("(?:[^/]+/)*" if folder == "**" else _component(folder) + "/" for folder in folders)
    return text + (".+" if last == "**" else _component(last))


def _component(glob: str) -> str:
    out: list[str] = []
    position = 0
    while position < len(glob):
        sign = glob[position]
        position += 1
        if sign == "*":
            if out[-1:] != ["[^/]*"]:
                out.append("[^/]*")
        elif sign == "?":
            out.append("[^/]")
        elif sign == "[" and (end := glob.find("]", position + 2)) > 0:
            out.append(_choice(glob[position:end]))
            position = end + 1
        else:
            out.append(re.escape(sign))
    return "".join(out)


def _choice(inside: str) -> str:
    negated = inside.startswith(("!", "^"))
    signs = inside[1:] if negated else inside
    ranges = re.sub(r"[^\w-]", lambda found: re.escape(found[0]), signs)
    if re.search(r"(.)-(.)", ranges) and any(low > high for low, high in re.findall(r"(.)-(.)", ranges)):
        ranges = re.escape(signs)  # backwards: meant as the three characters
    return f"[^/{ranges}]" if negated else f"(?!/)[{ranges}]"
