"""Write ``requirements.lock`` anew: every package of every part, in one release, with the sums of its files.

One choice of releases serves all parts, all Pythons and all processors; no index address is written.
"""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from environment import LOCK_FILE, ROOT, SetupError, say

HEADING: Final = """\
# Every package that Dropglow and its tests are run with, each with the sums of its files.
# Made by `python3 daemon lock`, that is `uv pip compile --universal --generate-hashes`; not edited by hand.
"""
OPTIONS: Final = (
    *("--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"),
)


def relock() -> None:
    """Choose the newest releases that ``pyproject.toml`` allows and write them to the lock file.

    Raises:
        SetupError: uv is missing, or finds no releases that fit together.
    """
    if (uv := shutil.which("uv")) is None:
        message = "uv is needed to choose releases for every Python and processor at once.\nInstall it: pip install uv"
        raise SetupError(message)
    everything = releases(uv, "--extra", "test", "--extra", "journal", "--extra", "notify")
    run = releases(uv, limits=everything)
    journal = {name: text for name, text in everything.items() if name == "systemd-python"}
    notify = without(releases(uv, "--extra", "notify", limits=everything), run)
    test = without(releases(uv, "--extra", "test", limits=everything), run)
    parts = (
        f"# [run] what Dropglow needs, and what installs it from a checkout\n{joined(run)}"
        f"# [notify] what reaches people over apprise; images have it\n{joined(notify)}"
        f"# [test] what its tests need besides\n{joined(test)}"
        "# [journal] has to be compiled; stands behind a mark and is installed where that works\n"
        + re.sub(r"(?m)^", "#: ", joined(journal).rstrip("\n"))
    )
    LOCK_FILE.write_text(f"{HEADING}\n{parts}\n", encoding="utf-8")
    say(f"wrote {LOCK_FILE}: {len(run)} packages to run, {len(test)} more to test")


def releases(uv: str, *extras: str, limits: dict[str, str] | None = None) -> dict[str, str]:
    """Return package names and their lines in a lock file, for the project, its builder and *extras*.

    Raises:
        SetupError: No releases fit together, or a package has none for every Python.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    with TemporaryDirectory() as folder:
        builders = Path(folder) / "builders.in"
        builders.write_text("\n".join(settings["build-system"]["requires"]), encoding="utf-8")
        chosen = Path(folder) / "chosen.txt"
        chosen.write_text(re.sub(r"\\\n|--hash=\S+", "", joined(limits or {})), encoding="utf-8")
        command = [
            uv,
            "pip",
            "compile",
            *OPTIONS,
            *extras,
            "--constraint",
            str(chosen),
            "pyproject.toml",
            str(builders),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(done.stderr)
    entries = re.findall(r"(?m)^(([\w.-]+)(?:\[.*\])?==.*\n(?: +--hash=.*\n?)+)", done.stdout)
    found: dict[str, str] = {}
    for text, name in entries:
        if name in found:
            message = f"no release of {name} is for every Python: bound it in pyproject.toml, so that one is"
            raise SetupError(message)
        found[name] = text
    return found


def without(entries: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    """Return the *entries* that are not among *others*."""
    return {name: text for name, text in entries.items() if name not in others}


def joined(entries: dict[str, str]) -> str:
    """Return *entries* as the text of a requirements file."""
    return "".join(entries.values())
