"""What is to be done to install, and what to undo it: from what is wanted, what is there, and what was made before.

Pure. Nothing that somebody else made or changed is ever replaced or removed, and nothing that people dropped, nor
the ledger unless that is asked for: what stays is said, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from dropglow.installation.record import Record
from dropglow.installation.wanted import (
    CATALOG,
    CONFIGURATION,
    CREDENTIAL_FILES,
    DROPS,
    PROGRAM,
    SERVICE,
    SOCKET,
    STATE,
    UNITS,
    File,
    Folder,
    Item,
    Link,
    User,
)


class Kind(StrEnum):
    """Say what stands at a path."""

    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a link"
    OTHER = "something else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stands at a path."""

    kind: Kind
    sha256: str = ""  # of a file
    target: str = ""  # of a link


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine as it was found."""

    seen: Mapping[str, Seen]  # what is not in it, is not there
    users: frozenset[str]
    manager: bool  # whether systemd runs here, and can be told
    enabled: frozenset[str] = frozenset()  # units that start with the machine
    active: frozenset[str] = frozenset()  # units that run
    instances: tuple[str, ...] = ()  # of the template, that run


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """Make what is wanted."""

    item: Item
    replaces: bool = False  # an older one of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Remove a file or a link of ours."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFolder:
    """Remove a folder of ours if nothing is in it by then."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTree:
    """Remove a folder with all that is in it."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveUser:
    """Remove a user, unless one of *owns* is left: it would belong to nobody, or to whoever gets the number next."""

    name: str
    owns: tuple[str, ...]


class Errand(StrEnum):
    """Name what others have to be told."""

    LOAD_UNITS = "have systemd read its units again"
    LOAD_CATALOG = "have the journal read its catalogue again"
    START = "start it now and with the machine"
    STOP = "stop it, and start it no more with the machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Tell somebody about it."""

    errand: Errand
    units: tuple[str, ...] = ()


Step = Make | Remove | RemoveFolder | RemoveTree | RemoveUser | Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done, what is left alone and why, and what keeps it from being done at all."""

    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def plan(self) -> Plan:
        return Plan(steps=tuple(self.steps), notes=tuple(self.notes), faults=tuple(self.faults))


def installing(items: Sequence[Item], machine: Machine, record: Record) -> Plan:
    """Return how to come from *machine* to one that has all *items*; *record* tells what is ours already."""
    draft = _Draft()
    for item in items:
        _consider(item, machine, record, draft)
    touched = [
        step.item.path for step in draft.steps if isinstance(step, Make) and isinstance(step.item, File)
    ]
    if machine.manager:
        if any(path.startswith(UNITS) for path in touched):
            draft.steps.append(Tell(errand=Errand.LOAD_UNITS))
        _consider_start(items, machine, draft, replaced=_replaced(draft.steps))
    if any(path.startswith(CATALOG) for path in touched):
        draft.steps.append(Tell(errand=Errand.LOAD_CATALOG))
    return draft.plan()


def _consider(item: Item, machine: Machine, record: Record, draft: _Draft) -> None:
    match item:
        case User():
            if item.name not in machine.users:
                draft.steps.append(Make(item=item))
        case Folder():
            _consider_folder(item, machine.seen.get(item.path), draft)
        case File():
            _consider_file(item, machine.seen.get(item.path), record, draft)
        case Link():
            _consider_link(item, machine.seen.get(item.path), record, draft)
        case _:
            assert_never(item)


def _consider_folder(folder: Folder, seen: Seen | None, draft: _Draft) -> None:
    if seen is None:
        draft.steps.append(Make(item=folder))
    elif seen.kind is not Kind.FOLDER:
        draft.faults.append(f"{folder.path} is {seen.kind}, and has to be a folder")


def _consider_file(file: File, seen: Seen | None, record: Record, draft: _Draft) -> None:
    if seen is None and file.edited and file.path in record.files:
        return  # somebody did not want it
    if seen is None:
        draft.steps.append(Make(item=file))
    elif seen.kind is not Kind.FILE:
        draft.faults.append(f"{file.path} is {seen.kind}, and has to be a file")
    elif file.edited:
        return  # as somebody wants it
    elif seen.sha256 == file.sha256:
        # What was replaced, and not noted any more, is noted now.
        if record.files.get(file.path, file.sha256) != file.sha256:
            draft.steps.append(Make(item=file, replaces=True))
    elif seen.sha256 == record.files.get(file.path):
        draft.steps.append(Make(item=file, replaces=True))
    else:
        draft.notes.append(
            f"{file.path} was not made by `dropglow install`, or was changed since: it stays as it is"
        )


def _consider_link(link: Link, seen: Seen | None, record: Record, draft: _Draft) -> None:
    if seen is None:
        draft.steps.append(Make(item=link))
    elif seen.kind is not Kind.LINK:
        draft.faults.append(
            f"{link.path} is {seen.kind} already, and another program than the one that runs now, {link.target}: "
            "use that one to install, or remove it"
        )
    elif seen.target == link.target:
        if record.links.get(link.path, link.target) != link.target:
            draft.steps.append(Make(item=link, replaces=True))
    elif seen.target == record.links.get(link.path):
        draft.steps.append(Make(item=link, replaces=True))
    else:
        draft.faults.append(
            f"{link.path} leads to {seen.target}, and not to the program that runs now, {link.target}: "
            "use that one to install, or remove the link"
        )


def _replaced(steps: Sequence[Step]) -> bool:
    return any(isinstance(step, Make) and step.replaces for step in steps)


def _consider_start(items: Sequence[Item], machine: Machine, draft: _Draft, *, replaced: bool) -> None:
    """Start what has credentials; restart nothing by itself, since somebody may be waiting for a result."""
    paths = {item.path for item in items if isinstance(item, File)}
    units = tuple(unit for unit in (SOCKET, SERVICE) if f"{UNITS}/{unit}" in paths)
    idle = tuple(unit for unit in units if unit not in machine.enabled or unit not in machine.active)
    if SERVICE in machine.active:
        if replaced or SOCKET in idle:
            draft.notes.append(
                f"it runs as it was before; restart it when that suits: systemctl restart {SERVICE}"
            )
        return
    if idle and paths.union(machine.seen) >= set(CREDENTIAL_FILES):
        draft.steps.append(Tell(errand=Errand.START, units=idle))


def uninstalling(machine: Machine, record: Record, *, with_ledger: bool) -> Plan:
    """Return how to take away what *record* says was made, as far as it is still as it was made."""
    draft = _Draft()
    if machine.instances:
        running = ", ".join(machine.instances)
        draft.faults.append(
            f"{running} would go on without a unit: stop it first, with systemctl disable --now"
        )
    units = tuple(unit for unit in (SOCKET, SERVICE) if f"{UNITS}/{unit}" in record.files)
    if started := tuple(unit for unit in units if unit in machine.active or unit in machine.enabled):
        draft.steps.append(Tell(errand=Errand.STOP, units=started))
    if STATE in machine.seen and with_ledger:
        # At once: should it have to stay, the service can still be started to finish its work.
        draft.steps.append(RemoveTree(path=STATE))
    _consider_removals(machine, record, draft)
    if machine.manager and any(path.startswith(UNITS) for path in record.files):
        draft.steps.append(Tell(errand=Errand.LOAD_UNITS))
    if any(path.startswith(CATALOG) for path in record.files):
        draft.steps.append(Tell(errand=Errand.LOAD_CATALOG))
    if STATE in machine.seen and not with_ledger:
        draft.notes.append(
            f"the ledger stays, in {STATE}: `--with-ledger` removes it, and with it all that is known of orders"
        )
    folders = [RemoveFolder(path=path) for path in reversed(record.folders)]
    draft.steps += [step for step in folders if step.path != CONFIGURATION]
    draft.steps += [
        RemoveUser(name=name, owns=(STATE, DROPS)) for name in record.users if name in machine.users
    ]
    draft.steps += [step for step in folders if step.path == CONFIGURATION]  # last: the record lies in it
    if DROPS in machine.seen:
        draft.notes.append(f"what lies in {DROPS} stays: it is yours")
    return draft.plan()


def _consider_removals(machine: Machine, record: Record, draft: _Draft) -> None:
    for path, sha256 in reversed([*record.files.items()]):
        seen = machine.seen.get(path)
        if seen is None or (seen.kind is Kind.FILE and seen.sha256 == sha256):
            draft.steps.append(Remove(path=path))
        else:
            draft.notes.append(f"{path} was changed since it was installed: it stays")
    for path, target in record.links.items():
        seen = machine.seen.get(path)
        if seen is None or (seen.kind is Kind.LINK and seen.target == target):
            draft.steps.append(Remove(path=path))
        else:
            draft.notes.append(f"{path} was changed since it was installed: it stays")


def described(plan: Plan) -> Iterator[str]:
    """Yield one line for each step, for a person who is to agree to it."""
    for step in plan.steps:
        match step:
            case Make(item=item, replaces=replaces):
                yield _making(item, replaces=replaces)
            case Remove(path=path):
                yield f"remove {path}"
            case RemoveFolder(path=path):
                yield f"remove the folder {path}, if nothing is in it"
            case RemoveTree(path=path):
                yield f"remove {path} with all that is in it"
            case RemoveUser(name=name, owns=owns):
                yield f"remove the user {name}, unless {' or '.join(owns)} is left"
            case Tell(errand=errand, units=units):
                yield f"{errand}: {', '.join(units)}" if units else errand.value
            case _:
                assert_never(step)


def _making(item: Item, *, replaces: bool) -> str:
    match item:
        case User(name=name):
            return f"make the user {name}, who cannot log in"
        case Folder(path=path, owner=owner, mode=mode):
            return f"make the folder {path} ({owner}, {mode:o})"
        case File(path=path):
            return f"{'replace' if replaces else 'write'} {path}"
        case Link(path=path, target=target):
            return f"{'lead' if replaces else 'make'} the link {path} to {target}"
        case _:
            assert_never(item)


def next_steps(machine: Machine, plan: Plan, *, image: str = "") -> tuple[str, ...]:
    """Return what is left for a person to do after *plan* was carried out: commands with their reasons.

    For an *image* that is being made (its root), they change nothing on the machine where they are typed.
    """
    if SERVICE in machine.active and not plan.steps:
        return ()
    if any(isinstance(step, Tell) and step.errand is Errand.START for step in plan.steps):
        return (
            f"usermod -aG dropglow NAME        # for everybody who is to drop files into {DROPS}/inbox",
            "sudo -u dropglow dropglow status  # how it is",
        )
    missing = [path for path in CREDENTIAL_FILES if path not in machine.seen]
    pasting = [f"(umask 077; cat > {image}{path})  # paste it, then Ctrl-D" for path in missing]
    if image:
        return (*pasting, f"systemctl --root={image} enable {SERVICE}")
    return (
        *pasting,
        f"{PROGRAM} check",
        f"systemctl enable --now {SERVICE}",
    )
