"""Read the block ``notify`` of a configuration, and say what is wrong with it. Reads no secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from dropglow.notices import Bounds, Topic
from dropglow.notify.settings import (
    PORTS,
    Apprise,
    Mail,
    NotifySettings,
    Ntfy,
    Receiver,
    Tls,
    Way,
    Webhook,
    address_fault,
    is_here,
    is_near,
)
from dropglow.rules.problem import Problem
from dropglow.rules.receivers import SECRET, MailShape, NotifyShape, ReceiverShape
from dropglow.secrecy import Secret

WAYS: Final = ("webhook", "ntfy", "mail", "apprise")
WITHOUT_APPRISE: Final = "apprise is not installed here: install Dropglow with its extra `notify`, or apprise beside it (pipx inject dropglow apprise)"

Place = tuple[str | int, ...]


def settings_of(
    shape: NotifyShape, *, apprise: bool, told: Iterable[Place] = ()
) -> tuple[NotifySettings, tuple[Problem, ...]]:
    """Return who is told, and every fault; receivers at fault are left out.

    Args:
        shape: The block as it was read.
        apprise: Whether it is installed.
        told: Places that could not be read, which has been told: nothing is missing there.
    """
    unread = {other[:3] for other in told}
    problems: list[Problem] = []
    receivers: dict[str, Receiver] = {}
    for number, each in enumerate(shape.receivers):
        place: Place = ("notify", "receivers", number)
        whole = place not in unread
        found = [*(_missing(each, place) if whole else ()), *_faults(each, place, apprise=apprise)]
        if each.name is not None and each.name in receivers:
            found.append(
                Problem(path=(*place, "name"), message=f"there is another receiver named {each.name}")
            )
        problems += found
        if whole and not found and each.name is not None:
            receivers[each.name] = _receiver(each, each.name)
    bounds = Bounds(per_hour=shape.per_hour, per_day=shape.per_day, digest_s=shape.digest)
    return NotifySettings(receivers=tuple(receivers.values()), bounds=bounds), tuple(problems)


def _missing(shape: ReceiverShape, place: Place) -> Iterator[Problem]:
    if shape.name is None:
        yield Problem(path=place, message="a receiver needs a name")
    said = [way for way in WAYS if getattr(shape, way) is not None]
    if not said:
        yield Problem(path=place, message=f"a receiver needs one of {', '.join(WAYS)}")
    for way in said[1:]:
        message = f"a receiver needs one of {', '.join(WAYS)}, and only one"
        yield Problem(path=(*place, way), message=message)
    for key in ("server", "sender", "to"):
        if shape.mail is not None and getattr(shape.mail, key) is None:
            yield Problem(path=(*place, "mail"), message=f"mail needs {key}")


def _faults(shape: ReceiverShape, place: Place, *, apprise: bool) -> Iterator[Problem]:
    for way in ("webhook", "ntfy"):
        address = getattr(shape, way)
        if address not in {None, SECRET} and (fault := address_fault(address) or _no_topic(way, address)):
            yield Problem(path=(*place, way), message=f"{way} {fault}")
    if shape.apprise is not None and not apprise:
        yield Problem(path=(*place, "apprise"), message=WITHOUT_APPRISE)
    if shape.mail is not None:
        yield from _mail_faults(shape.mail, (*place, "mail"))


def _no_topic(way: str, address: str) -> str:
    named = address.partition("://")[2].partition("/")[2].strip("/")
    return "" if named or way != "ntfy" else "should name a topic, as in https://ntfy.sh/my-topic"


def _mail_faults(shape: MailShape, place: Place) -> Iterator[Problem]:
    server = shape.server
    if server is not None and (not server.isprintable() or set(server) & set(" /@")):
        yield Problem(path=(*place, "server"), message="server should be a name like smtp.example.com")
        return
    for key, address in [("sender", shape.sender), *(("to", each) for each in shape.to or ())]:
        if address is not None and not _is_mail_address(address):
            yield Problem(path=(*place, key), message=f"{key} should hold addresses like ops@example.com")
    if Tls(shape.tls) is not Tls.OFF or server is None:
        return
    if not is_near(server):
        yield Problem(path=(*place, "tls"), message="tls can be off only for a server in your own network")
    elif shape.user is not None and not is_here(server):
        message = "tls cannot be off where somebody logs in: the password would travel in the clear"
        yield Problem(path=(*place, "tls"), message=message)


def _is_mail_address(address: str) -> bool:
    name, _, host = address.rpartition("@")
    return bool(name and host) and address.isprintable() and not set(address) & set(" ,;<>\"'")


def _receiver(shape: ReceiverShape, name: str) -> Receiver:
    topics = frozenset(Topic(topic) for topic in shape.tell) if shape.tell else frozenset(Topic)
    return Receiver(name=name, way=_way(shape), topics=topics)


def _way(shape: ReceiverShape) -> Way:
    if shape.webhook is not None:
        return Webhook(address=_address(shape.webhook))
    if shape.ntfy is not None:
        return Ntfy(address=_address(shape.ntfy))
    if shape.mail is None:
        return Apprise()
    tls = Tls(shape.mail.tls)
    return Mail(
        server=shape.mail.server or "",
        port=shape.mail.port or PORTS[tls],
        tls=tls,
        user=shape.mail.user or "",
        sender=shape.mail.sender or "",
        to=tuple(shape.mail.to or ()),
    )


def _address(said: str) -> Secret | None:
    return None if said == SECRET else Secret(said)
