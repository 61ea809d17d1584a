"""``dropglow explain FOLDER``: what would become of each file, what it costs, and why it is not taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from dropglow.cli.main import main

CONFIGURATION = """
state: ./state
ignore: [drafts]
rules:
  - name: shoots
    inbox: inbox
    outbox: outbox
    drop: folder
    match: {kind: image}
    expand: {sizes: [800x600, 900x700]}
  - name: words
    inbox: inbox
    outbox: outbox
    drop: folder
    duplicates: buy
    generate: {size: 2048x2048, seeds: [5]}
  - name: masked
    inbox: masked
    outbox: outbox
    drop: folder
    patience: 5m
    expand: {mask: {sidecar: "{stem}.mask.png"}, size: 800x600}
  - name: single
    inbox: singles
    outbox: outbox
    similar: {}
"""


class Site:
    """A configuration whose rules take folders, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inbox = folder / "inbox"
        for name in ("inbox", "masked", "singles"):
            (folder / name).mkdir(parents=True)
        (folder / "dropglow.yaml").write_text(CONFIGURATION)

    def photo(self, path: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (240, 160), (90, 120, 200)).save(file)
        return file

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def explain(self, file: Path | str, *options: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(self.folder), "explain", str(file), *options])

    def told(self, path: str) -> str:
        result = self.explain(self.folder / path)
        assert 0 == result.exit_code
        return result.stdout


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_folder_is_told_file_by_file_with_its_price(site: Site) -> None:
    """Nothing is bought, and nothing moves."""
    site.photo("inbox/shoot/raw/beach.jpg")
    site.write("inbox/shoot/notes.pdf", "no picture")
    site.write("inbox/shoot/fox.txt", "a fox")

    told = site.told("inbox/shoot")

    assert f"It lies in the inbox {site.inbox}, it is one drop:" in told
    assert "raw/beach.jpg: 2 orders by shoots, 2 images" in told
    assert f"{site.folder}/outbox/shoot/raw/beach_800x600_{{seed}}{{ext}}" in told
    assert f"{site.folder}/outbox/shoot/fox_2048x2048_5{{ext}}" in told
    assert "notes.pdf is left as it is: shoots: it takes pictures" in told
    assert "Price: 3 images, by 3 orders" in told
    assert "What shoots bought before for the same files is not bought again." in told
    assert f"The folder goes to {site.inbox}/_done/shoot, with a report beside it," in told
    assert (site.inbox / "shoot" / "fox.txt").exists()


def test_a_folder_is_told_as_a_document(site: Site) -> None:
    """For programs: the same, file by file."""
    site.photo("inbox/shoot/beach.jpg")
    site.write("inbox/shoot/bad.jpg", "nonsense")

    document: Any = json.loads(site.explain(site.inbox / "shoot", "--json").stdout)

    (inbox,) = document["inboxes"]
    bad, beach = inbox["files"]
    assert (2, 2, True, None) == (inbox["orders"], inbox["images"], inbox["dropped"], inbox["not_taken"])
    assert ("shoot/bad.jpg", 0) == (bad["path"], bad["orders"])
    assert "holds no picture" in bad["fault"]
    assert (["shoots"], 2) == (beach["rules"], len(beach["results"]))


def test_a_folder_elsewhere_is_told_for_every_inbox_that_takes_folders(site: Site) -> None:
    """As if it were dropped there; other inboxes are not concerned."""
    site.photo("elsewhere/beach.jpg")

    told = site.told("elsewhere")

    assert f"If it is dropped into the inbox {site.inbox}" in told
    assert f"If it is dropped into the inbox {site.folder}/masked" in told
    assert "singles" not in told


def test_what_a_folder_waits_for_is_told(site: Site) -> None:
    """With the longest that it waits, and where it goes after that."""
    site.photo("masked/shoot/beach.jpg")

    told = site.told("masked/shoot")

    assert "beach.jpg cannot be used: beach.mask.png is not in the folder" in told
    assert "It waits for shoot/beach.mask.png, at most 5 minutes; then the rest of it is ordered." in told
    assert "Because of what cannot be used, the folder goes to" in told


@pytest.mark.parametrize(
    ("files", "folder", "words"),
    [
        (
            ["inbox/shoot/beach.jpg", "inbox/shoot/x.part"],
            "inbox/shoot",
            "by its name, x.part in it is still",
        ),
        (["inbox/shoot/.hidden"], "inbox/shoot", "it holds no file that could be of use"),
        (["inbox/drafts/beach.jpg"], "inbox/drafts", "`ignore` in the configuration names it"),
        (["inbox/_done/beach.jpg"], "inbox/_done", "where files go afterwards"),
        (["inbox/@eaDir/beach.jpg"], "inbox/@eaDir", "hidden or for housekeeping"),
        ([f"inbox/{'n' * 241}/x.txt"], f"inbox/{'n' * 241}", "its name is longer than"),
    ],
)
def test_why_a_folder_is_not_taken(site: Site, files: list[str], folder: str, words: str) -> None:
    """Each reason in its words."""
    for file in files:
        site.write(file, "x")

    assert words in site.told(folder).replace("\n", " ")


def test_a_folder_that_no_rule_wants_anything_of_stays(site: Site) -> None:
    """It costs nothing."""
    site.write("inbox/papers/bill.pdf", "no picture")

    assert "No rule takes anything of it: it stays where it is" in site.told("inbox/papers")


def test_a_folder_that_asks_for_too_much_is_told(site: Site) -> None:
    """Nothing of it would be ordered."""
    text = (site.folder / "dropglow.yaml").read_text().replace("duplicates: buy", "split: lines")
    (site.folder / "dropglow.yaml").write_text(text)
    site.write("inbox/texts/many.txt", "\n".join(f"fox {number}" for number in range(2600)))
    site.write("inbox/texts/more.txt", "\n".join(f"owl {number}" for number in range(2600)))

    told = site.told("inbox/texts")

    assert "Nothing is ordered: this folder asks for more than 5,000 jobs" in told
    assert f"The folder goes to {site.inbox}/_failed/texts, with the reason beside it." in told


def test_a_file_in_a_folder_says_that_it_goes_with_that(site: Site) -> None:
    """Its own requests are told as ever."""
    file = site.photo("inbox/shoot/beach.jpg")

    told = site.told(str(file.relative_to(site.folder)))

    assert "It goes with its folder shoot, which is one drop" in told
    assert "2 orders by shoots" in told


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("inbox/shoot/raw", "raw lies in the folder shoot, which is one drop"),
        ("inbox/_done/shoot", "where files go afterwards"),
        ("inbox", "is a folder"),
        ("singles/shoot", "is a folder"),
    ],
)
def test_other_folders_are_refused_with_the_reason(site: Site, path: str, words: str) -> None:
    """Part of a drop, an inbox itself, and what is taken file by file."""
    site.photo(f"{path}/beach.jpg")

    result = site.explain(site.folder / path)

    assert result.exit_code
    assert words in result.stderr.replace("\n", " ")
