"""The units are what systemd takes, and give away as little as they say."""

from __future__ import annotations

import os
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
SYSTEMD: Final = ROOT / "systemd"
UNITS: Final = ("dropglow.service", "dropglow@.service")
SOCKET: Final = "dropglow-http.socket"
DROP_INS: Final = sorted(path.name for path in (SYSTEMD / "drop-ins").iterdir())
EXPOSURE: Final = 15  # tenths
PROGRAM: Final = "/usr/local/bin/dropglow"
RELOADS: Final = 253  # the first systemd that knows Type=notify-reload


def analyzer() -> str:
    """Return the program that judges units."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed")
    return found


def version() -> int:
    """Return which systemd is here."""
    done = subprocess.run([analyzer(), "--version"], capture_output=True, text=True)
    return int(done.stdout.split()[1])


def laid_out(folder: Path, unit: str, *drop_ins: str) -> Path:
    """Return a copy of a unit with its drop-ins, and a program where the unit has one."""
    program = folder / "dropglow"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    placed = folder / unit
    placed.write_text((SYSTEMD / unit).read_text(encoding="utf-8").replace(PROGRAM, str(program)))
    shutil.copy(SYSTEMD / SOCKET, folder / SOCKET)
    for drop_in in drop_ins:
        (folder / f"{unit}.d").mkdir(exist_ok=True)
        shutil.copy(SYSTEMD / "drop-ins" / drop_in, folder / f"{unit}.d" / drop_in)
    return placed


def judged(*words: str | Path) -> tuple[int, str]:
    """Return what systemd-analyze says."""
    done = subprocess.run(
        [analyzer(), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "SYSTEMD_COLORS": "0"},
    )
    return done.returncode, done.stdout


def with_every_drop_in() -> list[tuple[str, tuple[str, ...]]]:
    cases: list[tuple[str, tuple[str, ...]]] = [(unit, ()) for unit in UNITS]
    return [*cases, *((UNITS[0], (drop_in,)) for drop_in in DROP_INS)]


@pytest.mark.parametrize(("unit", "drop_ins"), with_every_drop_in())
def test_systemd_understands_every_line(unit: str, drop_ins: tuple[str, ...], tmp_path: Path) -> None:
    """No unknown key, no value that is ignored, no program that is missing."""
    if drop_ins == ("notify-reload.conf",) and version() < RELOADS:
        pytest.skip(f"this systemd knows no Type=notify-reload, which came with {RELOADS}")
    placed = laid_out(tmp_path, unit, *drop_ins)

    assert (0, "") == judged("verify", "--recursive-errors=one", "--man=no", placed)


@pytest.mark.parametrize(("unit", "drop_ins"), with_every_drop_in())
def test_little_is_exposed(unit: str, drop_ins: tuple[str, ...], tmp_path: Path) -> None:
    """The score is 1.5 at most; with all users visible, which people.conf needs, 1.7."""
    placed = laid_out(tmp_path, unit, *drop_ins)
    most = EXPOSURE + 2 if drop_ins == ("people.conf",) else EXPOSURE

    code, told = judged("security", "--offline=true", "--no-pager", f"--threshold={most}", placed)

    assert 0 == code, told


def test_systemd_understands_the_socket(tmp_path: Path) -> None:
    """With the service that it opens an address for."""
    laid_out(tmp_path, UNITS[0], "http.conf")

    assert (0, "") == judged("verify", "--recursive-errors=one", "--man=no", tmp_path / SOCKET)


@pytest.mark.parametrize("unit", UNITS)
def test_each_restriction_has_its_reason(unit: str) -> None:
    """Above every group of settings that forbids something stands why."""
    lines = (SYSTEMD / unit).read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for before, line in pairwise(lines)
        if not line.startswith(("#", "[")) and line and (not before or before.startswith("["))
    ]

    assert ["Description"] == [line.partition("=")[0] for line in bare if "WantedBy" not in line]


@pytest.mark.parametrize("unit", UNITS)
def test_exit_codes_mean_what_they_say(unit: str) -> None:
    """What does not mend itself is not tried again; what asks for another try gets it."""
    text = (SYSTEMD / unit).read_text(encoding="utf-8")

    assert {"RestartPreventExitStatus=2 78", "RestartForceExitStatus=75"} <= set(text.splitlines())


def test_both_units_forbid_the_same() -> None:
    """The template differs in names and places only."""
    one, many = (
        [
            line
            for line in (SYSTEMD / unit).read_text(encoding="utf-8").splitlines()
            if line[:1] not in {"", "#"}
        ]
        for unit in UNITS
    )

    assert len(one) == len(many)
    assert [] == [line for line in many if "%i" not in line and line not in one]
    assert 6 == sum("%i" in line for line in many)


def test_every_drop_in_is_explained() -> None:
    """The page of this folder names each example."""
    told = (SYSTEMD / "README.md").read_text(encoding="utf-8")

    missing = [name for name in DROP_INS if f"| `{name}` |" not in told]
    assert [] == missing
