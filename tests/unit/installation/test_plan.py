"""What is done to install and to uninstall, and above all what is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from dropglow.installation.plan import (
    Errand,
    Kind,
    Machine,
    Make,
    Plan,
    Remove,
    RemoveFolder,
    RemoveTree,
    RemoveUser,
    Seen,
    Tell,
    described,
    installing,
    next_steps,
    uninstalling,
)
from dropglow.installation.record import Record
from dropglow.installation.wanted import (
    CONFIGURATION,
    CREDENTIAL_FILES,
    DROPS,
    PROGRAM,
    SERVICE,
    SOCKET,
    STATE,
    UNITS,
    USER,
    File,
    Folder,
    Item,
    Link,
    User,
    wanted,
)

SHIPPED = {
    name: name.encode()
    for name in (
        "dropglow.sysusers", "dropglow.service", "dropglow@.service", "dropglow.catalog", "README.md",
        "first/dropglow.yaml", "first/rules/first.yaml", "drop-ins/notify-reload.conf", "drop-ins/http.conf",
        "dropglow-http.socket",
    )
}  # fmt: skip
ITEMS = wanted(SHIPPED, program="/opt/dropglow/bin/dropglow", http=True, systemd=252)
BARE = Machine(seen={}, users=frozenset({"root"}), manager=True)
UNIT = f"{UNITS}/{SERVICE}"
SETTINGS = f"{CONFIGURATION}/dropglow.yaml"


def seen(item: Item) -> tuple[str, Seen]:
    """Return how *item* looks once it was made."""
    match item:
        case File(path=path, sha256=sha256):
            return path, Seen(kind=Kind.FILE, sha256=sha256)
        case Folder(path=path):
            return path, Seen(kind=Kind.FOLDER)
        case Link(path=path, target=target):
            return path, Seen(kind=Kind.LINK, target=target)
        case User():
            raise AssertionError("a user is no path")


def installed(changes: Mapping[str, Seen | None] | None = None) -> Machine:
    """Return a machine that has everything, but for *changes* (None: it is gone)."""
    paths = dict(seen(item) for item in ITEMS if not isinstance(item, User))
    for path, changed in (changes or {}).items():
        if changed is None:
            paths.pop(path, None)
        else:
            paths[path] = changed
    return Machine(seen=paths, users=frozenset({"root", USER}), manager=True)


def made() -> Record:
    """Return the record of an installation that made everything."""
    record = Record()
    for item in ITEMS:
        match item:
            case File(path=path, sha256=sha256):
                record = record.with_file(path, sha256)
            case Folder(path=path):
                record = record.with_folder(path)
            case Link(path=path, target=target):
                record = record.with_link(path, target)
            case User(name=name):
                record = record.with_user(name)
    return record


def with_credentials(machine: Machine) -> Machine:
    secrets = {path: Seen(kind=Kind.FILE, sha256="s") for path in CREDENTIAL_FILES}
    return replace(machine, seen={**machine.seen, **secrets})


def test_a_bare_machine_gets_everything_in_an_order_that_works() -> None:
    """The folder of the record before all else, the user before what is his, units before systemd is told."""
    plan = installing(ITEMS, BARE, Record())
    order = [step.item for step in plan.steps if isinstance(step, Make)]

    assert list(ITEMS) == order
    assert Folder(path=CONFIGURATION) == order[0]
    assert order.index(User(name=USER)) < order.index(Folder(path=DROPS, mode=0o2770, owner=USER))
    told = [step.errand for step in plan.steps if isinstance(step, Tell)]
    assert [Errand.LOAD_UNITS, Errand.LOAD_CATALOG] == told
    assert ((), ()) == (plan.notes, plan.faults)


def test_what_is_installed_needs_nothing() -> None:
    """Running it again changes nothing."""
    assert Plan() == installing(ITEMS, installed(), made())


def test_nothing_is_asked_of_a_manager_that_is_not_there() -> None:
    """In an image that is being made, nothing can be started or loaded."""
    plan = installing(ITEMS, replace(with_credentials(BARE), manager=False), Record())

    assert {Errand.LOAD_CATALOG} == {step.errand for step in plan.steps if isinstance(step, Tell)}


def test_with_credentials_it_is_started() -> None:
    """Those that are there, and those that are about to be written."""
    secrets = tuple(File(path=path, content=b"x", edited=True, mode=0o600) for path in CREDENTIAL_FILES)
    start = Tell(errand=Errand.START, units=(SOCKET, SERVICE))

    assert start in installing(ITEMS, with_credentials(BARE), Record()).steps
    assert start in installing((*ITEMS, *secrets), BARE, Record()).steps
    assert start not in installing((*ITEMS, secrets[0]), BARE, Record()).steps


def test_what_runs_is_not_restarted() -> None:
    """Somebody may wait for a result; it is said."""
    units = frozenset({SERVICE, SOCKET})
    machine = replace(
        with_credentials(installed({UNIT: Seen(kind=Kind.FILE, sha256="old")})), active=units, enabled=units
    )
    plan = installing(ITEMS, machine, made().with_file(UNIT, "old"))

    assert (
        Make(
            item=next(item for item in ITEMS if isinstance(item, File) and item.path == UNIT), replaces=True
        ),
        Tell(errand=Errand.LOAD_UNITS),
    ) == plan.steps
    assert plan.notes == (
        "it runs as it was before; restart it when that suits: systemctl restart dropglow.service",
    )
    assert Plan() == installing(
        ITEMS, replace(with_credentials(installed()), active=units, enabled=units), made()
    )


def test_a_unit_that_somebody_changed_stays() -> None:
    """An older one of ours is replaced, one of theirs is not."""
    machine = installed({UNIT: Seen(kind=Kind.FILE, sha256="theirs")})
    plan = installing(ITEMS, machine, made())

    assert () == plan.steps
    assert [f"{UNIT} was not made by `dropglow install`, or was changed since: it stays as it is"] == list(
        plan.notes
    )


@pytest.mark.parametrize("there", [Seen(kind=Kind.FILE, sha256="theirs"), None])
def test_the_configuration_is_theirs_once_it_was_there(there: Seen | None) -> None:
    """Changed or removed by somebody, it is left alone, without a word."""
    assert Plan() == installing(ITEMS, installed({SETTINGS: there}), made())


def test_a_unit_that_vanished_comes_again() -> None:
    """It is ours."""
    plan = installing(ITEMS, installed({UNIT: None}), made())

    assert [UNIT] == [
        step.item.path for step in plan.steps if isinstance(step, Make) and not isinstance(step.item, User)
    ]


@pytest.mark.parametrize(
    ("path", "there", "fault"),
    [
        (UNIT, Seen(kind=Kind.FOLDER), f"{UNIT} is a folder, and has to be a file"),
        (DROPS, Seen(kind=Kind.LINK, target="/x"), f"{DROPS} is a link, and has to be a folder"),
        (PROGRAM, Seen(kind=Kind.FILE, sha256="x"), f"{PROGRAM} is a file already, and another program"),
        (
            PROGRAM,
            Seen(kind=Kind.LINK, target="/y"),
            f"{PROGRAM} leads to /y, and not to the program that runs now",
        ),
    ],
)
def test_what_stands_in_the_way_is_a_fault(path: str, there: Seen, fault: str) -> None:
    """Nothing of somebody else's is replaced to make room."""
    plan = installing(ITEMS, installed({path: there}), Record())

    assert [True] == [each.startswith(fault) for each in plan.faults]


def test_a_link_of_ours_follows_the_program() -> None:
    """It moved to another environment."""
    moved = wanted(SHIPPED, program="/opt/new/bin/dropglow", http=True, systemd=252)

    plan = installing(moved, installed(), made())

    link = Link(path=PROGRAM, target="/opt/new/bin/dropglow")
    assert (Make(item=link, replaces=True),) == tuple(step for step in plan.steps if isinstance(step, Make))


def test_what_was_replaced_and_not_noted_is_noted() -> None:
    """An upgrade ended between the two; as it is, undoing would take it for somebody's change."""
    old = made().with_file(UNIT, "old").with_link(PROGRAM, "/opt/old/bin/dropglow")

    plan = installing(ITEMS, installed(), old)

    steps = [step for step in plan.steps if isinstance(step, Make)]
    assert {UNIT, PROGRAM} == {step.item.path for step in steps if not isinstance(step.item, User)}
    assert [True, True] == [step.replaces for step in steps]


def test_a_program_in_its_place_needs_no_link() -> None:
    """And newer systemds get the drop-in that they understand."""
    items = wanted(SHIPPED, program=PROGRAM, http=False, systemd=253)
    paths = {item.path for item in items if isinstance(item, File)}

    assert not [item for item in items if isinstance(item, Link)]
    assert f"{UNIT}.d/notify-reload.conf" in paths
    assert f"{UNITS}/{SOCKET}" not in paths


def test_exactly_what_was_made_is_undone() -> None:
    """Stopped first, in reverse order, the record's own folder last."""
    units = frozenset({SERVICE, SOCKET})
    plan = uninstalling(replace(installed(), active=units), made(), with_ledger=False)
    removed = [step.path for step in plan.steps if isinstance(step, Remove | RemoveFolder)]
    expected = {item.path for item in ITEMS if not isinstance(item, User)}

    assert Tell(errand=Errand.STOP, units=(SOCKET, SERVICE)) == plan.steps[0]
    assert expected == set(removed)
    assert len(expected) == len(removed)
    assert RemoveFolder(path=CONFIGURATION) == plan.steps[-1]
    assert RemoveUser(name=USER, owns=(STATE, DROPS)) == plan.steps[-2]
    assert removed.index(f"{DROPS}/inbox") < removed.index(DROPS)
    assert (f"what lies in {DROPS} stays: it is yours",) == plan.notes


def test_what_somebody_changed_is_not_removed() -> None:
    """Nor what was there before."""
    changes: dict[str, Seen | None] = {
        SETTINGS: Seen(kind=Kind.FILE, sha256="theirs"),
        PROGRAM: Seen(kind=Kind.LINK, target="/theirs"),
    }
    record = made().without(f"{CONFIGURATION}/rules/first.yaml").without(DROPS)
    plan = uninstalling(installed(changes), record, with_ledger=False)
    removed = [step.path for step in plan.steps if isinstance(step, Remove | RemoveFolder)]

    assert [] == [path for path in (*changes, f"{CONFIGURATION}/rules/first.yaml", DROPS) if path in removed]
    assert [f"{path} was changed since it was installed: it stays" for path in changes] == list(
        plan.notes[:2]
    )


def test_what_is_gone_already_is_struck_off() -> None:
    """So that the record can go as well."""
    plan = uninstalling(installed({UNIT: None, PROGRAM: None}), made(), with_ledger=False)

    assert {UNIT, PROGRAM} <= {step.path for step in plan.steps if isinstance(step, Remove)}


def test_the_ledger_goes_only_when_it_is_asked_for() -> None:
    """It knows what was bought."""
    machine = installed({STATE: Seen(kind=Kind.FOLDER)})
    kept, gone = (uninstalling(machine, made(), with_ledger=with_ledger) for with_ledger in (False, True))

    assert RemoveTree(path=STATE) not in kept.steps
    assert [True] == [note.startswith(f"the ledger stays, in {STATE}") for note in kept.notes[:1]]
    assert RemoveTree(path=STATE) in gone.steps
    assert gone.steps.index(RemoveTree(path=STATE)) < gone.steps.index(
        RemoveUser(name=USER, owns=(STATE, DROPS))
    )


def test_the_ledger_goes_while_the_service_could_be_started_again() -> None:
    """What was bought until it was stopped may be a reason to let it finish."""
    machine = replace(installed({STATE: Seen(kind=Kind.FOLDER)}), active=frozenset({SERVICE}))
    plan = uninstalling(machine, made(), with_ledger=True)

    assert [Tell(errand=Errand.STOP, units=(SERVICE,)), RemoveTree(path=STATE)] == [*plan.steps[:2]]


def test_services_of_the_template_are_not_left_without_their_unit() -> None:
    """They are a person's to stop."""
    machine = replace(installed(), instances=("dropglow@posters.service",))
    plan = uninstalling(machine, made(), with_ledger=False)

    assert [True] == [
        fault.startswith("dropglow@posters.service would go on without") for fault in plan.faults
    ]


def test_an_empty_record_leaves_nothing_to_do() -> None:
    """Without units and a catalogue nobody has to be told."""
    plan = uninstalling(BARE, Record(users=("gone",)), with_ledger=True)

    assert Plan() == plan


def test_every_step_is_said_before_it_is_done() -> None:
    """In a line of its own, for a person who has to agree."""
    units = frozenset({SERVICE, SOCKET})
    machine = replace(installed({STATE: Seen(kind=Kind.FOLDER)}), enabled=units)
    coming = installing(ITEMS, with_credentials(BARE), Record())
    newer = installing(
        ITEMS, installed({UNIT: Seen(kind=Kind.FILE, sha256="old")}), made().with_file(UNIT, "old")
    )
    moved = installing(wanted(SHIPPED, program="/new", http=True, systemd=0), installed(), made())
    going = uninstalling(machine, made(), with_ledger=True)
    lines = {line for plan in (coming, newer, moved, going) for line in described(plan)}

    assert len(coming.steps) == len(list(described(coming)))
    assert {
        "make the user dropglow, who cannot log in",
        "make the folder /srv/dropglow (dropglow, 2770)",
        f"write {UNIT}",
        f"replace {UNIT}",
        f"make the link {PROGRAM} to /opt/dropglow/bin/dropglow",
        f"lead the link {PROGRAM} to /new",
        "start it now and with the machine: dropglow-http.socket, dropglow.service",
        "stop it, and start it no more with the machine: dropglow-http.socket, dropglow.service",
        f"remove {UNIT}",
        "remove the folder /srv/dropglow/inbox, if nothing is in it",
        "remove /var/lib/dropglow with all that is in it",
        "remove the user dropglow, unless /var/lib/dropglow or /srv/dropglow is left",
        "have systemd read its units again",
    } <= lines


def test_a_person_is_told_what_is_left() -> None:
    """Credentials first; once it runs, nothing."""
    bare = installing(ITEMS, BARE, Record())
    started = installing(ITEMS, with_credentials(BARE), Record())
    running = replace(with_credentials(installed()), active=frozenset({SERVICE}))

    assert [*CREDENTIAL_FILES] == [line.split()[4].rstrip(")") for line in next_steps(BARE, bare)[:2]]
    assert f"systemctl enable --now {SERVICE}" == next_steps(BARE, bare)[-1]
    assert 2 == len(next_steps(with_credentials(BARE), started))
    assert () == next_steps(running, Plan())


def test_for_an_image_nothing_is_said_that_changes_this_machine() -> None:
    """Every command goes to the image."""
    lines = next_steps(BARE, installing(ITEMS, BARE, Record()), image="/mnt/new")

    assert [f"/mnt/new{path}" for path in CREDENTIAL_FILES] == [
        line.split()[4].rstrip(")") for line in lines[:2]
    ]
    assert (f"systemctl --root=/mnt/new enable {SERVICE}",) == lines[2:]
