"""Quick commands load little: what takes most of a start is not what they need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dropglow.config import load_config
from dropglow.sketch import remember

SHOW_LOADED = """
import sys
from dropglow.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print("loaded:", *sorted(sys.modules))
"""
# Each takes at least a tenth of the time that `status` may take.
HEAVY = {
    "PIL",
    "httpx",
    "pydantic",
    "structlog",
    "uvicorn",
    "watchdog",
    "dropglow.config",
    "dropglow.rules.schema",
}


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--help"], HEAVY | {"asyncio", "pathlib", "rich", "sqlite3", "yaml"}),
        (["status", "--help"], HEAVY | {"asyncio", "rich", "sqlite3", "yaml"}),
        (["status", "--json"], HEAVY | {"rich"}),
        (["status"], HEAVY),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_a_quick_command_loads_little(tmp_path: Path, words: list[str], unwanted: set[str]) -> None:
    """Where a service has run once, nothing heavy is loaded for a look; for help next to nothing."""
    (tmp_path / "state").mkdir()
    (tmp_path / "dropglow.yaml").write_text(
        "state: ./state\nrules:\n  - {name: art, inbox: in, outbox: out, generate: {size: 2048x2048}}\n"
    )
    remember(load_config(str(tmp_path), environ={}, cwd="/"))

    told = subprocess.run(
        [sys.executable, "-c", SHOW_LOADED, "--config", str(tmp_path), *words], capture_output=True, text=True
    )

    assert 0 == told.returncode, told.stderr
    assert set() == unwanted & set(told.stdout.rpartition("loaded:")[2].split())
