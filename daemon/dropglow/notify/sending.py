"""Send one message to one receiver, once, with its secret as it is now."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from dropglow.errors import NotTold, SecretError
from dropglow.notices import Kind, Message
from dropglow.notify.discretion import lines_of, parts_of_address, without
from dropglow.notify.posting import post
from dropglow.notify.settings import Apprise, Mail, Ntfy, Receiver, Webhook, address_fault
from dropglow.secrecy import Secret, whereabouts

Send = Callable[[Receiver, Message], Awaitable[None]]

VERSION: Final = 1
ATTEMPT_S: Final = 60.0
_PRIORITIES: Final = {
    Kind.ALARM: "4",
    Kind.TROUBLE: "4",
    Kind.FAILURE: "4",
    Kind.HOLD: "4",
    Kind.SUCCESS: "2",
}
_TAGS: Final = {
    Kind.ALARM: "rotating_light",
    Kind.TROUBLE: "rotating_light",
    Kind.FAILURE: "x",
    Kind.HOLD: "raised_hand",
    Kind.RECOVERY: "white_check_mark",
    Kind.SUCCESS: "frame_with_picture",
}
# What calls people in Slack, Mattermost and Discord. A space without width behind its first sign, and it is a text.
_CALLS: Final = re.compile(r"@(?=(?:everyone|here|channel|all)\b)|<(?=[!@])")
_NTFY_MOST_BYTES: Final = 3900  # ntfy makes a file of what is longer than 4,096


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Send messages in the name of one service."""

    environ: Mapping[str, str]
    host: str  # of the service, for who has several
    sandbox: bool = False
    _hanging: set[str] = field(default_factory=set, init=False, repr=False)  # whose threads are at it

    async def send(self, receiver: Receiver, message: Message) -> None:
        """Send *message* to *receiver*.

        Raises:
            NotTold: It did not arrive, as far as can be known. The words hold no secret.
        """
        try:
            secret = secret_of(receiver, self.environ)
        except SecretError as error:
            raise NotTold(error.message, hint=error.hint) from error
        held = None if secret is None else secret.reveal()
        try:
            await self._send(receiver, message, held)
        except NotTold as refusal:
            raise NotTold(without(lines_of(held), refusal.message), hint=refusal.hint) from None

    async def _send(self, receiver: Receiver, message: Message, held: str | None) -> None:
        title = self.title(message)
        match receiver.way:
            case Webhook(address=address):
                document = json.dumps(self._document(message, title), ensure_ascii=True).encode("ascii")
                headers = {"content-type": "application/json", **_bearer(address, held)}
                await _posted(_address(address, held), held, body=document, headers=headers)
            case Ntfy(address=address):
                headers = {**_ntfy_headers(message, title), **_bearer(address, held)}
                body = message.text.encode()[:_NTFY_MOST_BYTES].decode("utf-8", "ignore").encode()
                await _posted(_address(address, held), held, body=body, headers=headers)
            case Mail() as mail:
                from dropglow.notify.mail import send_mail

                await self._beside(
                    receiver, lambda: send_mail(mail, message, title=title, password=held or "")
                )
            case Apprise():
                from dropglow.notify.everywhere import send_everywhere

                await self._beside(receiver, lambda: send_everywhere(held or "", message, title=title))
            case _:
                assert_never(receiver.way)

    async def _beside(self, receiver: Receiver, send: Callable[[], None]) -> None:
        """Have *send* run in a thread, one for each receiver at most.

        A thread cannot be ended. A server that says a little for ever must not take another one with each attempt,
        until there are none left for the service.
        """
        if receiver.name in self._hanging:
            raise NotTold("the attempt before this one still hangs")

        def sent() -> None:
            self._hanging.add(receiver.name)
            try:
                send()
            finally:
                self._hanging.discard(receiver.name)

        await asyncio.to_thread(sent)

    def title(self, message: Message) -> str:
        """Return the title of *message* with the service's name before it."""
        sandbox = " (sandbox)" if self.sandbox else ""
        return f"Dropglow on {self.host}{sandbox}: {message.title}"

    def _document(self, message: Message, title: str) -> dict[str, Any]:
        """Return what a webhook gets. ``text`` is what Slack and Mattermost show, ``content`` what Discord shows."""
        text = _CALLS.sub("\\g<0>\u200b", f"{title}\n{message.text}")
        return {
            "version_of_document": VERSION,
            "host": self.host,
            "sandbox": self.sandbox,
            "kind": message.kind.value,
            "title": message.title,
            "lines": list(message.lines),
            "text": text,
            "content": text[:1900],
            "counts": {kind.value: count for kind, count in message.counts.items()},
            "events": [
                {
                    "event": notice.event,
                    "kind": notice.kind.value,
                    "at": notice.at.isoformat(timespec="seconds"),
                    "line": notice.line,
                    **notice.facts,
                }
                for notice in message.notices
            ],
        }


async def refusal(
    send: Send, receiver: Receiver, message: Message, *, patience_s: float = ATTEMPT_S
) -> NotTold | None:
    """Return why *message* did not arrive; None where it did. Takes *patience_s* seconds at most."""
    try:
        async with asyncio.timeout(patience_s):
            await send(receiver, message)
    except NotTold as refused:
        return refused
    except TimeoutError:
        return NotTold(f"no answer came within {patience_s:g} s")
    return None


def secret_of(receiver: Receiver, environ: Mapping[str, str]) -> Secret | None:
    """Return the secret of *receiver* as it is now; None where there is none and none is needed.

    Raises:
        SecretError: It is needed and missing, or it is there and cannot be used.
    """
    place = whereabouts(environ, credential=receiver.credential, variable=receiver.variable)
    if place.words:
        return Secret(place.read())
    if not receiver.needs_secret:
        return None
    raise SecretError(
        f"there is no secret for {receiver.name}",
        hint=f"give it as the systemd credential {receiver.credential}, in the file that {receiver.variable}_FILE names, or in {receiver.variable}",
    )


def _address(address: Secret | None, held: str | None) -> str:
    if address is not None:
        return address.reveal()
    assert held is not None, "a secret that is needed is there"
    if fault := address_fault(held):
        raise NotTold(f"the address in its secret {fault}")
    return held


async def _posted(address: str, held: str | None, *, body: bytes, headers: Mapping[str, str]) -> None:
    secrets = parts_of_address(address) | lines_of(held)
    await post(address, body=body, headers=headers, secrets=secrets)


def _bearer(address: Secret | None, held: str | None) -> dict[str, str]:
    """Return the header for a token; where the address itself is the secret, there is none."""
    if address is None or held is None:
        return {}
    if not held.isascii() or not held.isprintable():
        raise NotTold("its secret holds characters that no token has")
    return {"authorization": f"Bearer {held}"}


def _ntfy_headers(message: Message, title: str) -> dict[str, str]:
    headers = {"tags": _TAGS[message.kind], "content-type": "text/plain; charset=utf-8"}
    if message.kind in _PRIORITIES:
        headers["priority"] = _PRIORITIES[message.kind]
    # ntfy reads titles that are no ASCII as encoded words, as mail does.
    headers["title"] = title if title.isascii() else _encoded(title)
    return headers


def _encoded(title: str) -> str:
    from base64 import b64encode

    return f"=?UTF-8?B?{b64encode(title.encode('utf-8', 'replace')).decode('ascii')}?="
