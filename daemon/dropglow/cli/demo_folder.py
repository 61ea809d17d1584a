"""Make the demo's folder: a configuration, the example rules, inboxes, outboxes, and what is going to be dropped.

Touches nothing that somebody else made: a folder with other things in it is refused.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from itertools import count
from pathlib import Path
from typing import Final

import dropglow
from dropglow.cli.exits import Exit, Told
from dropglow.locating import FILE_NAME

MARK: Final = "# Made by `dropglow demo`."
RULES: Final = ("10-social-sizes.yaml", "20-art-from-prompts.yaml")
INBOXES: Final = ("social", "prompts")

_CONFIGURATION: Final = f"""\
{MARK} Everything here may be changed, tried and thrown away.

state: ./state                 # the ledger: what was ordered, and what became of it
rules: rules/*.yaml            # where files are dropped, and what is done with them

limits:
  requests_per_minute: off     # the pretend Adobe does not mind; the real one allows 4 by default
  requests_per_day: off
  poll: {{min: 300ms, max: 1s}}  # how often a running job is asked about; 1s and 15s if absent
"""

_PROMPTS: Final = {
    "lighthouse.txt": "a lighthouse in fog, seen from the sea, early morning\n",
    "fox.txt": "a fox asleep in fresh snow, soft light\n",
    # Front matter: one person's wishes for one drop.
    "market.txt": (
        "---\ncontent_class: photo\nvariations: 1\n---\n"
        "a night market in the rain, paper lanterns mirrored in the street\n"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A file that the demo drops, and where."""

    name: str
    inbox: Path
    data: bytes
    about: str


def make(wanted: Path) -> tuple[Path, tuple[Sample, ...]]:
    """Make a demo folder at *wanted*, or beside an earlier one; return where it is and what to drop.

    Raises:
        Told: There is something else, or the folder cannot be made.
    """
    place = _free_place(wanted)
    try:
        _furnish(place)
    except OSError as error:
        raise Told(
            f"the folder {place} cannot be made: {error.strerror}",
            hint="name another place: dropglow demo DIR",
            code=Exit.TROUBLED,
        ) from error
    return place, _samples(place)


def _free_place(wanted: Path) -> Path:
    """Return *wanted*, or its next free number where an earlier demo has the name."""
    for number in count(1):
        place = wanted if number == 1 else wanted.with_name(f"{wanted.absolute().name}-{number}")
        if not place.is_symlink() and (not place.exists() or _is_empty(place)):
            return place
        if number == 1 and not _is_ours(place):
            raise Told(
                f"{place} is there already, and no demo made it",
                hint="name another place: dropglow demo DIR",
                code=Exit.USAGE,
            )
    raise AssertionError


def _is_empty(place: Path) -> bool:
    try:
        return place.is_dir() and not any(place.iterdir())
    except OSError:
        return False


def _is_ours(place: Path) -> bool:
    try:
        return (place / FILE_NAME).read_text(encoding="utf-8").startswith(MARK)
    except (OSError, UnicodeDecodeError):
        return False


def _furnish(place: Path) -> None:
    rules = [_example(name) for name in RULES]
    folders = [place / side / name for side in ("inbox", "outbox") for name in INBOXES]
    for folder in (*folders, place / "rules"):
        folder.mkdir(parents=True, exist_ok=True)
    for rule in rules:
        shutil.copyfile(rule, place / "rules" / rule.name)
    (place / FILE_NAME).write_text(_CONFIGURATION, encoding="utf-8")


def _example(name: str) -> Path:
    """Return the example rule file *name*: beside the code in a checkout, else where the wheel put it."""
    beside = Path(dropglow.__file__).parents[2] / "rules" / name
    if beside.is_file():
        return beside
    try:
        installed = files("dropglow") or ()
    except PackageNotFoundError:
        installed = ()
    for entry in installed:
        if entry.parts[-2:] == ("rules", name) and (found := Path(str(entry.locate()))).is_file():
            return found
    raise Told(
        f"the example rule {name} is missing from this installation",
        hint="install Dropglow again, or run `python3 daemon demo` in a checkout",
        code=Exit.TROUBLED,
    )


def _samples(place: Path) -> tuple[Sample, ...]:
    from dropglow.cli.demo_photo import HEIGHT, WIDTH, photo

    social, prompts = (place / "inbox" / name for name in INBOXES)
    picture = Sample(
        name="morning-lake.jpg", inbox=social, data=photo(), about=f"a photo of {WIDTH}x{HEIGHT}"
    )
    texts = (
        Sample(name=name, inbox=prompts, data=text.encode(), about=f"“{text.strip().splitlines()[-1]}”")
        for name, text in _PROMPTS.items()
    )
    return (picture, *texts)
