"""One attempt over each way: what arrives, and what is said where nothing does. No secret is ever in the words."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from dropglow.errors import NotTold
from dropglow.notices import Kind, Message, Notice
from dropglow.notify.sending import Sender
from dropglow.notify.settings import Apprise, Mail, Ntfy, Receiver, Tls, Webhook
from dropglow.secrecy import Secret
from tests.integration.notify.conftest import PostOffice, opened, talking_for_ever

if TYPE_CHECKING:
    from tests.integration.notify.conftest import Hook

CANARY: Final = "canary-client-secret"
NOON: Final = datetime(2026, 11, 2, 12, tzinfo=UTC)
NOTICE: Final = Notice(
    kind=Kind.FAILURE, event="drop.failed", line="é.jpg failed: cut off", rule="r", at=NOON,
    facts={"source": "é.jpg", "rule": "r", "reason": "cut off"},
)  # fmt: skip
MESSAGE: Final = Message(
    kind=Kind.FAILURE, title="é.jpg failed", lines=("é.jpg failed: cut off", "    mend it"),
    counts={Kind.FAILURE: 1}, notices=(NOTICE,),
)  # fmt: skip


def sender(**environ: str) -> Sender:
    return Sender(environ=environ, host="nas")


async def refusal(receiver: Receiver, **environ: str) -> NotTold:
    with pytest.raises(NotTold) as caught:
        await sender(**environ).send(receiver, MESSAGE)
    assert "canary" not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


def webhook(address: str | None) -> Receiver:
    return Receiver(name="hub", way=Webhook(address=None if address is None else Secret(address)))


def mail(
    port: int, *, tls: Tls = Tls.OFF, user: str = "", to: tuple[str, ...] = ("a@example.com",)
) -> Receiver:
    way = Mail(server="localhost", port=port, tls=tls, user=user, sender="dropglow@example.com", to=to)
    return Receiver(name="ops", way=way)


# ---------------------------------------------------------------- webhook


async def test_a_webhook_gets_one_document(hook: Hook) -> None:
    """Everything for programs, and texts that chat programs show as they are."""
    await sender().send(webhook(f"{hook.url}/a"), MESSAGE)

    (call,) = hook.calls
    assert ("/a", "application/json") == (call.path, call.headers["content-type"])
    assert "authorization" not in call.headers
    assert {
        "version_of_document": 1,
        "host": "nas",
        "sandbox": False,
        "kind": "failed",
        "title": "é.jpg failed",
        "lines": ["é.jpg failed: cut off", "    mend it"],
        "text": "Dropglow on nas: é.jpg failed\né.jpg failed: cut off\n    mend it",
        "content": "Dropglow on nas: é.jpg failed\né.jpg failed: cut off\n    mend it",
        "counts": {"failed": 1},
        "events": [
            {
                "event": "drop.failed",
                "kind": "failed",
                "at": "2026-11-02T12:00:00+00:00",
                "line": "é.jpg failed: cut off",
                "source": "é.jpg",
                "rule": "r",
                "reason": "cut off",
            }
        ],
    } == call.document


@pytest.mark.parametrize("name", ["@everyone", "@here", "@channel", "@all", "<!channel>", "<@U123>", "<@&9>"])
async def test_a_file_s_name_rings_nobody_s_phone(hook: Hook, name: str) -> None:
    """In a chat it would call everybody; whoever may drop a file may not do that. Programs get the name as it is."""
    message = Message(kind=Kind.FAILURE, title=f"{name}.txt failed", lines=(f"{name}.txt failed",), counts={})

    await sender().send(webhook(hook.url), message)

    document = hook.calls[0].document
    assert name not in document["text"] + document["content"]
    assert name in document["text"].replace("\u200b", "")
    assert f"{name}.txt failed" == document["title"]


async def test_a_secret_beside_an_address_is_a_token(hook: Hook, tmp_path: Path) -> None:
    """It is read anew for each message: a rotated one needs no restart."""
    file = tmp_path / "token"
    for token in ("first", "second"):
        file.write_text(f"{token}\n")
        await sender(DROPGLOW_NOTIFY_HUB_FILE=str(file)).send(webhook(hook.url), MESSAGE)

    assert ["Bearer first", "Bearer second"] == [call.headers["authorization"] for call in hook.calls]


async def test_the_address_itself_may_be_the_secret(hook: Hook, tmp_path: Path) -> None:
    """From systemd, too; then there is no token."""
    (tmp_path / "notify_hub").write_text(f"{hook.url}/services/T0/x\n")

    await sender(CREDENTIALS_DIRECTORY=str(tmp_path)).send(webhook(None), MESSAGE)

    (call,) = hook.calls
    assert "/services/T0/x" == call.path
    assert "authorization" not in call.headers


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "there is no secret for hub"),
        ({"DROPGLOW_NOTIFY_HUB": " \n"}, "DROPGLOW_NOTIFY_HUB is empty"),
        ({"DROPGLOW_NOTIFY_HUB_FILE": "/nowhere/x"}, "cannot read /nowhere/x: No such file or directory"),
        (
            {"DROPGLOW_NOTIFY_HUB": f"http://example.com/{CANARY}"},
            "the address in its secret should begin with https://",
        ),
        ({"DROPGLOW_NOTIFY_HUB": f"{CANARY}"}, "the address in its secret should be an address like"),
    ],
)
async def test_a_secret_that_cannot_be_used_is_said(environ: dict[str, str], words: str) -> None:
    """In words that do not repeat it; where it is missing, with the places for it."""
    told = await refusal(webhook(None), **environ)

    assert words in told.message
    assert bool(environ) or "notify_hub" in told.hint


async def test_a_token_that_is_none_is_refused(hook: Hook) -> None:
    """What cannot stand in a header is not sent."""
    assert (
        "no token has"
        in (await refusal(webhook(hook.url), DROPGLOW_NOTIFY_HUB="canary-client-secret\nx: y")).message
    )
    assert [] == hook.calls


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [
        (401, "it answered with HTTP 401", "is its secret right?"),
        (404, "it answered with HTTP 404", "is its address right?"),
        (302, "it answered with HTTP 302", "is its address right?"),
        (500, "it answered with HTTP 500", ""),
    ],
)
async def test_what_does_not_take_it_is_quoted(hook: Hook, status: int, words: str, hint: str) -> None:
    """No redirect is followed: a token would travel along."""
    hook.status, hook.more = status, f"location: {hook.url}/elsewhere\r\n"

    told = await refusal(webhook(hook.url))

    assert (words, hint) == (told.message, told.hint)
    assert 1 == len(hook.calls)


async def test_a_refusal_in_words_is_passed_on_without_the_secret(hook: Hook) -> None:
    """Some servers repeat what they were sent."""
    hook.status, hook.more = 400, "content-type: text/plain\r\n"
    hook.said = f"no such channel:\n{hook.url}/{CANARY}".encode() + b"x" * 100_000

    told = await refusal(webhook(None), DROPGLOW_NOTIFY_HUB=f"{hook.url}/{CANARY}")

    assert told.message.startswith("it answered with HTTP 400: no such channel: …xxx")
    assert 400 > len(told.message)


@pytest.mark.parametrize(
    "said",
    ["Cannot POST {path}?key={canary}", "no hook {canary}-hook here", "{blanks}{url}{path}"],
    ids=["its path and query", "a part of its path", "cut off within it"],
)
@pytest.mark.parametrize("where", ["secret", "configuration"])
async def test_no_part_of_a_secret_address_is_passed_on(hook: Hook, said: str, where: str) -> None:
    """Servers name the path that they do not know; in an address for posting, that is the secret."""
    path = f"/services/{CANARY}-hook"
    address = f"{hook.url}{path}?key={CANARY}"
    hook.status, hook.more = 404, "content-type: text/plain\r\n"
    blanks = " " * (2000 - len(f"{hook.url}/services/canary"))
    hook.said = said.format(path=path, canary=CANARY, url=hook.url, blanks=blanks).encode()

    told = await refusal(
        webhook(None if where == "secret" else address),
        **({"DROPGLOW_NOTIFY_HUB": address} if where == "secret" else {}),
    )

    assert told.message.startswith("it answered with HTTP 404")


async def test_what_cannot_be_reached_is_said() -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert "it cannot be reached: " in (await refusal(webhook(f"http://127.0.0.1:{port}/{CANARY}"))).message


async def test_a_certificate_of_nobody_is_refused(
    keys: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot prove its name gets neither message nor token."""
    monkeypatch.delenv("SSL_CERT_FILE")
    async with opened(PostOffice(), keys) as office:
        told = await refusal(webhook(f"https://localhost:{office.port}/"), DROPGLOW_NOTIFY_HUB="token")

    assert "CERTIFICATE_VERIFY_FAILED" in told.message
    assert [] == office.commands


# ---------------------------------------------------------------- ntfy


async def test_ntfy_gets_a_title_a_text_and_a_priority(hook: Hook) -> None:
    """Titles that are no ASCII are encoded as ntfy reads them."""
    receiver = Receiver(name="phone", way=Ntfy(address=Secret(f"{hook.url}/my-topic")))

    await sender(DROPGLOW_NOTIFY_PHONE="tk_1").send(receiver, MESSAGE)
    await sender().send(receiver, Message(kind=Kind.RECOVERY, title="well", lines=("x" * 9000,), counts={}))

    first, second = hook.calls
    assert ("/my-topic", "Bearer tk_1", "4") == (
        first.path,
        first.headers["authorization"],
        first.headers["priority"],
    )
    assert "é.jpg failed: cut off\n    mend it" == first.body.decode()
    assert "=?UTF-8?B?RHJvcGdsb3cgb24gbmFzOiDDqS5qcGcgZmFpbGVk?=" == first.headers["title"]
    assert "Dropglow on nas: well" == second.headers["title"]
    assert "priority" not in second.headers
    assert 4000 > len(second.body), "ntfy would make an attachment of it"


# ---------------------------------------------------------------- mail


async def test_a_mail_is_a_mail(keys: ssl.SSLContext) -> None:
    """After STARTTLS and a login, to everybody in one transaction, marked as written by no person."""
    async with opened(PostOffice(starttls=keys, login=("me", CANARY))) as office:
        receiver = mail(office.port, tls=Tls.STARTTLS, user="me", to=("a@example.com", "b@example.com"))
        await sender(DROPGLOW_NOTIFY_OPS=CANARY).send(receiver, MESSAGE)

    (letter,) = office.letters
    assert ["a@example.com", "b@example.com"] == office.to
    assert "Dropglow on nas: é.jpg failed" == letter["subject"]
    assert "auto-generated" == letter["auto-submitted"]
    assert "é.jpg failed: cut off\n    mend it\n" == letter.get_content().replace("\r\n", "\n")
    assert office.commands.index("STARTTLS") < office.commands.index("AUTH")


async def test_mail_may_be_private_from_the_first_byte(keys: ssl.SSLContext) -> None:
    """`tls: implicit`."""
    async with opened(PostOffice(), keys) as office:
        await sender().send(mail(office.port, tls=Tls.IMPLICIT), MESSAGE)

    assert 1 == len(office.letters)


async def test_within_ones_own_network_mail_may_be_plain() -> None:
    """`tls: off`, for a server on this machine that passes mail on."""
    async with opened(PostOffice()) as office:
        await sender().send(mail(office.port), MESSAGE)

    assert 1 == len(office.letters)


async def test_without_starttls_nothing_is_sent() -> None:
    """A server that offers none gets neither password nor mail."""
    async with opened(PostOffice(login=("me", CANARY))) as office:
        told = await refusal(mail(office.port, tls=Tls.STARTTLS, user="me"), DROPGLOW_NOTIFY_OPS=CANARY)

    assert "STARTTLS" in told.message
    assert "implicit" in told.hint
    assert not {"AUTH", "MAIL"} & set(office.commands)


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
async def test_a_mail_server_has_to_prove_its_name(
    keys: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, tls: Tls
) -> None:
    """A certificate that nobody vouches for ends it before the password."""
    monkeypatch.delenv("SSL_CERT_FILE")
    office = PostOffice(starttls=keys if tls is Tls.STARTTLS else None, login=("me", CANARY))
    async with opened(office, keys if tls is Tls.IMPLICIT else None):
        told = await refusal(mail(office.port, tls=tls, user="me"), DROPGLOW_NOTIFY_OPS=CANARY)

    assert "CERTIFICATE_VERIFY_FAILED" in told.message
    assert "AUTH" not in office.commands


async def test_a_wrong_password_is_said(keys: ssl.SSLContext) -> None:
    """With what to look at."""
    async with opened(PostOffice(starttls=keys, login=("me", "another"))) as office:
        told = await refusal(mail(office.port, tls=Tls.STARTTLS, user="me"), DROPGLOW_NOTIFY_OPS=CANARY)

    assert "the mail server localhost refused: 535 who are you" == told.message
    assert "are its user and its secret right?" == told.hint


async def test_an_address_that_is_refused_is_named() -> None:
    """One of two, or all of them."""
    async with opened(PostOffice(refused=frozenset({"b@example.com"}))) as office:
        one = await refusal(mail(office.port, to=("a@example.com", "b@example.com")))
        every = await refusal(mail(office.port, to=("b@example.com",)))

    assert "the mail server localhost takes no mail for b@example.com" == one.message
    assert "it takes no mail for b@example.com" in every.message


async def test_a_mail_server_that_repeats_what_it_was_sent_is_quoted_without_it(keys: ssl.SSLContext) -> None:
    """A password travels in another spelling."""
    async with opened(PostOffice(starttls=keys, login=("me", "another"), repeats=True)) as office:
        told = await refusal(mail(office.port, tls=Tls.STARTTLS, user="me"), DROPGLOW_NOTIFY_OPS=CANARY)

    assert "535 who said AUTH PLAIN …" in told.message


async def test_a_mail_server_that_never_ends_costs_one_thread() -> None:
    """Each attempt would leave one behind, until the service had none left for its own work."""
    told = sender()
    async with talking_for_ever() as tarpit:
        receiver = mail(tarpit.port)
        first = asyncio.create_task(told.send(receiver, MESSAGE))
        await tarpit.called.wait()
        first.cancel()
        with pytest.raises(NotTold) as caught:
            await told.send(receiver, MESSAGE)

    assert "the attempt before this one still hangs" == caught.value.message
    assert 1 == len(tarpit.calls)


async def test_a_busy_mail_server_is_quoted() -> None:
    """What it said, and no traceback."""
    async with opened(PostOffice(busy=True)) as office:
        told = await refusal(mail(office.port))

    assert "the mail server localhost refused: 421 too busy" == told.message


async def test_a_mail_server_that_is_away_is_said() -> None:
    """Nobody listens there."""
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]

    assert "the mail server localhost cannot be reached" in (await refusal(mail(port))).message


# ---------------------------------------------------------------- apprise


class StandIn(types.ModuleType):
    """A package `apprise` with the little of it that is called; the real one is an extra."""

    def __init__(self, *, unknown: str = "", reaches: bool = True) -> None:
        super().__init__("apprise")
        self.told: list[dict[str, str]] = []
        self.added: list[str] = []
        self._unknown = unknown
        self._reaches = reaches

    def Apprise(self) -> StandIn:  # noqa: N802 - as the package has it
        return self

    def add(self, address: str) -> bool:
        self.added.append(address)
        return address != self._unknown

    def notify(self, **said: str) -> bool:
        self.told.append(said)
        return self._reaches


HOME: Final = Receiver(name="home", way=Apprise())
ADDRESSES: Final = f"# the family\nslack://{CANARY}\n\nmailto://{CANARY}2\n"


async def test_apprise_gets_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """One a line; what is written for people is left out."""
    apprise = StandIn()
    monkeypatch.setitem(sys.modules, "apprise", apprise)

    await sender(DROPGLOW_NOTIFY_HOME=ADDRESSES).send(HOME, MESSAGE)

    assert [f"slack://{CANARY}", f"mailto://{CANARY}2"] == apprise.added
    assert [
        {
            "title": "Dropglow on nas: é.jpg failed",
            "body": "é.jpg failed: cut off\n    mend it",
            "notify_type": "failure",
        }
    ] == apprise.told


@pytest.mark.parametrize(
    ("apprise", "words"),
    [
        (
            StandIn(unknown=f"mailto://{CANARY}2"),
            "apprise does not know what address 2 of 2 in its secret is",
        ),
        (StandIn(reaches=False), "apprise could not reach everybody"),
        (None, "apprise is not installed here"),
    ],
)
async def test_what_apprise_cannot_do_is_said(
    monkeypatch: pytest.MonkeyPatch, apprise: StandIn | None, words: str
) -> None:
    """Without an address in the words, and where it is not installed at all."""
    monkeypatch.setitem(sys.modules, "apprise", apprise)

    assert words in (await refusal(HOME, DROPGLOW_NOTIFY_HOME=ADDRESSES)).message


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # its own
async def test_the_real_apprise_reaches_a_server(hook: Hook) -> None:
    """Where the extra is installed, it works as we call it."""
    pytest.importorskip("apprise", reason="the extra `notify` is not installed")

    await sender(DROPGLOW_NOTIFY_HOME=hook.url.replace("http://", "json://")).send(HOME, MESSAGE)

    (call,) = hook.calls
    assert "Dropglow on nas: é.jpg failed" == call.document["title"]


def test_a_sandbox_is_named() -> None:
    """Nobody takes a rehearsal for the play."""
    told = Sender(environ={}, host="nas", sandbox=True).title(MESSAGE)

    assert "Dropglow on nas (sandbox): é.jpg failed" == told
