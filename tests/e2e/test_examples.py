"""Every example rule, as its comment describes it: what is dropped, what comes back, and what it costs.

All examples stand in one folder, as whoever copies them has them, and one run of the program serves them all.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from dropglow.cli.main import main
from dropglow.sandbox.faults import parse_faults
from dropglow.sandbox.serve import Sandbox
from dropglow.sandbox.world import World

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
RUN_S = 240.0
CONFIGURATION = """
state: ./state
api: {{base_url: "{url}", token_url: "{url}/ims/token/v3"}}
limits: {{requests_per_minute: off, requests_per_day: off, poll: {{min: 50ms, max: 500ms}}}}
rules: rules/*.yaml
"""

pytestmark = pytest.mark.e2e


def photo(path: Path, size: tuple[int, int] = (1200, 800)) -> None:
    """Write a photo as a camera would."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    ImageDraw.Draw(picture).ellipse([size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2], fill="orange")
    picture.save(path)


def small_photo(path: Path) -> None:
    photo(path, (400, 300))


def cutout(path: Path) -> None:
    """Write a thing on a transparent background."""
    picture = Image.new("RGBA", (700, 900))
    ImageDraw.Draw(picture).ellipse([100, 200, 600, 800], fill=(180, 60, 40, 255))
    picture.save(path)


def mask(path: Path) -> None:
    """Write a mask for a photo: white in the middle."""
    picture = Image.new("L", (1200, 800))
    ImageDraw.Draw(picture).rectangle([400, 200, 800, 700], fill="white")
    picture.save(path)


def words(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    return write


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One drop below the inboxes, its companions, and what comes back for it."""

    path: str
    make: Callable[[Path], None]
    beside: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)
    results: str  # pattern of their names below the outboxes
    sizes: tuple[str, ...]  # of each result
    images: int  # price
    media_type: str = "image/jpeg"
    operation: str
    done: str | None = "_done"


DROPS: Mapping[str, tuple[Drop, ...]] = {
    "10-social-sizes.yaml": (
        Drop(
            path="social/holiday.jpg", make=photo, operation="expand", images=3,
            results=r"social/holiday_\d+x\d+_\d+\.jpg", sizes=("2048x3640", "2500x2500", "3640x2048"),
        ),
    ),
    "20-art-from-prompts.yaml": (
        Drop(
            path="prompts/boat.txt", make=words("a red boat in the mist"), operation="generate", images=4,
            results=r"prompts/boat_\d+x\d+_\d+\.jpg", sizes=("2048x2048", "2048x2048", "2304x1792", "2304x1792"),
        ),
        Drop(
            path="prompts/many.txt", operation="generate", images=8,
            make=words("---\nvariations: 4\ncontent_class: photo\n---\na red boat in the mist"),
            results=r"prompts/many_\d+x\d+_\d+\.jpg", sizes=("2048x2048",) * 4 + ("2304x1792",) * 4,
        ),
    ),
    "25-edit-by-words.yaml": (
        Drop(
            path="edits/porch.jpg", make=photo, operation="generate", images=1,
            beside={"porch.txt": words("the same house at night, lights on")},
            results=r"edits/porch_\d+\.\w+", sizes=("",),
        ),
    ),
    "30-house-style.yaml": (
        Drop(
            path="house-style/draft-boat.txt", make=words("a boat"), operation="generate", images=1,
            results=r"drafts/draft-boat_1024x1024_\d+\.jpg", sizes=("1024x1024",), done=None,
        ),
        Drop(
            path="house-style/boat.txt", make=words("a boat"), operation="generate", images=4,
            results=r"house-style/boat_(art|photo)_\d+x\d+_\d+\.jpg",
            sizes=("1792x2304", "1792x2304", "2304x1792", "2304x1792"),
        ),
    ),
    "40-catalogue.yaml": (
        Drop(
            path="catalogue/shoes/0815.jpg", make=photo, operation="expand", images=2,
            results=r"catalogue/shoes/0815/(wide_)?\d+x\d+_1\.jpg", sizes=("3000x3000", "3600x2000"),
        ),
    ),
    "45-shoots.yaml": (
        Drop(
            path="shoots/monday/raw/city.jpg", make=photo, operation="expand", images=1,
            results=r"shoots/monday/raw/city_2500x2500_\d+\.jpg", sizes=("2500x2500",),
        ),
    ),
    "50-similar.yaml": (
        Drop(
            path="similar/pool.jpg", make=photo, operation="similar", images=4,
            results=r"similar/pool_(image3|image4_standard)_2048x2048_\d+\.jpg", sizes=("2048x2048",) * 4,
        ),
    ),
    "55-fill.yaml": (
        Drop(
            path="fill/facade.jpg", make=photo, beside={"facade.mask.png": mask}, operation="fill", images=2,
            results=r"fill/facade_2304x1792_\d+\.jpg", sizes=("2304x1792",) * 2,
        ),
    ),
    "60-composite.yaml": (
        Drop(
            path="scenes/mug.png", make=cutout, operation="composite", images=2,
            beside={"mug.txt": words("on a wooden table in the morning sun\non a rock by the sea\n")},
            results=r"scenes/mug_[12]_2304x1792_\d+\.jpg", sizes=("2304x1792",) * 2,
        ),
    ),
    "65-precise-composite.yaml": (
        Drop(
            path="on-the-table/mug.png", make=cutout, operation="precise_composite", images=1,
            results=r"on-the-table/mug_\d+\.png", sizes=("1200x800",), media_type="image/png",
        ),
    ),
    "70-adaptive-composite.yaml": (
        Drop(
            path="rooms/room.jpg", make=photo, beside={"room.area.png": mask}, images=2,
            operation="adaptive_composite", results=r"rooms/room_\d+\.jpg", sizes=("1200x800",) * 2,
        ),
    ),
    "75-upscale.yaml": (
        Drop(
            path="upscale/old.jpg", make=small_photo, operation="upscale", images=1,
            results=r"upscale/old_x4\.\w+", sizes=("1600x1200",),
        ),
    ),
    "80-video.yaml": (
        Drop(
            path="clips/waves.txt", make=words("waves roll onto a beach, seen from above"), images=10,
            operation="video", results=r"clips/waves_\d+x\d+_\d+\.mp4", sizes=("1280x720", "720x1280"),
            media_type="video/mp4",
        ),
        Drop(
            path="clips/one.txt", images=2, operation="video", results=r"clips/one_960x540_\d+\.mp4",
            make=words(
                "---\nsize: 960x540\nvideo_settings: {shot_angle: high angle shot}\n---\nwaves roll onto a beach"
            ),
            sizes=("960x540",), media_type="video/mp4",
        ),
        Drop(
            path="clips/beach.jpg", make=photo, images=5, operation="video",
            results=r"clips/beach_1280x720_\d+\.mp4", sizes=("1280x720",), media_type="video/mp4",
        ),
    ),
}  # fmt: skip
EACH = [pytest.param(drop, id=f"{name}: {drop.path}") for name, drops in DROPS.items() for drop in drops]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is left after everything was dropped and the program has ended."""

    folder: Path
    code: int
    output: str
    forecasts: Mapping[str, Any]  # what `explain` said of each drop before the run
    books: Mapping[str, Any]  # what the sandbox sold

    def results(self, drop: Drop) -> list[Path]:
        """Return the results of *drop*, without their sidecars."""
        outbox = self.folder / "outbox"
        files = [path for path in sorted(outbox.rglob("*")) if path.is_file()]
        return [path for path in files if re.fullmatch(drop.results, path.relative_to(outbox).as_posix())]

    def sidecars(self, drop: Drop) -> list[dict[str, Any]]:
        """Return what stands beside the results of *drop*."""
        return [json.loads(path.with_name(f"{path.name}.json").read_text()) for path in self.results(drop)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Drop everything into the examples' inboxes, and let the program run until it is through."""
    return asyncio.run(serve(tmp_path_factory.mktemp("examples")))


async def serve(folder: Path) -> Served:
    copy_rules(folder)
    world = World(faults=parse_faults(["duration=0.1-0.3"]), seed=7)
    async with Sandbox(world) as sandbox:
        (folder / "dropglow.yaml").write_text(CONFIGURATION.format(url=sandbox.url))
        forecasts = {}
        for drop in (drop for drops in DROPS.values() for drop in drops):
            path = folder / "inbox" / drop.path
            path.parent.mkdir(parents=True, exist_ok=True)
            drop.make(path)
            for name, make in drop.beside.items():
                make(path.with_name(name))
            told = await asyncio.to_thread(
                CliRunner().invoke, main, ["--config", str(folder), "explain", str(path), "--json"]
            )
            forecasts[drop.path] = json.loads(told.stdout)
        code, output = await command(folder, "run", "--once")
    return Served(folder=folder, code=code, output=output, forecasts=forecasts, books=world.books())


def copy_rules(folder: Path) -> None:
    """Copy the examples, and let each write sidecars, so that there is more to look at."""
    shutil.copytree(RULES, folder / "rules")
    for path in (folder / "rules").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if "sidecar: true" not in text:
            path.write_text(
                re.sub(r"(?m)^(    )outbox:.*$", r"\g<0>\n\1sidecar: true", text), encoding="utf-8"
            )


async def command(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command to its end; return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dropglow", "--config", str(folder), *arguments,
        env={**os.environ, "FIREFLY_SERVICES_CLIENT_ID": "canary-client-id", "FIREFLY_SERVICES_CLIENT_SECRET": "canary-client-secret"},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), RUN_S)
    return process.returncode or 0, out.decode() or err.decode()


async def test_every_example_passes_the_check(tmp_path: Path) -> None:
    """Whoever copies the folder has rules without faults and without warnings, but for folders that do not exist."""
    shutil.copytree(RULES, tmp_path / "rules")
    (tmp_path / "dropglow.yaml").write_text("rules: rules/*.yaml\n")

    code, output = await command(tmp_path, "check")

    assert 0 == code, output
    assert "all is well" in output
    assert [] == [line for line in output.splitlines() if "warning" in line and "does not exist" not in line]


def test_every_example_is_tried() -> None:
    """No example stands there that nobody runs."""
    assert sorted(DROPS) == sorted(path.name for path in RULES.glob("*.yaml"))


def test_everything_is_through(served: Served) -> None:
    """Nothing failed, nothing is held, and the sandbox sold exactly what was foreseen."""
    assert 0 == served.code, served.output
    assert [] == [path.name for path in served.folder.rglob("*.error.txt")]
    assert sum(drop.images for drops in DROPS.values() for drop in drops) == sum(
        inbox["images"] for each in served.forecasts.values() for inbox in each["inboxes"]
    )
    assert served.books["accepted"] == sum(
        len(order["requests"])
        for each in served.forecasts.values()
        for inbox in each["inboxes"]
        for order in inbox["orders"]
    )


@pytest.mark.parametrize("drop", EACH)
def test_the_price_is_told_before(served: Served, drop: Drop) -> None:
    """``explain`` says what the comment says, and that nothing is missing."""
    (inbox,) = served.forecasts[drop.path]["inboxes"]

    assert drop.images == inbox["images"]
    assert [] == [order["fault"] for order in inbox["orders"] if order["fault"]]
    assert [] == [name for order in inbox["orders"] for name in order["waits_for"]]


@pytest.mark.parametrize("drop", EACH)
def test_results_come_back_as_described(served: Served, drop: Drop) -> None:
    """They have their names, their sizes and the kind of file that their sidecars say."""
    found = served.results(drop)

    assert sorted(drop.sizes) == sorted(
        size_of(path) if wanted else "" for path, wanted in zip(found, drop.sizes, strict=True)
    )
    for path, beside in zip(found, served.sidecars(drop), strict=True):
        result = beside["result"]
        assert (drop.operation, drop.media_type) == (beside["operation"], result["media_type"])
        assert (path.name, path.stat().st_size) == (result["name"], result["size_bytes"])
        assert size_of(path) == f"{result['width']}x{result['height']}"
        assert beside["source"]["path"] == drop.path.partition("/")[2]
        assert len(drop.beside) == len(beside["companions"])


@pytest.mark.parametrize("drop", EACH)
def test_the_requests_are_those_that_were_shown(served: Served, drop: Drop) -> None:
    """``explain`` showed the very bodies, but for seeds and upload ids, which nobody knew yet."""
    (inbox,) = served.forecasts[drop.path]["inboxes"]
    shown = {plain(request["body"]) for order in inbox["orders"] for request in order["requests"]}

    assert shown == {plain(beside["request"]) for beside in served.sidecars(drop)}


@pytest.mark.parametrize("drop", EACH)
def test_originals_go_where_the_rule_says(served: Served, drop: Drop) -> None:
    """A drop and the files that belong to it go together."""
    inbox, _, below = drop.path.partition("/")
    names = [Path(below), *(Path(below).with_name(name) for name in drop.beside)]

    for name in names:
        assert not (served.folder / "inbox" / inbox / name).exists()
        if drop.done is not None:
            assert (served.folder / "inbox" / inbox / drop.done / name).is_file()


def plain(body: Any) -> str:
    """Return a body without seeds and pictures, as text that can be compared."""

    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [without(item) for item in value]
        if isinstance(value, dict):
            kept = {key: without(item) for key, item in value.items() if key not in {"seeds", "source"}}
            return {key: item for key, item in kept.items() if item != {}}
        return value

    return json.dumps(without(body), sort_keys=True)


def size_of(path: Path) -> str:
    """Return the size that the bytes themselves have."""
    if path.suffix != ".mp4":
        with Image.open(path) as picture:
            picture.load()
            return f"{picture.width}x{picture.height}"
    av = pytest.importorskip("av")
    with av.open(str(path)) as clip:
        (stream,) = clip.streams.video
        assert sum(1 for _ in clip.decode(video=0)) > 1
        return f"{stream.width}x{stream.height}"
