"""What commands say with ``--json`` has the shapes of ``daemon/json.md``: these keys, all of them, and no others."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from dropglow.cli.main import COMMANDS, main

if TYPE_CHECKING:
    from tests.integration.commands.conftest import Bench, Desk

PAGE: Final = Path(__file__).parents[3] / "daemon" / "json.md"
SECTION: Final = re.compile(r"^## (?P<title>.+?)\n.*?```yaml\n(?P<shape>.*?)```", re.MULTILINE | re.DOTALL)
SCALARS: Final[dict[str, tuple[type, ...]]] = {
    "text": (str,),
    "path": (str,),
    "time": (str,),
    "day": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def sections() -> dict[str, Any]:
    """Return each shape of the page by its title; titles of commands without ``dropglow``."""
    found = SECTION.finditer(PAGE.read_text(encoding="utf-8"))
    shapes = {each["title"]: yaml.load(each["shape"], yaml.BaseLoader) for each in found}  # noqa: S506  # all is text
    return {
        name: shape for title, shape in shapes.items() for name in title.removeprefix("dropglow ").split(", ")
    }


SHAPES: Final = sections()


def faults(value: Any, shape: Any, at: str = "") -> Iterator[str]:
    """Yield where *value* is not what *shape* says."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{at}: not a list but {value!r}"
            return
        for place, each in enumerate(value):
            yield from faults(each, shape[0], f"{at}[{place}]")
    elif isinstance(shape, dict):
        yield from faults_of_keys(value, shape, at)
    else:
        yield from faults_of_words(value, shape, at)


def faults_of_keys(value: Any, shape: dict[str, Any], at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: no object but {value!r}"
        return
    if any(key.startswith("<") and key != "<<" for key in shape):
        (inner,) = shape.values()
        for key, each in value.items():
            yield from faults(each, inner, f"{at}.{key}")
        return
    keys = flattened(shape)
    for key in sorted(keys.keys() - value.keys()):
        if not keys[key].optional:
            yield f"{at}.{key}: not there"
    for key in sorted(value.keys() - keys.keys()):
        yield f"{at}.{key}: not documented"
    for key in sorted(value.keys() & keys.keys()):
        if value[key] is not None or not keys[key].nullable:
            yield from faults(value[key], keys[key].shape, f"{at}.{key}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What stands under one key."""

    shape: Any
    optional: bool  # it may be absent
    nullable: bool


def flattened(shape: dict[str, Any]) -> dict[str, Key]:
    """Return each key, those of the shapes that *shape* takes in included."""
    keys: dict[str, Key] = {}
    for written, inner in shape.items():
        if written == "<<":
            keys |= flattened(SHAPES[inner])
            continue
        key = written.removesuffix(" or null").removesuffix("?")
        keys[key] = Key(shape=inner, optional=written.endswith("?"), nullable=written.endswith(" or null"))
    return keys


def faults_of_words(value: Any, words: str, at: str) -> Iterator[str]:
    kind = words.removesuffix(" or null")
    named, _, without = kind.partition(" without ")
    if value is None:
        if not words.endswith("null"):
            yield f"{at}: null, and {words} is documented"
    elif named in SHAPES:
        shape = {key: inner for key, inner in SHAPES[named].items() if key != without}
        yield from faults(value, shape, at)
    elif kind in SCALARS:
        if not isinstance(value, SCALARS[kind]) or (isinstance(value, bool) and kind != "boolean"):
            yield f"{at}: {value!r} is no {kind}"
        elif kind == "time" and datetime.fromisoformat(str(value)).tzinfo is None:
            yield f"{at}: {value!r} has no zone"
    elif kind != "any" and value not in kind.split(" | "):
        yield f"{at}: {value!r} is none of {kind}"


@pytest.fixture
def busy(desk: Desk) -> Any:
    """Return a desk on which everything has happened that a ledger can tell, beside a service that runs."""
    desk.drop("aaaa000001", "delivered", "failed", "cancelled", "skipped")
    desk.drop("aaaa000002", "running", "late", "held up", "in doubt", "queued")
    desk.drop("aaaa000003", "held", rule="art", age=timedelta(hours=3))
    desk.drop("aaaa000004", reason="it is not a picture", name="notes.eps")
    configuration = desk.folder / "dropglow.yaml"
    configuration.write_text(configuration.read_text() + "budget: {per_day: 5, per_month: 7 operations}\n")
    return desk


@pytest.mark.parametrize(
    ("section", "arguments"),
    [
        ("status", ["status"]),
        ("jobs", ["jobs"]),
        ("show JOB", ["show", "aaaa000002.1"]),
        ("show DROP", ["show", "aaaa000001"]),
        ("costs", ["costs"]),
        ("costs", ["costs", "--by", "day", "--by", "folder", "--by", "operation", "--by", "model"]),
        ("retry", ["retry", "aaaa000001", "nothing"]),
        ("cancel", ["cancel", "aaaa000002.5"]),
        ("approve", ["approve", "art"]),
        ("resolve", ["resolve", "--abandon", "aaaa000002.4"]),
        ("pause", ["pause", "--reason", "holidays"]),
        ("resume", ["resume"]),
        ("check", ["check"]),
        ("explain", ["explain", "beach.jpg"]),
        ("explain", ["explain", "words.txt", "--inbox", "prompts"]),
        ("doctor", ["doctor", "--offline"]),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
def test_a_document_has_its_shape(busy: Any, section: str, arguments: list[str]) -> None:
    """Every key that a command tells is documented with its type, and every documented key is told."""
    told = json.loads(busy.run(*arguments, "--json").stdout)

    assert [] == list(faults(told, SHAPES[section]))


def test_what_a_running_service_tells_has_its_shape(busy: Any) -> None:
    """``status`` has the same keys beside a service, of which some were null before; and while spending is paused."""
    busy.run("pause")
    snapshot = {
        "pid": os.getpid(), "version": "9.9", "started_at": "2026-11-02T08:00:00+00:00", "config": "/a.yaml",
        "sandbox": True, "trouble": "Adobe is not well", "config_read_at": "2026-11-02T08:00:00+00:00",
        "config_faults": ["a.yaml:1:1: no"], "config_faults_since": "2026-11-02T08:00:00+00:00",
        "restart_for": ["state"], "outboxes_away": {"/out": "it is not mounted"},
        "receivers_failing": {"phone": "it answered with HTTP 503"},
        "inboxes": [{"folder": str(busy.photos), "mode": "poll", "mode_reason": "nfs", "ready": 1, "look_s": 0.5}],
    }  # fmt: skip
    (busy.state / "status.json").write_text(json.dumps(snapshot))
    lock = busy.lock()

    told = json.loads(busy.run("status", "--json").stdout)
    lock.release()

    assert [] == list(faults(told, SHAPES["status"]))
    assert told["money"]["paused"] is not None
    assert told["outboxes_away"]
    assert told["receivers_failing"]


def test_a_folder_is_explained_in_its_shape(desk: Desk) -> None:
    """A folder that is taken whole has a document of its own."""
    (desk.folder / "dropglow.yaml").write_text(
        "state: ./state\nrules:\n"
        "  - {name: art, inbox: inbox/photos, outbox: outbox, drop: folder, generate: {size: 2048x2048}}\n"
    )
    (desk.photos / "job").mkdir()
    (desk.photos / "job" / "words.txt").write_text("a calm sea")
    (desk.photos / "job" / "other.bin").write_bytes(b"\0")

    told = json.loads(desk.run("explain", str(desk.photos / "job"), "--json").stdout)

    assert [] == list(faults(told, SHAPES["explain FOLDER"]))
    assert 2 == len(told["inboxes"][0]["files"])


def test_a_message_that_does_not_arrive_has_its_shape(desk: Desk) -> None:
    """``notify`` has the same keys for what arrived and for what did not."""
    configuration = desk.folder / "dropglow.yaml"
    configuration.write_text(
        configuration.read_text() + "notify: {receivers: [{name: chat, webhook: secret}]}\n"
    )

    told = json.loads(desk.run("notify", "--json").stdout)

    assert [] == list(faults(told, SHAPES["notify"]))
    assert told["receivers"]


def test_a_refusal_of_check_has_its_shape(desk: Desk) -> None:
    """``check`` has the same keys where there are faults."""
    (desk.folder / "dropglow.yaml").write_text("states: ./state\nrules: []\n")

    told = json.loads(desk.run("check", "--json").stdout)

    assert [] == list(faults(told, SHAPES["check"]))
    assert told["faults"]


def test_what_adobe_knows_has_its_shape(bench: Bench) -> None:
    """Commands that ask Adobe tell it in their shapes."""
    rules = "rules:\n  - {name: art, inbox: in, outbox: out, generate: {size: 2048x2048}}\n"

    models = json.loads(bench.run(rules, "models", "--json").stdout)
    checked = json.loads(bench.run(rules, "check", "--online", "--json").stdout)

    assert [] == list(faults(models, SHAPES["models"]))
    assert models["models"]
    assert [] == list(faults(checked, SHAPES["check"]))
    assert checked["online"]


def test_every_command_that_reports_is_documented() -> None:
    """Each command with ``--json`` has a section, and each section is of one."""
    reporting = {
        name
        for name in COMMANDS
        if (command := main.get_command(None, name)) is not None  # type: ignore[arg-type]  # it needs no context
        and any("--json" in parameter.opts for parameter in command.params)
    }

    assert reporting == {title.split()[0] for title in SHAPES} - {
        "job", "drop", "record", "failure", "money", "answer",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ({"a": 1}, {"a": "text"}),
        ({"a": "x", "b": 1}, {"a": "text"}),
        ({}, {"a": "text"}),
        ({"a": None}, {"a": "text"}),
        ({"a": [True]}, {"a": ["integer"]}),
        ({"a": "three"}, {"a": "one | two"}),
        ({"a": "2026-11-02T08:00:00"}, {"a": "time"}),
        ({"a": "x"}, {"a or null": {"b": "text"}}),
    ],
)
def test_a_wrong_document_is_noticed(value: Any, shape: Any) -> None:
    """A document that is not of its shape has faults: otherwise nothing above says anything."""
    assert list(faults(value, shape))
