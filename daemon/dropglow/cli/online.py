"""Ask Adobe on behalf of a command: a short conversation that buys nothing.

What is asked is decided by the command; what the answers mean for the rules, by ``firefly.custom_rules``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from dropglow.clock import RealClock
from dropglow.errors import AuthError, FireflyError, RequestRefused
from dropglow.firefly.client import FireflyClient
from dropglow.firefly.credentials import CredentialSource, FixedCredentials
from dropglow.firefly.settings import Timeouts

if TYPE_CHECKING:
    from dropglow.config import Config
    from dropglow.firefly.custom_models import CustomModel

# Somebody waits at a terminal.
PATIENCE: Final = Timeouts(connect_s=5.0, read_s=15.0, write_s=15.0, answer_s=30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What Adobe says of the account whose credentials are in use. It may use Firefly."""

    api: str
    models: tuple[CustomModel, ...]
    models_refusal: FireflyError | None  # why the custom models are not listed


@contextlib.asynccontextmanager
async def adobe(config: Config, *, sandbox: bool = False) -> AsyncIterator[tuple[FireflyClient, str]]:
    """Give a client of the API that *config* names, or of a pretend one, and the API's address."""
    async with contextlib.AsyncExitStack() as stack:
        api = config.api
        credentials: CredentialSource | FixedCredentials = CredentialSource(os.environ)
        if sandbox:
            from dropglow.sandbox.serve import Sandbox
            from dropglow.sandbox.world import World

            served = await stack.enter_async_context(Sandbox(World()))
            api = replace(api, base_url=served.url, token_url=f"{served.url}/ims/token/v3")
            credentials = FixedCredentials(client_id="sandbox", client_secret="sandbox")  # noqa: S106 - anything will do
        client = FireflyClient(api, credentials, RealClock(), connections=1, timeouts=PATIENCE)
        stack.push_async_callback(client.close, grace_s=0.0)
        yield client, api.base_url


async def asked_for_account(config: Config, *, custom_models: bool) -> Account:
    """Return what Adobe says of the account; of its custom models only on wish.

    Raises:
        AuthError: The credentials are missing or wrong, or the account may not use Firefly.
        RequestRefused: The address of the API is wrong.
        FireflyError: Adobe cannot be reached, or is not well; asking again may help.
    """
    async with adobe(config) as (client, api):
        await client.check()
        await client.check_entitlement()
        if not custom_models:
            return Account(api=api, models=(), models_refusal=None)
        try:
            models = await client.custom_models()
        except (AuthError, RequestRefused) as refusal:
            return Account(api=api, models=(), models_refusal=refusal)
        return Account(api=api, models=models, models_refusal=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a short conversation with Adobe shows. The account may use Firefly."""

    api: str
    ahead: timedelta | None  # how far this machine's clock is ahead of Adobe's; None where nobody said


async def asked_for_health(config: Config) -> Health:
    """Return what Adobe says to a token's fetch and a question that buys nothing.

    Raises:
        FireflyError: As for ``asked_for_account``.
        ConfigError: An address in the configuration cannot be used.
    """
    async with adobe(config) as (client, api):
        await client.check()
        await client.check_entitlement()
        return Health(api=api, ahead=client.clock_ahead())


async def asked_for_models(config: Config, *, sandbox: bool) -> tuple[str, tuple[CustomModel, ...]]:
    """Return the API's address and every custom model there, by name.

    Raises:
        FireflyError: As for ``asked_for_account``.
    """
    async with adobe(config, sandbox=sandbox) as (client, api):
        models = await client.custom_models()
    return api, tuple(sorted(models, key=lambda model: (model.name.casefold(), model.id)))
