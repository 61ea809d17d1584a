"""Wishes in a folder: whole, in order, answered once, whoever dies in between."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from dropglow.errors import LedgerError, LedgerUnavailable
from dropglow.ledger.mailbox import Answer, Mailbox, Verb, Wish

NOW: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
WISH: Final = Wish(key="a", verb=Verb.CANCEL, target="drop.1", asked_at=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the wishes are to be; nobody has made it yet."""
    return tmp_path / "wishes"


def test_a_wish_arrives_as_it_was_posted(folder: Path) -> None:
    """Every field reaches the service, also what is no text."""
    wish = Wish(key="k-1_B", verb=Verb.ATTACH, target="ä\udcff", argument="urn:ff:1", asked_at=NOW)

    Mailbox(folder).post(wish)

    assert (wish,) == Mailbox(folder).take()


def test_wishes_are_taken_oldest_first(folder: Path) -> None:
    """The order is that of asking, whatever the keys."""
    for key, minutes in (("a", 2), ("b", 1), ("c", 3)):
        Mailbox(folder).post(replace(WISH, key=key, asked_at=NOW + timedelta(minutes=minutes)))

    taken = Mailbox(folder).take()

    assert ["b", "a", "c"] == [wish.key for wish in taken]


def test_a_wish_is_taken_once(folder: Path) -> None:
    """The service that took a wish does not see it again, answered or not."""
    Mailbox(folder).post(WISH)
    service = Mailbox(folder)
    first, second = service.take(), service.take()

    service.answer(WISH, ok=True, text="done")

    assert ((WISH,), (), ()) == (first, second, service.take())


def test_what_a_dead_service_took_is_taken_again(folder: Path) -> None:
    """A wish that was taken and never answered waits for the next service, which knows that it is the second."""
    Mailbox(folder).post(WISH)
    Mailbox(folder).take()

    assert (replace(WISH, again=True),) == Mailbox(folder).take()


def test_an_answer_is_read_and_discarded(folder: Path) -> None:
    """Whoever asked finds the answer, once there is one, and removes it."""
    asker, service = Mailbox(folder), Mailbox(folder)
    asker.post(WISH)
    nothing = asker.read_answer("a")
    service.take()
    service.answer(WISH, ok=False, text="it is delivered already")
    answer = asker.read_answer("a")

    asker.discard("a")

    assert (None, Answer(ok=False, text="it is delivered already")) == (nothing, answer)
    assert [] == list(folder.iterdir())


def test_a_wish_can_be_withdrawn_until_it_is_taken(folder: Path) -> None:
    """Withdrawing says whether the service may still act on it."""
    asker = Mailbox(folder)
    asker.post(WISH)
    asker.post(replace(WISH, key="b"))

    early = asker.withdraw("b")
    Mailbox(folder).take()
    late = asker.withdraw("a")

    assert (True, False) == (early, late)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"verb": "explode", "target": "x", "asked_at": "2026-01-01T00:00:00+00:00"}',
        b'{"verb": "cancel", "target": "x", "asked_at": "2026-01-01T00:00:00"}',
        b'{"verb": "cancel", "target": "x", "asked_at": 5}',
        b'{"verb": "cancel", "asked_at": "2026-01-01T00:00:00+00:00"}',
        b'{"verb": "cancel", "target": "' + b"x" * 20_000 + b'", "asked_at": "2026-01-01T00:00:00+00:00"}',
    ],
)
def test_what_is_no_wish_is_set_aside(folder: Path, content: bytes) -> None:
    """One broken file does not keep the others waiting, and is kept for whoever wants to look."""
    Mailbox(folder).post(WISH)
    (folder / "broken.wish").write_bytes(content)

    taken = Mailbox(folder).take()

    assert (WISH,) == taken
    assert content == (folder / "broken.unreadable").read_bytes()


def test_a_folder_in_the_place_of_a_wish_is_set_aside(folder: Path) -> None:
    """What cannot be opened as a file is no wish."""
    (folder / "odd.wish").mkdir(parents=True)

    assert () == Mailbox(folder).take()
    assert (folder / "odd.unreadable").is_dir()


def test_other_files_are_left_alone(folder: Path) -> None:
    """Names that are none of ours, and half-written wishes, are not looked at."""
    folder.mkdir()
    names = {"a.wish.part", "notes.txt", ".hidden.wish", "a b.wish"}
    for name in names:
        (folder / name).write_text("x")

    assert () == Mailbox(folder).take()
    assert names == {path.name for path in folder.iterdir()}


def test_an_unreadable_answer_is_a_refusal(folder: Path) -> None:
    """An answer that makes no sense does not count as success."""
    folder.mkdir()
    (folder / "a.answer").write_text("{")

    assert Answer(ok=False, text="") == Mailbox(folder).read_answer("a")


def test_wishes_are_for_their_owner_only(folder: Path) -> None:
    """Neither the folder nor what lies in it is open to others."""
    Mailbox(folder).post(WISH)

    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert 0o600 == stat.S_IMODE((folder / "a.wish").stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_posts_belongs_to_the_service(tmp_path: Path) -> None:
    """A wish of root's, and the folder made for it, can be read by the owner of the state folder."""
    os.chown(tmp_path, 12345, 12346)

    Mailbox(tmp_path / "wishes").post(WISH)

    for path in (tmp_path / "wishes", tmp_path / "wishes" / "a.wish"):
        assert (12345, 12346) == (path.stat().st_uid, path.stat().st_gid)


@pytest.mark.parametrize("key", ["", "../a", "a/b", "a.b", "x" * 65])
def test_a_key_cannot_leave_the_folder(folder: Path, key: str) -> None:
    """A key is a plain word, since it becomes a file's name."""
    with pytest.raises(LedgerError):
        Mailbox(folder).post(replace(WISH, key=key))


def test_an_endless_wish_is_refused(folder: Path) -> None:
    """What no service would read is not posted."""
    with pytest.raises(LedgerError, match="too long"):
        Mailbox(folder).post(replace(WISH, target="x" * 20_000))


def test_a_long_answer_is_cut(folder: Path) -> None:
    """An answer is always short enough to be read again."""
    Mailbox(folder).answer(WISH, ok=True, text="ä" * 100_000)

    answer = Mailbox(folder).read_answer("a")

    assert answer is not None
    assert answer.text.startswith("ää")


def test_answers_that_nobody_read_are_forgotten(folder: Path) -> None:
    """What lies about since before a given time is removed; wishes are not."""
    service = Mailbox(folder)
    service.post(WISH)
    service.answer(replace(WISH, key="old"), ok=True, text="x")
    service.answer(replace(WISH, key="new"), ok=True, text="x")
    for name in ("old.answer", "a.wish"):
        os.utime(folder / name, (0, 0))

    service.forget_old(datetime(2000, 1, 1, tzinfo=UTC))

    assert {"a.wish", "new.answer"} == {path.name for path in folder.iterdir()}


def test_a_mailbox_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    """A file in the place of the folder is the operator's to mend."""
    (tmp_path / "wishes").write_text("x")
    mailbox = Mailbox(tmp_path / "wishes")

    for use in (mailbox.take, lambda: mailbox.post(WISH), lambda: mailbox.withdraw("a")):
        with pytest.raises(LedgerUnavailable):
            use()
    with pytest.raises(LedgerUnavailable):
        mailbox.read_answer("a")
