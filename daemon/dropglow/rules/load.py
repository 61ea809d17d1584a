"""Read rule files, and say every fault with its file, line and column.

One of the two modules of the rules that touch the disk: it reads the files, and
asks whether the pictures and groups that they name are there.
"""

from __future__ import annotations

import grp
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dropglow.preparing import LARGEST_FILE_BYTES
from dropglow.rules.assemble import Folders, assemble, delivery_of, parameters_of
from dropglow.rules.contradictions import cautions, contradictions
from dropglow.rules.parameters import NamedPicture
from dropglow.rules.paths import resolved
from dropglow.rules.places import Look, Place, look
from dropglow.rules.positions import LARGEST_DOCUMENT, Document, Position, parse
from dropglow.rules.problem import UNREAD, Problem
from dropglow.rules.review import review, unknown_key
from dropglow.rules.rule import Rule
from dropglow.rules.schema import RuleShape, RulesShape
from dropglow.rules.units import shown


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One fault or warning at its place. Prints as ``file:line:column: message``."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file that was read, and where everything in it stands."""

    file: str  # absolute
    document: Document

    @property
    def folder(self) -> str:
        """Return the folder that relative paths in the file are relative to."""
        return os.path.dirname(self.file)  # noqa: PTH120  # a path is text here

    def fault(self, problem: Problem) -> Fault:
        """Return *problem* with its place."""
        return self.placed(self.document.position(problem), problem.message)

    def placed(self, position: Position, message: str) -> Fault:
        """Return a fault at *position*."""
        return Fault(file=self.file, line=position.line, column=position.column, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One rule as it stands in a file, and what is known of its folders. It may have faults."""

    source: Source
    path: tuple[str | int, ...]
    inbox: str | None  # absolute, in its one spelling
    outbox: str | None  # absolute
    files: tuple[str, ...]  # absolute paths of the pictures it refers to

    def fault(self, key: str, message: str) -> Fault:
        """Return a fault about one of the rule's keys, or about the rule where the key is absent."""
        return self.source.fault(Problem(path=(*self.path, key), message=message))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One rule without faults of its own, and its place for faults that show later."""

    rule: Rule
    entry: Entry


@dataclass(slots=True, kw_only=True)
class Harvest:
    """What came of reading: rules in order, faults and warnings. Grows while files are read."""

    rules: list[Loaded] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)  # rules with faults included
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    inboxes: dict[tuple[int, int], str] = field(default_factory=dict)
    names: dict[str, Fault] = field(default_factory=dict)
    look: Look = look


def read_source(file: str, *, environ: Mapping[str, str], harvest: Harvest) -> Source:
    """Return what stands in *file*; its faults of form, and of reading, go to *harvest*."""
    try:
        with open(file, "rb") as stream:  # noqa: PTH123  # a path is text here
            data = stream.read(4 * LARGEST_DOCUMENT + 1)
    except OSError as error:
        fault = f"this file cannot be read: {error.strerror}"
        document = Document(value=None, problems=((Position(line=1, column=1), fault),))
    else:
        document = _decoded(data, environ)
    source = Source(file=file, document=document)
    harvest.faults += [source.placed(place, message) for place, message in document.problems]
    return source


def _decoded(data: bytes, environ: Mapping[str, str]) -> Document:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        place = Position(line=line, column=column)
        return Document(value=None, problems=((place, "this is not UTF-8 text; save the file as UTF-8"),))
    return parse(text, environ=environ)


def load_rule_file(file: str, *, environ: Mapping[str, str], harvest: Harvest) -> None:
    """Read one rule file into *harvest*."""
    source = read_source(file, environ=environ, harvest=harvest)
    raw = source.document.value
    if raw is None or raw is UNREAD:
        return  # empty, or told already
    if not isinstance(raw, dict) or "rules" not in raw:
        message = "a rule file begins with the line 'rules:', and has its rules below it"
        harvest.faults.append(source.fault(Problem(path=(), message=message)))
        return
    for key in raw.keys() - {"rules"}:
        message = unknown_key(key, RulesShape)
        harvest.faults.append(source.fault(Problem(path=(key,), message=message, of_key=True)))
    entries = raw["rules"] or []
    if entries is UNREAD:
        return
    if not isinstance(entries, list):
        message = f"rules should be a list, each rule after a dash, not {shown(entries)}"
        harvest.faults.append(source.fault(Problem(path=("rules",), message=message)))
        return
    load_rules(entries, source, harvest=harvest)


def load_rules(entries: list[Any], source: Source, *, harvest: Harvest) -> None:
    """Take the rules that stand in a document's list ``rules`` into *harvest*."""
    for index, entry in enumerate(entries):
        _load_rule(entry, source, ("rules", index), harvest)


def _load_rule(raw: Any, source: Source, path: tuple[str | int, ...], harvest: Harvest) -> None:
    if raw is UNREAD:
        return
    if not isinstance(raw, dict):
        message = f"a rule should be a block of keys that begins with 'name:', not {shown(raw)}"
        harvest.faults.append(source.fault(Problem(path=path, message=message)))
        return
    read = review(RuleShape, raw)
    shape = read.value
    entry = _entry(shape, source, path, harvest)
    problems = [*read.problems, *contradictions(read, raw), *_missing(shape, source, harvest.look)]
    faults = [source.fault(_moved(problem, path)) for problem in problems]
    faults += _name_taken(shape, source, path, harvest)
    harvest.entries.append(entry)
    harvest.faults += faults
    harvest.warnings += [source.fault(_moved(problem, path)) for problem in cautions(shape)]
    if faults or read.places or entry.inbox is None or entry.outbox is None:
        return
    folders = Folders(base=source.folder, inbox=entry.inbox, outbox=entry.outbox)
    line = source.document.position(Problem(path=path, message="")).line
    rule = assemble(shape, file=source.file, line=line, folders=folders)
    harvest.rules.append(Loaded(rule=rule, entry=entry))


def _entry(shape: RuleShape, source: Source, path: tuple[str | int, ...], harvest: Harvest) -> Entry:
    inbox = shape.inbox and _canonical(harvest.look(resolved(source.folder, shape.inbox)), harvest.inboxes)
    outbox = shape.outbox and resolved(source.folder, shape.outbox)
    files = tuple(path for _, _, path in _files(shape, source))
    return Entry(source=source, path=path, inbox=inbox, outbox=outbox, files=files)


def _files(shape: RuleShape, source: Source) -> list[tuple[str, NamedPicture, str]]:
    """Return every file that a rule names: its operation, where it stands, and its absolute path."""
    found = parameters_of(shape)
    if found is None:
        return []
    operation, parameters = found
    pictures = parameters.located(source.folder).pictures()
    return [(operation, picture, path) for picture in pictures if (path := picture.source.path) is not None]


def _moved(problem: Problem, path: tuple[str | int, ...]) -> Problem:
    return Problem(path=(*path, *problem.path), message=problem.message, of_key=problem.of_key)


def _name_taken(
    entry: RuleShape, source: Source, path: tuple[str | int, ...], harvest: Harvest
) -> list[Fault]:
    if entry.name is None:
        return []
    here = source.fault(Problem(path=(*path, "name"), message=f"the name {entry.name} is taken"))
    first = harvest.names.setdefault(entry.name, here)
    if first is here:
        return []
    where = f"{first.file}:{first.line}"
    message = f"another rule has the name {entry.name} already, at {where}; every rule needs its own"
    return [source.fault(Problem(path=(*path, "name"), message=message))]


def _missing(shape: RuleShape, source: Source, look: Look) -> list[Problem]:
    problems = [
        Problem(path=(operation, *picture.at), message=fault)
        for operation, picture, path in _files(shape, source)
        if (fault := _file_fault(look(path)))
    ]
    delivery = delivery_of(shape)
    if delivery.group is not None and not _group_exists(delivery.group):
        at = ("group",) if shape.group is not None else ("delivery", "group")
        problems.append(Problem(path=at, message=f"there is no group {delivery.group} on this computer"))
    return problems


def _file_fault(place: Place) -> str | None:
    path, found = place.path, place.found
    if found is None:
        return f"the file {path} cannot be used: {place.error}"
    if not stat.S_ISREG(found.st_mode):
        return f"{path} is not a file"
    if not 0 < found.st_size <= LARGEST_FILE_BYTES:
        return f"{path} has {found.st_size:,} bytes; a picture may have 1 to {LARGEST_FILE_BYTES:,}"
    return None


def _group_exists(name: str) -> bool:
    if name.isdecimal():
        return True
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def _canonical(place: Place, known: dict[tuple[int, int], str]) -> str:
    """Return the one spelling of a folder that may be reached in several ways; *known*, by device and inode, grows."""
    identity = next(iter(place.identities), None)
    return place.real if identity is None else known.setdefault(identity, place.real)
