"""``dropglow explain``: what it foresees, and that this is what happens."""

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
ignore: ["*.proof.jpg", drafts]
rules:
  - name: wide-only
    inbox: inbox/photos
    outbox: outbox/photos
    match: {orientation: portrait, min_size: 100}
    expand: {sizes: [800x600]}
  - name: sizes
    inbox: inbox/photos
    outbox: outbox/photos
    also: true
    expand: {sizes: [800x600, 900x700], seeds: [11, 12]}
  - name: square
    inbox: inbox/photos
    outbox: outbox/square
    done: delete
    expand: {sizes: [800x800]}
  - name: art
    inbox: inbox/prompts
    outbox: outbox/prompts
    generate: {size: 2048x2048, model: image4_ultra}
"""


class Site:
    """A configuration with two inboxes, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.photos = folder / "inbox" / "photos"
        self.prompts = folder / "inbox" / "prompts"
        for inbox in (self.photos, self.prompts):
            inbox.mkdir(parents=True)
        (folder / "dropglow.yaml").write_text(CONFIGURATION)

    def photo(self, folder: Path, name: str = "beach.jpg") -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((240, 160), 90).convert("RGB").save(path, "JPEG")
        return path

    def explain(self, file: Path | str, *options: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(self.folder), "explain", str(file), *options])

    def document(self, file: Path | str, *options: str) -> dict[str, Any]:
        result = self.explain(file, "--json", *options)
        assert 0 == result.exit_code, result.output
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    def only_inbox(self, file: Path | str, *options: str) -> dict[str, Any]:
        (inbox,) = self.document(file, *options)["inboxes"]
        assert isinstance(inbox, dict)
        return inbox


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_every_rule_of_the_inbox_says_its_reason(site: Site) -> None:
    """For a file in an inbox each rule tells why it takes it or not, in order."""
    inbox = site.only_inbox(site.photo(site.photos))

    assert [("wide-only", False), ("sizes", True), ("square", True)] == [
        (rule["rule"], rule["taken"]) for rule in inbox["rules"]
    ]
    assert "the picture is landscape (240x160)" in inbox["rules"][0]["reason"]


def test_the_exact_requests_are_shown(site: Site) -> None:
    """Address, headers and body are those that would be sent, with placeholders for what nobody knows yet."""
    inbox = site.only_inbox(site.photo(site.photos))

    first = inbox["orders"][0]["requests"][0]
    assert ("POST", "https://firefly-api.adobe.io/v3/images/expand-async") == (first["method"], first["url"])
    assert {"width": 800, "height": 600} == first["body"]["size"]
    assert [11, 12] == first["body"]["seeds"]
    assert {"uploadId": "<upload id of beach.jpg>"} == first["body"]["image"]["source"]


def test_the_model_travels_in_a_header(site: Site) -> None:
    """A rule with a model shows its header, beside ones that hold no secret."""
    inbox = site.only_inbox("boat.txt", "--inbox", "prompts")

    headers = inbox["orders"][0]["requests"][0]["headers"]
    assert "image4_ultra" == headers["x-model-version"]
    assert "Bearer <token>" == headers["authorization"]


def test_one_upload_serves_all_orders(site: Site) -> None:
    """Two rules and three orders of one picture upload it once."""
    inbox = site.only_inbox(site.photo(site.photos))

    assert [1, 0] == [len(order["uploads"]) for order in inbox["orders"]]
    assert [2, 1] == [len(order["requests"]) for order in inbox["orders"]]


def test_the_price_counts_pictures(site: Site) -> None:
    """Two sizes with two seeds, and one more: five images."""
    assert 5 == site.only_inbox(site.photo(site.photos))["images"]


def test_results_are_named_as_far_as_known(site: Site) -> None:
    """Seeds of the rule stand in the names; others, and the extension, are told by their tokens."""
    inbox = site.only_inbox(site.photo(site.photos, "sea/beach.jpg"))

    known, unknown = (order["requests"][0]["results"][0] for order in inbox["orders"])
    assert f"{site.folder}/outbox/photos/sea/beach_800x600_11{{ext}}" == known
    assert f"{site.folder}/outbox/square/sea/beach_800x800_{{seed}}{{ext}}" == unknown


def test_the_job_id_of_adobe_is_told_by_its_token(site: Site) -> None:
    """What Adobe will say stands in braces, as the seed does."""
    text = CONFIGURATION.replace("done: delete", 'delivery: {name: "{stem}_{job_id}{ext}"}')
    (site.folder / "dropglow.yaml").write_text(text)

    inbox = site.only_inbox(site.photo(site.photos))

    assert (
        f"{site.folder}/outbox/square/beach_{{job_id}}{{ext}}"
        == inbox["orders"][1]["requests"][0]["results"][0]
    )


def test_it_says_where_the_original_goes(site: Site) -> None:
    """The last folders are told; of several rules the first decides them."""
    inbox = site.only_inbox(site.photo(site.photos))

    assert [f"{site.photos}/_done/beach.jpg"] * 2 == [order["done"] for order in inbox["orders"]]
    assert [f"{site.photos}/_failed/beach.jpg"] * 2 == [order["failed"] for order in inbox["orders"]]


def test_an_original_that_is_deleted_goes_nowhere(site: Site) -> None:
    """With ``done: delete`` the folder is null."""
    text = CONFIGURATION.replace("expand: {sizes: [800x600, ", "done: delete\n    expand: {sizes: [800x600, ")
    (site.folder / "dropglow.yaml").write_text(text)

    inbox = site.only_inbox(site.photo(site.photos))

    assert [None, None] == [order["done"] for order in inbox["orders"]]


def test_a_later_rule_is_told_that_it_does_not_decide(site: Site) -> None:
    """A rule that asks for another last folder is named beside the one that has its way."""
    result = site.explain(site.photo(site.photos))

    words = "sizes comes first and decides where the original goes; square asks for another done, which has no effect"
    assert words in result.stdout


def test_a_file_elsewhere_is_tried_in_every_inbox(site: Site) -> None:
    """A file that is not dropped yet is explained for each inbox."""
    document = site.document(site.photo(site.folder / "elsewhere"))

    assert [(str(site.photos), 5), (str(site.prompts), 0)] == [
        (inbox["inbox"], inbox["images"]) for inbox in document["inboxes"]
    ]
    assert not any(inbox["dropped"] for inbox in document["inboxes"])


def test_a_name_alone_is_enough(site: Site) -> None:
    """Of a file that does not exist everything is told that follows from its name, and what does not."""
    document = site.document("summer/beach.jpg", "--inbox", str(site.photos))

    (inbox,) = document["inboxes"]
    assert not document["exists"]
    assert "summer/beach.jpg" == inbox["path"]
    assert inbox["rules"][0]["taken"]
    assert ["has 100 bytes or more", "lies portrait"] == inbox["rules"][0]["if"]


def test_an_open_question_is_no_answer(site: Site) -> None:
    """Of a name alone a rule says `if`, and the ones after it do not take it to be decided."""
    result = site.explain("beach.jpg", "--inbox", str(site.photos))

    assert (
        "if   wide-only: it takes pictures; provided that it has 100 bytes or more, lies portrait"
        in result.stdout
    )
    assert "if   sizes: it takes pictures, if wide-only does not take it" in result.stdout
    assert "comes first" not in result.stdout
    assert "Price: 1 image, if wide-only takes it" in result.stdout


def test_an_open_question_is_told_to_programs(site: Site) -> None:
    """With --json a rule lists what its answer depends on."""
    inbox = site.only_inbox("beach.jpg", "--inbox", str(site.photos))

    assert [
        (True, ["has 100 bytes or more", "lies portrait"], []),
        (False, [], ["wide-only"]),
        (False, [], ["wide-only"]),
    ] == [(rule["taken"], rule["if"], rule["unless"]) for rule in inbox["rules"]]


def test_a_file_without_bytes_lies_in_no_way(site: Site) -> None:
    """Nothing is claimed of a faulty file but what could be seen."""
    path = site.photos / "empty.jpg"
    path.write_bytes(b"")
    (site.folder / "dropglow.yaml").write_text(CONFIGURATION.replace(", min_size: 100", ""))

    result = site.explain(path)

    assert "wide-only: it takes pictures; its orientation is unknown, which excludes nothing" in result.stdout
    assert "portrait" not in result.stdout


def test_a_path_below_an_inbox_is_found(site: Site) -> None:
    """A relative path that leads nowhere from here is looked for in the inboxes."""
    site.photo(site.photos, "a/b.jpg")

    assert site.only_inbox("a/b.jpg")["dropped"]


def test_a_faulty_file_costs_nothing(site: Site) -> None:
    """A picture that is cut off is taken, ordered nowhere, and its fault is told."""
    path = site.photo(site.photos)
    path.write_bytes(path.read_bytes()[:4000])

    inbox = site.only_inbox(path)
    assert 0 == inbox["images"]
    assert "cut off" in inbox["orders"][0]["fault"]
    assert site.document(path)["unfinished"]
    assert (
        "Not ready: somebody may be writing it still. It is given up 10 minutes after"
        in site.explain(path).output
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".beach.jpg", "hidden"),
        ("beach.jpg.part", "temporary"),
        ("@eaDir/beach.jpg", "housekeeping"),
        ("_done/beach.jpg", "_done"),
        (".dropglow/work/beach.jpg", "dropglow jobs"),
        ("beach.proof.jpg", "`ignore` in the configuration names it"),
        ("Drafts/beach.jpg", "names the folder Drafts"),
    ],
)
def test_an_ignored_file_says_why(site: Site, name: str, reason: str) -> None:
    """A file in an inbox that is never taken names the reason."""
    inbox = site.only_inbox(site.photo(site.photos, name))

    assert reason in inbox["ignored"]
    assert [] == inbox["orders"]


def test_a_link_in_an_inbox_is_not_followed(site: Site) -> None:
    """A link, and a file behind a linked folder, are ignored for being that."""
    elsewhere = site.photo(site.folder / "elsewhere").parent
    (site.photos / "link.jpg").symlink_to(elsewhere / "beach.jpg")
    (site.photos / "folder").symlink_to(elsewhere)

    for name in ("link.jpg", "folder/beach.jpg"):
        assert "link" in site.only_inbox(site.photos / name)["ignored"]


def test_a_person_reads_the_same(site: Site) -> None:
    """The text names rule, price, results and requests."""
    result = site.explain(site.photo(site.photos))

    assert 0 == result.exit_code
    for words in ("yes  sizes", "no   wide-only", "Price: 5 images", "_done/beach.jpg", "POST https://"):
        assert words in result.stdout


def test_a_name_with_control_characters_is_shown_escaped(site: Site) -> None:
    """A hostile name cannot move the cursor."""
    result = site.explain(site.photo(site.photos, "a\x1b[31mb.jpg"))

    assert "\x1b" not in result.stdout
    assert "a\\x1b[31mb.jpg" in result.stdout


def test_a_size_that_is_not_sent_is_told_to_be_adobes(site: Site) -> None:
    """A size in the results' names that no request asks for has its reason."""
    (site.folder / "dropglow.yaml").write_text(CONFIGURATION.replace("{sizes: [800x800]}", "{}"))
    photo = site.photo(site.photos)

    assert "no size is sent; Adobe's default is 2048x2048" in site.explain(photo).stdout
    assert [None, "2048x2048"] == [
        order["requests"][0]["default_size"] for order in site.only_inbox(photo)["orders"]
    ]


def test_a_mask_brings_its_own_size(site: Site) -> None:
    """Where nobody knows a size beforehand, none is told."""
    Image.new("L", (240, 160)).save(site.folder / "mask.png")
    (site.folder / "dropglow.yaml").write_text(
        CONFIGURATION.replace("{sizes: [800x800]}", "{mask: mask.png}")
    )

    inbox = site.only_inbox(site.photo(site.photos))

    assert inbox["orders"][1]["requests"][0]["default_size"] is None


def test_a_folder_is_refused_in_words(site: Site) -> None:
    """A folder in place of a file is said, without a traceback."""
    result = site.explain(site.photos)

    assert 1 == result.exit_code
    assert "is a folder" in result.stderr


def test_an_unknown_inbox_is_wrong_usage(site: Site) -> None:
    """--inbox names the ones there are."""
    result = site.explain("beach.jpg", "--inbox", "nowhere")

    assert 2 == result.exit_code
    assert str(site.photos) in result.stderr
