"""What a seed puts the service to: how its lives end, and what the disk, the network and Adobe do meanwhile."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dropglow.sandbox.fault_values import NEVER, Rate, Span
from dropglow.sandbox.faults import ACCESS_ERRORS, CANCEL_ERRORS, POLICY_CODES, Faults
from tests.simulation.machine import Fate, Trouble
from tests.simulation.shares import FOLDERS, Nature, Numbering, Outage, Way
from tests.simulation.weather import Weather

if TYPE_CHECKING:
    from random import Random

# What may be chosen: as often from one part as from any other, however much is in it.
Menu: TypeAlias = "dict[str, Any] | tuple[Menu, ...]"

SOMETIMES: Final = object()  # a share of the calls, drawn when it is chosen
# What is never chosen here: the list of custom models is asked for by `check` alone, and two others hold for every seed.
LEFT_OUT: Final = frozenset({"models_error", "models_error_rate", "no_models", "duration", "pictures"})


def fate(dice: Random, root: str, *, pending: bool) -> Fate:
    """Return how a life ends, if it does, on a machine whose folders are below *root*.

    Where the life before left names *pending*, the power goes soon after something is promised of them.
    """
    if pending:
        of, number = dice.choice((("commit", dice.randint(1, 6)), ("commit save Delivered", 1)))
        return Fate(dies_at=2 * number, of=of, power=True, journal=dice.random() < 0.3)
    of = dice.choice(_DEATHS)
    if " " in of:
        return Fate(
            dies_at=dice.randint(1, 10), of=of, power=dice.random() < 0.4, journal=dice.random() < 0.5
        )
    anywhere = dice.choice((0, int(2 ** dice.uniform(1, 7)), dice.randint(60, 200), dice.randint(60, 400)))
    return Fate(
        dies_at=int(2 ** dice.uniform(0, 5)) if of else anywhere,
        of=of,
        power=dice.random() < 0.6,
        journal=dice.random() < 0.5,
        troubles=[*_troubles(dice, root), *_refusals(dice, root)],
    )


def illness(dice: Random, root: str) -> Fate:
    """Return a life that ends for no reason of its own, on a disk that refuses one thing or another until it is well again."""
    lasting = (2, 5, 5, -1)
    return Fate(troubles=[_trouble(dice, root, times=lasting) for _ in range(dice.choice((1, 2, 3)))])


def _troubles(dice: Random, root: str) -> Iterator[Trouble]:
    while dice.random() < 0.3:
        yield _trouble(dice, root, times=(1, 1, 2, 5, -1))


def _trouble(dice: Random, root: str, *, times: Sequence[int]) -> Trouble:
    number = dice.choice((errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES))
    verbs = _REFUSED.get(number, ("create", "rename", "replace", "unlink", "mkdir"))
    below = dice.choice(("", f"{root}/out", f"{root}/in", "save"))
    if below == "save":
        verbs = ("commit",)
    return Trouble(
        number=number,
        verbs=frozenset(verbs) if dice.random() < 0.5 else frozenset({dice.choice(verbs)}),
        below=below,
        from_effect=int(2 ** dice.uniform(0, 9)),
        times=dice.choice(times),
    )


def _refusals(dice: Random, root: str) -> Iterator[Trouble]:
    """Yield what refuses a last folder, which few of all effects concern."""
    if dice.random() < 0.1:
        yield Trouble(
            number=dice.choice((errno.EIO, errno.EACCES)),
            verbs=frozenset({"rename", "unlink", "mkdir"}),
            below=f"{root}/in/{dice.choice(('prompts/_', 'photos/_', 'photos/.dropglow/work'))}",
            from_effect=0,
            times=dice.choice((1, 2, 5)),
        )


def shares(dice: Random) -> Iterator[Nature]:
    """Yield the shares of one seed: folders that rules name, or those above them."""
    tops = dice.choice(
        (*((folder,) for folder in FOLDERS), ("in",), ("out",), ("in", "out"), ("in/prompts", "out/prompts"))
    )
    for top in tops:
        kind = dice.choice(("", "ext4", "nfs4", "cifs", "fuse.sshfs"))
        numbering = dice.choice(tuple(Numbering)) if kind else Numbering.LASTING
        yield Nature(
            top=top,
            kind=kind,
            listed=bool(kind) and dice.random() < 0.2,
            numbering=numbering,
            # What has two names for a moment is known by its number, which has to last.
            linking=bool(kind)
            and numbering is not Numbering.BY_NAME
            and dice.random() < 0.2
            and numbering is Numbering.LASTING,
            moving=bool(kind) and dice.random() < 0.5,
        )


def outage(dice: Random, nature: Nature, horizon_s: float) -> Outage:
    """Return one time that a share of this *nature* is away: it goes within *horizon_s* seconds, or at some call."""
    by_time = dice.random() < 0.25
    verb = dice.choice(("", "", "", *_CALLS))
    return Outage(
        way=dice.choice(
            (Way.UNMOUNTED, Way.UNMOUNTED, Way.MISSING, Way.REFUSING)
            if nature.kind
            else (Way.MISSING, Way.REFUSING)
        ),
        at_s=dice.uniform(0.1, horizon_s) if by_time else 0.0,
        verb=verb,
        number=int(2 ** dice.uniform(0, 3 if verb else 6)),
        lasts_calls=dice.choice((0, 0, int(2 ** dice.uniform(0, 5)))),
        lasts_s=dice.choice((0.01, 1.0, dice.uniform(2, 40), dice.uniform(60, 300), dice.uniform(60, 300))),
        error=dice.choice((errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN)),
    )


def weather(dice: Random) -> Weather:
    """Return how the network is in one life."""
    some = {name: share for name, shares in _WEATHER.items() if (share := dice.choice(shares))}
    if dice.random() < 0.4:
        some = {name: some[name] for name in some if name == "meddled"}
    return Weather(slow_s=dice.choice((0.05, 0.05, 2.0, 20.0)), telling=dice.random() < 0.5, **some)


def faults(dice: Random) -> Faults:
    """Return what goes wrong at Adobe for a while."""
    if dice.random() < 0.3:
        return late_faults(dice)
    chosen: dict[str, Any] = {}
    for _ in range(dice.choice((0, 1, 1, 2, 3, 5))):
        chosen |= _one_of(dice, SUBMISSIONS if dice.random() < 0.4 else (*EARLY, *LATE))
    if dice.random() < 0.3:
        chosen |= _one_of(dice, LOST)
    return _faults(dice, chosen, high_s=dice.choice((2, 10, 60)))


def late_faults(dice: Random) -> Faults:
    """Return one thing that goes wrong with orders that were accepted: with others beside it few get so far."""
    return _faults(dice, _one_of(dice, LATE), high_s=2)


def _faults(dice: Random, chosen: dict[str, Any], *, high_s: float) -> Faults:
    chosen = dict(chosen)
    for name, value in chosen.items():
        if value is SOMETIMES:
            chosen[name] = Rate(share=dice.choice((0.2, 0.5, 1.0)))
    return Faults(duration=Span(low_s=1, high_s=high_s), pictures="plain", **chosen)


def about_cancelling(faults: Faults) -> bool:
    """Return whether *faults* are seen only where somebody cancels what runs."""
    return faults.cancel_lost is not NEVER or bool(faults.cancel_error or faults.cancel_takes)


def healthy(high_s: float = 10) -> Faults:
    """Return an Adobe at which nothing goes wrong and no job takes longer than *high_s* seconds."""
    return Faults(duration=Span(low_s=1, high_s=high_s), pictures="plain")


def _one_of(dice: Random, menu: Menu) -> dict[str, Any]:
    while not isinstance(menu, dict):
        menu = dice.choice(menu)
    return menu


def every(menu: Menu) -> Iterator[dict[str, Any]]:
    """Yield everything that may be chosen from *menu*."""
    if isinstance(menu, dict):
        yield menu
        return
    for part in menu:
        yield from every(part)


def _some(*names: str) -> tuple[dict[str, Any], ...]:
    return tuple({name: SOMETIMES} for name in names)


# Shares of requests; most of them in most lives none.
_WEATHER: Final[dict[str, tuple[float, ...]]] = {
    "unreachable": (0, 0, 0, 0, 0.1, 0.4),
    "swallowed": (0, 0, 0, 0.1, 0.3),
    "refused": (0, 0, 0, 0, 0.1),
    "lost": (0, 0, 0.1, 0.3),
    "gateway": (0, 0, 0, 0.1, 0.3),
    "silent": (0, 0, 0, 0, 0.05),
    "halved": (0, 0, 0, 0, 0.2),
    "packed": (0, 0, 0, 0, 0.2),
    "swollen": (0, 0, 0, 0, 0.1),
    "misdirected": (0, 0, 0, 0.5),
    "misnamed": (0, 0, 0, 0.5),
    "odd_seeds": (0, 0, 0, 0.5),
    "doubled": (0, 0, 0, 0.5),
    "odd_wait": (0, 0.5),
    "meddled": (0, 0.1, 0.3, 0.5),
}
_REFUSED: Final = {
    errno.ENOSPC: ("create", "write", "mkdir", "rename", "fsync", "commit"),
    errno.EIO: ("read", "write", "fsync", "sync_folder", "rename", "unlink", "commit"),
}

# Calls of the product before which shares go.
_CALLS: Final = (
    "create",
    "mkdir",
    "rename",
    "rename",
    "replace",
    "unlink",
    "fsync",
    "write",
    "open",
    "lstat",
    "stat",
    "listdir",
    "rmdir",
)
# Effects at which lives end, by how their lines in the trace begin.
_DEATHS: Final = (
    "", "", "", "connect", "send", "answer", "commit", "rename", "fsync", "sync_folder", "unlink", "write",
    "rename /out", "sync_folder /out", "commit save Delivered",
)  # fmt: skip
_ALWAYS: Final = Rate(share=1.0)
# What is dear, and so comes up most.
SUBMISSIONS: Final[Menu] = (
    *_some("submit_lost", "submit_lost", "submit_500", "submit_502", "submit_garbled", "submit_empty", "redirect", "moderation"),
    *({"submit_error": status, "submit_error_charged": SOMETIMES} for status in (408, 409, 409, 499, 500, 502, 503, 504, 529)),
    {"submit_empty": SOMETIMES, "submit_no_link": _ALWAYS},
    {"submit_garbled": SOMETIMES, "submit_no_link": _ALWAYS},
    *(
        {"submit_error": status, "submit_error_rate": SOMETIMES, "submit_error_charged": NEVER}
        for status in (400, 408, 410, 413, 415, 422, 500, 501, 503)
    ),
)  # fmt: skip
# What leaves nobody knowing whether it was bought.
LOST: Final[Menu] = (
    *_some("submit_lost", "submit_502"),
    {"submit_empty": SOMETIMES, "submit_no_link": _ALWAYS},
    {"submit_garbled": SOMETIMES, "submit_no_link": _ALWAYS},
    {"submit_error": 504, "submit_error_charged": SOMETIMES},
)
# By what they concern: what comes before an order is accepted, and what after.
EARLY: Final[tuple[Menu, ...]] = (
    (
        *_some("submit_no_link"),
        tuple({"shape": form} for form in "ABC"),
        ({"accept_status": 200}, {"accept_status": 202}),
        tuple({"status_host": host} for host in (
            "firefly-epo851211.adobe.io", "evil.example", "firefly-api.adobe.io@evil.example",
            "firefly-epo851211.adobe.io:8443", "evil.example\\@firefly-api.adobe.io",
        )),
        ({"clock_skew": 100.0}, {"clock_skew": -100.0}),
        tuple({"latency": seconds} for seconds in (2.0, 70.0, 200.0)),
    ),
    (
        *_some("token_401", "token_500", "unauthorised"),
        ({"token_life": 5.0}, {"token_life": 0.0}),
        tuple({"forbidden": code, "forbidden_rate": rate} for code in ACCESS_ERRORS for rate in (_ALWAYS, SOMETIMES)),
    ),
    (
        *_some("rate_limit", "rate_limit_date", "rate_limit_bare", "rate_limit_status"),
        tuple({"rate_limit": SOMETIMES, "retry_after": seconds} for seconds in (0.0, 120.0)),
        {"rate_limit": SOMETIMES, "rate_limit_code": "backpressure_limited"},
        {"rate_limit": SOMETIMES, "rate_limit_level": "account"},
        ({"per_minute": 1}, {"per_minute": 3}),
    ),
    _some("upload_413", "upload_500", "upload_lost"),
    (
        ({"upload_life": 30.0}, {"upload_life": 0.0}, {"upload_life": 0.0, "complaint_status": 400}),
        tuple({"upload_error": status, "upload_error_rate": SOMETIMES} for status in (400, 403, 415, 451, 502, 503)),
    ),
    (
        tuple({"moderation": SOMETIMES, "moderation_code": code} for code in POLICY_CODES),
        {"moderation": SOMETIMES, "moderation_status": 451},
        tuple({"unsafe_word": word} for word in ("fox", "3")),
    ),
    _some("url_unreachable", "unknown_model"),
)  # fmt: skip
LATE: Final[tuple[Menu, ...]] = (
    (
        *_some("never", "job_failed", "timeout", "empty", "fewer", "bare_ids"),
        tuple({"job_failed": SOMETIMES, "job_failed_code": code} for code in ("prompt_unsafe", "image_unsafe", "no such code")),
        ({"progress": "yes"}, {"progress": "no"}),
    ),
    (
        *_some("status_500", "status_404", "status_lost", "status_html", "status_strange"),
        tuple({"status_strange": SOMETIMES, "status_word": word} for word in ("done", "PAUSED", "Succeeded", "cancel pending", "\u202edne")),
        tuple(
            {"status_error": status, "status_error_rate": SOMETIMES}
            for status in (403, 408, 409, 410, 451, 499, 501, 502, 503, 504, 529)
        ),
    ),
    (
        *_some("link_403", "download_500", "wrong_type", "cut_download"),
        {"link_life": 3.0},
        ({"slow_download": 1000.0}, {"slow_download": 2.0}),
    ),
    (
        *_some("cancel_lost"),
        {"cancel_takes": 20.0},
        {"spelling": "canceled"},
        tuple({"cancel_error": code, "cancel_error_rate": SOMETIMES} for code in CANCEL_ERRORS),
    ),
)  # fmt: skip
