"""The image's recipe, its compose file and its first command, as far as they can be judged without an engine."""

from __future__ import annotations

import http.server
import json
import re
import runpy
import stat
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
import yaml

from dropglow.config import load_config

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "daemon" / "container"
ENTRY: Final = FOLDER / "entry.py"
INSTRUCTIONS: Final = {
    "FROM", "ENV", "WORKDIR", "RUN", "COPY", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction of a recipe."""

    name: str
    words: str


def instructions() -> list[Instruction]:
    """Return the recipe's instructions, comments left out and continued lines put together."""
    lines = (FOLDER / "Containerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    logical = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [
        Instruction(name=name, words=words.strip())
        for name, _, words in (line.partition(" ") for line in logical if line)
    ]


def of(name: str) -> list[str]:
    return [each.words for each in instructions() if each.name == name]


def compose() -> dict[str, Any]:
    document = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


@pytest.fixture
def entry() -> SimpleNamespace:
    """Return the first command's functions; it is alone in the image, and no part of the package."""
    return SimpleNamespace(**runpy.run_path(str(ENTRY)))


# ---------------------------------------------------------------- the recipe


def test_the_recipe_has_instructions_and_nothing_else() -> None:
    """Each line is one that every engine knows; the first says upon what it is built."""
    found = instructions()

    assert INSTRUCTIONS >= {each.name for each in found}
    assert "FROM" == found[0].name
    assert all(each.words for each in found)
    assert [1, 1, 1] == [len(of(name)) for name in ("ENTRYPOINT", "CMD", "HEALTHCHECK")]


def test_it_is_built_upon_a_slim_image_of_no_named_host() -> None:
    """Whoever builds it says where images come from."""
    assert {"python:3.13-slim"} == {words.split(" ")[0] for words in of("FROM")}


def test_what_it_copies_is_there() -> None:
    """From the root of the checkout, and not held back from the engine."""
    held_back = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"
    ]
    sources = [
        word
        for words in of("COPY")
        if "--from" not in words
        for word in words.split(" ")[:-1]
        if not word.startswith("--")
    ]

    assert [] == [source for source in sources if not (ROOT / source).exists()]
    assert [] == [
        source for source in sources if any(fnmatch(source.split("/")[0], each) for each in held_back)
    ]
    assert {"daemon/requirements.lock", "daemon/", "rules/", "systemd/", "pyproject.toml"} <= set(sources)


def test_every_package_in_it_is_pinned_with_sums() -> None:
    """The part of the lock that is cut out has all that runs Dropglow, and nothing without a sum."""
    (cut,) = re.findall(r"sed -n '(.*?)' requirements\.lock", " ".join(of("RUN")))
    done = subprocess.run(
        ["sed", "-n", cut, ROOT / "daemon" / "requirements.lock"], capture_output=True, text=True, check=True
    )
    pinned = re.findall(r"(?m)^([\w.-]+)==", done.stdout)

    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = re.findall(
        r'(?m)^  "([\w.-]+)[><=~]', settings.partition("dependencies = [")[2].partition("]")[0]
    )
    assert wanted
    assert {name.lower() for name in wanted} <= set(pinned)
    assert "apprise" in pinned
    assert "pytest" not in pinned
    assert len(pinned) == len(re.findall(r"(?m)^[\w.-]+==.*\\\n +--hash=sha256:", done.stdout))
    assert "--require-hashes" in " ".join(of("RUN"))


def test_it_says_whether_it_is_well() -> None:
    """The health check is the image's own command."""
    assert 'CMD ["dropglow", "health"]' in of("HEALTHCHECK")[0]
    assert ['["dropglow"]'] == of("ENTRYPOINT")


def test_the_health_check_asks_where_the_service_answers(entry: SimpleNamespace) -> None:
    """The port of the recipe's `run --http` is the one that is asked."""
    (command,) = of("CMD")

    assert ["run", "--http"] == json.loads(command)[:2]
    assert f"http://127.0.0.1:{json.loads(command)[2]}/live" == entry.LIVE


# ---------------------------------------------------------------- the compose file


def test_the_compose_file_is_what_people_with_a_nas_expect() -> None:
    """PUID, PGID, UMASK, TZ, secrets from files, two volumes, a root that is only read, no right that is not needed."""
    service = compose()["services"]["dropglow"]

    assert {
        "PUID",
        "PGID",
        "UMASK",
        "TZ",
        "FILE__FIREFLY_SERVICES_CLIENT_ID",
        "FILE__FIREFLY_SERVICES_CLIENT_SECRET",
    } <= set(service["environment"])
    assert all(isinstance(value, str) for value in service["environment"].values()), (
        "022 without quotes is eighteen"
    )
    assert {"/config", "/data"} == {each.rpartition(":")[2] for each in service["volumes"]}
    assert {"/config", "/data"} == set(of("VOLUME")[0].split(" "))
    assert service["read_only"] is True
    assert ["ALL"] == service["cap_drop"]
    assert "unless-stopped" == service["restart"]
    assert (FOLDER / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()


def test_every_secret_that_is_used_is_defined() -> None:
    """And stands where its variable says."""
    document = compose()
    service = document["services"]["dropglow"]
    files = {value for name, value in service["environment"].items() if name.startswith("FILE__")}

    assert set(service["secrets"]) == set(document["secrets"])
    assert {f"/run/secrets/{name}" for name in service["secrets"]} == files


# ---------------------------------------------------------------- the first command


def test_who_it_is_to_be_is_read(entry: SimpleNamespace) -> None:
    """UMASK is octal, as everywhere; what is not said has a usual value."""
    said = entry.identity({"PUID": "99", "PGID": " 100 ", "UMASK": "002"})
    usual = entry.identity({"PUID": ""})

    assert (99, 100, 0o002) == (said.user, said.group, said.umask)
    assert (1000, 1000, 0o022) == (usual.user, usual.group, usual.umask)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PUID", "me"), ("PUID", "-1"), ("PGID", "4294967295"), ("UMASK", "0888"), ("UMASK", "7777")],
)
def test_a_number_that_is_none_is_refused(entry: SimpleNamespace, name: str, value: str) -> None:
    """In words that name the variable."""
    with pytest.raises(entry.EntryError, match=f"{name} should be"):
        entry.identity({name: value})


def test_files_stand_for_variables(entry: SimpleNamespace, tmp_path: Path) -> None:
    """Dropglow reads its secrets from the file itself; anything else becomes what the file holds."""
    (tmp_path / "url").write_text("https://example.com\n")

    found = entry.variables({
        "FILE__FIREFLY_SERVICES_CLIENT_SECRET": "/run/secrets/s",
        "FILE__DROPGLOW_NOTIFY_PHONE": "/run/secrets/p",
        "FILE__DROPGLOW_API_URL": str(tmp_path / "url"),
        "TZ": "Etc/UTC",
    })  # fmt: skip

    assert {
        "FIREFLY_SERVICES_CLIENT_SECRET_FILE": "/run/secrets/s",
        "DROPGLOW_NOTIFY_PHONE_FILE": "/run/secrets/p",
        "DROPGLOW_API_URL": "https://example.com",
        "TZ": "Etc/UTC",
    } == found


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(
    entry: SimpleNamespace, tmp_path: Path, content: bytes | None
) -> None:
    """With the variable that names it."""
    if content is not None:
        (tmp_path / "x").write_bytes(content)

    with pytest.raises(entry.EntryError, match=r"FILE__LANG names .*/x, which cannot be read"):
        entry.variables({"FILE__LANG": str(tmp_path / "x")})


def test_an_unknown_zone_is_said(entry: SimpleNamespace, tmp_path: Path) -> None:
    """Days of a budget would silently be those of UTC."""
    (tmp_path / "Etc").mkdir()
    (tmp_path / "Etc" / "UTC").touch()

    assert [] == [*entry.remarks({"TZ": "Etc/UTC"}, zones=tmp_path)]
    assert [] == [*entry.remarks({}, zones=tmp_path)]
    assert ["TZ names Europe/Nowhere, which nobody knows here: days are days of UTC"] == [
        *entry.remarks({"TZ": "Europe/Nowhere"}, zones=tmp_path)
    ]


def test_an_empty_folder_gets_a_first_configuration_once(entry: SimpleNamespace, tmp_path: Path) -> None:
    """It has no fault, its folders are there, and what somebody wrote is never written over."""
    config, data = tmp_path / "config", tmp_path / "data"
    for folder in (config, data):
        folder.mkdir()

    first = entry.prepare(config, data, FOLDER / "first")

    rule = config / "rules" / "10-first.yaml"
    rule.write_text(rule.read_text().replace("/data", str(data)))
    found = load_config(str(config), environ={}, cwd="/")
    assert first
    assert (["first"], ()) == ([rule.name for rule in found.rules], found.warnings)
    (config / "dropglow.yaml").write_text("mine")
    assert not entry.prepare(config, data, FOLDER / "first")
    assert "mine" == (config / "dropglow.yaml").read_text()


@pytest.mark.parametrize("missing", ["config", "data"])
def test_a_volume_that_is_missing_is_named(entry: SimpleNamespace, tmp_path: Path, missing: str) -> None:
    """Who forgot to mount it would lose its files with the container."""
    for name in {"config", "data"} - {missing}:
        (tmp_path / name).mkdir()

    with pytest.raises(entry.EntryError, match=f"there is no folder .*/{missing}: mount one there"):
        entry.prepare(tmp_path / "config", tmp_path / "data", FOLDER / "first")


def test_a_volume_of_somebody_else_is_said(entry: SimpleNamespace, tmp_path: Path) -> None:
    """With what to do on the host."""
    (tmp_path / "config").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "inbox").write_text("in the way")

    with pytest.raises(
        entry.EntryError, match=r"cannot write to .*/data/inbox/?.* as user \d+: .*set PUID and PGID"
    ):
        entry.prepare(tmp_path / "config", tmp_path / "data", FOLDER / "first")


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers as its server says."""

    def do_GET(self) -> None:
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[http.server.HTTPServer]:
    """Return what answers in place of the service."""
    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "well"), [(200, True), (503, False)])
def test_health_is_what_the_service_says(
    entry: SimpleNamespace, service: http.server.HTTPServer, status: int, well: bool
) -> None:
    """Where it answers, at `/live`."""
    service.status = status  # type: ignore[attr-defined]

    assert well is entry.healthy({}, live=f"http://127.0.0.1:{service.server_address[1]}/live")


def test_health_is_asked_of_no_proxy(
    entry: SimpleNamespace, service: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that reaches the internet through one would be restarted as ill, for ever."""
    service.status = 200  # type: ignore[attr-defined]
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)

    assert entry.healthy({}, live=f"http://127.0.0.1:{service.server_address[1]}/live")


def test_the_recipe_and_the_first_command_agree(entry: SimpleNamespace) -> None:
    """About the places of program, first configuration and volumes."""
    copies = " ".join(of("COPY"))

    assert f"{entry.FIRST}/" in copies
    assert f"{Path(entry.PROGRAM).parents[1]} {Path(entry.PROGRAM).parents[1]}" in copies
    assert f"{entry.CONFIG} {entry.DATA}" == of("VOLUME")[0]
    assert ENTRY.read_text(encoding="utf-8").startswith("#!/usr/local/bin/python -I\n")
    assert ENTRY.stat().st_mode & stat.S_IXUSR
