"""Run the service: take the state folder, find the credentials, speak to Adobe or to the sandbox.

The parts are put together in ``assembly.py``; here is what has to be there
before, and goes when the service stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from dropglow import __version__, vocabulary
from dropglow.assembly import build
from dropglow.clock import RealClock
from dropglow.config import Config, Survey, survey_config
from dropglow.disk import RealDisk
from dropglow.errors import AuthError, ConfigError
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import CredentialSource, FixedCredentials
from dropglow.firefly.settings import ApiSettings
from dropglow.firefly.stopwatch import nobody
from dropglow.groundwork import make_folders
from dropglow.holding import mark_world, own
from dropglow.intake.darkroom import Darkroom
from dropglow.ledger.backup import back_up
from dropglow.ledger.lifeboat import Landed
from dropglow.ops.garbage import sparing
from dropglow.ops.systemd import Manager
from dropglow.performing import DOWNLOADS
from dropglow.runtime.bell import Bell
from dropglow.runtime.counting import counted
from dropglow.runtime.service import Outcome
from dropglow.runtime.telling import about, log
from dropglow.sketch import remember

if TYPE_CHECKING:
    from dropglow.frontage import Frontage
    from dropglow.sandbox.world import World

SANDBOX: Final = "the sandbox"
PAID_FOR: Final = (
    "it may be paid for: look at Adobe by this id before its file is ordered again; "
    "this is said at each start until the file `lifeboat` in the state folder is removed"
)


async def serve(
    config: Config,
    stop: asyncio.Event,
    *,
    once: bool = False,
    sandbox: World | None = None,
    reload: Bell | None = None,
    front: Frontage | None = None,
    environ: Mapping[str, str] | None = None,
) -> Outcome:
    """Run the service until *stop* is set, or with *once* until everything rests.

    With *sandbox*, its world is served in this process in place of Adobe. Whoever rings *reload* has the
    configuration read again at once. At *front* somebody may ask how it is.

    Raises:
        AddressBusy: The address of *front* cannot be had now.
        Busy: Another service runs on this state folder.
        ConfigError: Credentials are missing, or the state folder belongs to another API.
        DropglowError: Anything else that keeps the service from running.
    """
    environ = os.environ if environ is None else environ
    survey = functools.partial(survey_config, config.path, environ=environ, cwd=str(Path.cwd()))
    async with contextlib.AsyncExitStack() as stack:
        where = SANDBOX if sandbox is not None else _world_of(config)
        owned = await stack.enter_async_context(own(Path(config.state)))
        await mark_world(owned, where)
        if sandbox is not None:
            config = replace(config, api=await _sandboxed(config, sandbox, stack))
            survey = functools.partial(_with_api, survey, config.api)
            credentials: CredentialSource | FixedCredentials = FixedCredentials(
                client_id="sandbox", client_secret="sandbox"
            )
        else:
            credentials = _credentials(environ)
        clock, disk = RealClock(), RealDisk()
        await asyncio.to_thread(make_folders, config, disk)
        await asyncio.to_thread(remember, config)
        client = FireflyClient(
            config.api,
            credentials,
            clock,
            connections=2 * config.limits.in_flight + DOWNLOADS,
            heard=nobody if front is None else front.metrics.asked,
        )
        stack.push_async_callback(client.close)
        darkroom = Darkroom(impossible=_say_unprotected)
        stack.push_async_callback(asyncio.to_thread, darkroom.close)
        service = await build(
            config,
            ledger=owned.ledger if front is None else counted(owned.ledger, front.metrics, clock),
            client=client,
            clock=clock,
            disk=disk,
            storage=_storage(where),
            sandbox=sandbox is not None,
            decoder=darkroom,
            board=owned.lifeboat.board,
            back_up=functools.partial(back_up, owned.state),
            manager=Manager.of(environ, pid=os.getpid()),
            survey=survey,
            reload=reload,
        )
        _tell_of_receipts(owned.landed)
        _announce(config, where)
        if front is not None:
            await stack.enter_async_context(front.open(service.health, environ))
        with sparing():
            outcome = await service.run(stop, once=once)
        log.info(vocabulary.SERVICE_STOPPED)
    return outcome


def _tell_of_receipts(landed: Landed) -> None:
    for job in landed.jobs:
        log.warning(vocabulary.JOB_RESCUED, **about(job))
    for receipt in landed.strange:
        log.error(
            vocabulary.RECEIPT_STRANGE,
            job=receipt.job,
            job_id=receipt.accepted.submission.remote_id,
            at=receipt.accepted.at.isoformat(timespec="seconds"),
            hint=PAID_FOR,
        )


def _say_unprotected(reason: str) -> None:
    log.warning(vocabulary.DECODING_UNPROTECTED, reason=reason)


def _credentials(environ: Mapping[str, str]) -> CredentialSource:
    """Return where the credentials are, once it is certain that they are there."""
    source = CredentialSource(environ)
    try:
        source.read()
    except AuthError as missing:
        raise ConfigError(missing.message, hint=missing.hint) from missing
    return source


async def _sandboxed(config: Config, world: World, stack: contextlib.AsyncExitStack) -> ApiSettings:
    from dropglow.sandbox.serve import Sandbox

    served = await stack.enter_async_context(Sandbox(world))
    log.info(vocabulary.SANDBOX_STARTED, url=served.url)
    return replace(config.api, base_url=served.url, token_url=f"{served.url}/ims/token/v3")


def _with_api(survey: Callable[[], Survey], api: ApiSettings) -> Survey:
    """Return what *survey* reads, but for the addresses: those of the sandbox are not in the file."""
    read = survey()
    return replace(read, config=replace(read.config, api=api))


def _world_of(config: Config) -> str:
    return config.api.base_url.rstrip("/")


def _storage(where: str) -> str:
    """Return the name of the upload storage of this API; Adobe's own has none, a sandbox begins empty."""
    if where == SANDBOX:
        return f"@{uuid4().hex}"
    return "" if where == ApiSettings().base_url else f"@{where}"


def _announce(config: Config, where: str) -> None:
    log.info(
        vocabulary.SERVICE_STARTED,
        version=__version__,
        config=str(config.path),
        state=str(config.state),
        api=where,
        inboxes=len(config.inboxes),
        rules=len(config.rules),
        pid=os.getpid(),
    )
    for warning in config.warnings:
        log.warning(vocabulary.CONFIG_WARNING, warning=warning)
