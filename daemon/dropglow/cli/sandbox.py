"""``dropglow sandbox``: a pretend Adobe on this computer, for trying rules and for tests.

The first line of the standard output ends with the address, so that a script
can read it. ``--books FILE`` gets, at the end, what was asked of it as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from dropglow.cli.exits import Exit, Told

if TYPE_CHECKING:
    from dropglow.sandbox.world import World

PORT: Final = 8787


class _WithFaults(click.Command):
    """A command whose help lists every fault."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        from dropglow.sandbox.faults import FAULT_HELP

        with formatter.section("Faults (a rate is a share like 0.1, or first:N, or every:N)"):
            formatter.write_dl(list(FAULT_HELP.items()))


@click.command(cls=_WithFaults)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one."
)
@click.option(
    "--fault", "faults", metavar="NAME=VALUE", multiple=True, help="What is to go wrong; repeatable."
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Other seeds, other job ids and other luck."
)
@click.option(
    "--books",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what happened here, as JSON, at the end.",
)
def command(*, host: str, port: int, faults: tuple[str, ...], seed: int, books: Path | None) -> None:
    """Run a local server that speaks Firefly's protocol, until Ctrl-C or SIGTERM.

    It takes any credentials, paints its pictures itself, and costs nothing.
    """
    from dropglow.sandbox.faults import parse_faults
    from dropglow.sandbox.world import World

    try:
        world = World(seed=seed, faults=parse_faults(faults))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from error
    if books is not None and not books.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {books.absolute().parent}", param_hint="--books")
    asyncio.run(_serve(world, host=host, port=port))
    click.echo(_summary(world.books()))
    if books is not None:
        _write(world, books)


async def _serve(world: World, *, host: str, port: int) -> None:
    from dropglow.sandbox.serve import Sandbox

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sandbox = Sandbox(world, host=host, port=port)
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(sandbox)
        except OSError as error:
            raise Told(
                f"the sandbox cannot listen at {host}, port {port}: {_reason(error)}",
                hint="--port 0 takes a free port; --host 127.0.0.1 is this computer",
                code=Exit.TROUBLED,
            ) from error
        click.echo(_welcome(sandbox.url, host))
        await stop.wait()


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).partition(" (")[0].lower()  # asyncio adds the address in brackets


def _welcome(url: str, host: str) -> str:
    lines = [
        f"The sandbox listens at {url}",
        "",
        "Point Dropglow at it, from another terminal:",
        f"  export DROPGLOW_API_URL={url} DROPGLOW_TOKEN_URL={url}/ims/token/v3",
        "  export FIREFLY_SERVICES_CLIENT_ID=any FIREFLY_SERVICES_CLIENT_SECRET=any",
        "  dropglow run",
        "",
        "Ctrl-C stops it. It remembers nothing after that.",
    ]
    if host not in {"127.0.0.1", "::1", "localhost"}:
        lines += ["", "Warning: other computers can reach it, and it asks nobody who they are."]
        lines += ["Dropglow itself talks to it from this computer only, at http://127.0.0.1."]
    return "\n".join(lines)


def _summary(books: dict[str, Any]) -> str:
    from dropglow.cli.tables import counted

    told = [
        counted(books["accepted"], "order"),
        f"{counted(books['images'], 'operation')} charged",
        counted(len(books["uploads"]), "upload"),
        counted(books["downloads"], "download"),
        f"{counted(books['refused'], 'request')} refused",
    ]
    twice = books["same_body_twice"]
    again = f"\n{counted(twice, 'order')} said the same as an earlier one." if twice else ""
    return f"\nThe books: {', '.join(told)}.{again}"


def _write(world: World, path: Path) -> None:
    try:
        world.dump(path)
    except OSError as error:
        raise Told(
            f"the books cannot be written to {path}: {error.strerror}",
            hint="name another file with --books",
            code=Exit.TROUBLED,
        ) from error
