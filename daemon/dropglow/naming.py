"""Turn a template and its values into a file name that is safe everywhere, and show any name alike everywhere.

Pure. Values come from file names, prompts and rules, so a name is made safe
after its tokens are filled in, component by component: whatever a value says,
the result stays in its folder, shows itself, and can be copied to a machine
with Windows. Only a ``/`` of the template, or ``{folder}`` standing alone
between two of them, makes a sub folder.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import count, islice
from typing import Final

TOKENS: Final[dict[str, str]] = {
    "stem": "the dropped file's name without its extension",
    "part": "which prompt of its file, as 01, where the rule splits files",
    "size": "WIDTHxHEIGHT in pixels",
    "width": "the width in pixels",
    "height": "the height in pixels",
    "seed": "the seed of this result",
    "ext": "the extension with its dot, told by the result's bytes",
    "content_class": "photo or art",
    "model": "the model's name",
    "rule": "the rule's name",
    "date": "the day of the order, as 2026-01-31",
    "time": "the time of the order, as 235959",
    "index": "1 for the first result of an order, 2 for the next",
    "job": "our id of the order",
    "job_id": "the last part of Adobe's id of the job",
    "drop": "our id of the dropped file",
    "folder": "the folder below the inbox that the file was dropped into",
}
NAME_BYTES_MAX: Final = 200  # of 255, so that `.json`, and a suffix of somebody else's, still fit

_SPARE_NAMES: Final = 1000
_TOKEN: Final = re.compile(r"\{([a-z_]+)\}")
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9]{1,16}\Z")
# Path separators, what Windows forbids, and what turns the direction of reading.
_BAD: Final = re.compile(r'[/\\<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BAD_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_SEPARATORS: Final = "_- "
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|\Z)", re.IGNORECASE)


def shown(text: str) -> str:
    r"""Return *text* fit for people, on one line: bytes that are no UTF-8 as ``\xe9``, controls as ``\n``, ``\x1b``.

    What was shown already stays as it is.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def storable(text: str) -> str:
    r"""Return *text* as it is but for bytes that are no UTF-8, which no database and no JSON takes: ``\xe9``."""
    return _SURROGATE.sub(lambda found: _escaped(found.group()), text)


def render(template: str, values: Mapping[str, str]) -> str:
    """Return the name that *template* gives with *values*: a safe relative path.

    A token without a value takes the separator before it along (or the one
    after it, at the beginning), so that no name ends in ``_.jpg``. A token that
    does not exist stays as it is; ``template_faults`` would have told.
    """
    parts: list[str] = []
    for component in template.split("/"):
        if component == "{folder}":
            parts += safe_folder(values.get("folder", "")).split("/")
        else:
            parts.append(safe_name(_filled(component, values)) if component else "")
    return "/".join(part for part in parts if part) or "_"


def template_faults(template: str) -> tuple[str, ...]:
    """Return everything that is wrong with *template*, each as a sentence; nothing if it can be used."""
    literal = _TOKEN.sub("", template)
    faults = [_unknown(name) for name in _TOKEN.findall(template) if name not in TOKENS]
    if "{" in literal or "}" in literal:
        faults.append("a brace stands alone: tokens look like {stem}")
    if any(_bad(char) for char in literal.replace("/", "")):
        faults.append('a name may not contain \\ < > : " | ? * or control characters')
    if template.startswith("/") or ".." in template.split("/"):
        faults.append("a name may not lead out of the outbox")
    elif "" in template.split("/"):
        faults.append("a folder in the name is empty")
    if any(part.startswith(".") and part != ".." for part in template.split("/")):
        faults.append("a name may not begin with a dot: the file would be hidden")
    if not template.endswith("{ext}"):
        faults.append("a name must end with {ext}, so that programs know what the file is")
    elif template.count("{ext}") > 1:
        faults.append("{ext} stands there more than once")
    return tuple(faults)


def default_template(*, parts: bool = False, content_classes: bool, models: bool) -> str:
    """Return the template of a rule that has none, with what varies among its orders in it."""
    tokens = ["{stem}", "{part}"] if parts else ["{stem}"]
    if content_classes:
        tokens.append("{content_class}")
    if models:
        tokens.append("{model}")
    return "_".join([*tokens, "{size}", "{seed}"]) + "{ext}"


def places_folder(template: str) -> bool:
    """Return whether *template* itself says what becomes of the drop's folder; else it is mirrored."""
    return "{folder}" in template


def candidates(name: str) -> Iterator[str]:
    """Yield *name*, then ``name_2``, ``name_3`` … with the extension kept; it never ends."""
    yield name
    folder, slash, last = name.rpartition("/")
    stem, extension = _split(last)
    numbers = count(2)
    while True:
        suffix = f"_{next(numbers)}{extension}"
        other = f"{folder}{slash}{_cut(stem, NAME_BYTES_MAX - len(suffix))}{suffix}"
        if other != name:  # a name that was cut to its length may end like this already
            yield other


def spare_names(name: str, key: str) -> Iterator[str]:
    """Yield *name*, then others like it, best first: a thousand by number, and a thousand with *key* before the extension.

    Where a scanner calls every file the same, the key tells them apart in the end.
    """
    yield from islice(candidates(name), _SPARE_NAMES)
    yield from islice(candidates(_keyed(name, key)), _SPARE_NAMES)


def _keyed(name: str, key: str) -> str:
    stem, extension = _split(name)
    suffix = f".{key}{extension}"
    return f"{_cut(stem, NAME_BYTES_MAX - len(suffix))}{suffix}"


def safe_folder(path: str) -> str:
    """Return a folder below an inbox as a safe folder below an outbox; empty for the inbox itself."""
    return "/".join(safe_name(part) for part in path.split("/") if part)


def safe_name(name: str) -> str:
    """Return one component of a path made safe. Doing it again changes nothing.

    Normalised (NFC); never empty, hidden, ``..``, longer than 200 bytes of
    UTF-8, a device of Windows, or anything a shell takes for an option.
    """
    text = "".join("_" if _bad(char) else char for char in unicodedata.normalize("NFC", name))
    text = _trimmed(text)
    if text.startswith((".", "-")) or _DEVICE.match(text) or not text:
        text = _trimmed(f"_{text}")
    stem, extension = _split(text)
    return _cut(stem, NAME_BYTES_MAX - len(extension)) + extension


def _visible(char: str) -> str:
    return char if char.isprintable() else _escaped(char)


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # how Python writes a byte that is no UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def _filled(component: str, values: Mapping[str, str]) -> str:
    """Return *component* with its tokens replaced; an empty one takes a separator along."""
    text = ""
    swallow = False
    for number, piece in enumerate(_TOKEN.split(component)):
        if number % 2:
            value = values.get(piece, "") if piece in TOKENS else f"{{{piece}}}"
            swallow = not value and not text
            if not value and text[-1:] in _SEPARATORS:
                text = text[:-1]
            text += value
        else:
            text += piece[1:] if swallow and piece[:1] in _SEPARATORS else piece
    return text


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, TOKENS, n=1)
    known = f"did you mean {{{near[0]}}}?" if near else f"there are {', '.join(TOKENS)}"
    return f"there is no token {{{name}}}; {known}"


def _bad(char: str) -> bool:
    return bool(_BAD.match(char)) or unicodedata.category(char) in _BAD_CATEGORIES


def _trimmed(text: str) -> str:
    """Return *text* without the spaces and dots at its ends that Windows would drop."""
    while (less := text.lstrip().rstrip(".").rstrip()) != text:
        text = less
    return text


def _split(name: str) -> tuple[str, str]:
    """Return stem and extension (with its dot, or empty). A name is never all extension."""
    found = _EXTENSION.search(name)
    if found is None or not found.start():
        return name, ""
    return name[: found.start()], found.group()


def _cut(stem: str, limit_bytes: int) -> str:
    """Return as much of *stem* as fits, in whole characters; also of a name that is no UTF-8."""
    if _size_bytes(stem) <= limit_bytes:
        return stem
    less = stem[:limit_bytes]
    while _size_bytes(less) > limit_bytes:
        less = less[:-1]
    return _trimmed(less)


def _size_bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
