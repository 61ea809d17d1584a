"""The first run as the README tells it: two files, no folders, a pretend Adobe."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.e2e

README = Path(__file__).parents[2] / "README.md"


def blocks_of_yaml() -> list[str]:
    """Return the README's YAML, without the indentation of the list that it stands in."""
    found = re.findall(
        r"^( *)```yaml\n(.*?)^ *```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


async def dropglow(folder: Path, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dropglow", "--config", str(folder), *arguments),
        env={**os.environ, "PYTHONWARNINGS": "error"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, out.decode()


async def test_the_readme_leads_to_three_results(tmp_path: Path) -> None:
    """Its configuration and rule are sound, its folders are made, and a photo dropped there comes back in three sizes."""
    configuration, rule, limits = blocks_of_yaml()[:3]
    (tmp_path / "rules").mkdir()
    (tmp_path / "dropglow.yaml").write_text(configuration + limits)
    (tmp_path / "rules" / "social.yaml").write_text(rule)

    checked, said = await dropglow(tmp_path, "check")
    first, _ = await dropglow(tmp_path, "run", "--once", "--sandbox")
    Image.new("RGB", (600, 400), (90, 120, 200)).save(tmp_path / "inbox" / "photos" / "beach.jpg")
    second, log = await dropglow(tmp_path, "run", "--once", "--sandbox")

    assert (0, 0, 0) == (checked, first, second), said + log
    assert 3 == len(list((tmp_path / "outbox" / "photos").glob("beach_*.jpg")))
    assert (tmp_path / "inbox" / "photos" / "_done" / "beach.jpg").exists()
