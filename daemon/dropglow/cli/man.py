"""``dropglow man``: the manual page, made of the same words as ``--help``.

Roff is written here and nowhere else: everything that comes from outside goes through ``roff``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Final

import click

from dropglow import __version__

SPECIAL: Final = {"\\": r"\(rs", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
WIDTH: Final = 78
EXIT_CODES: Final = (
    ("0", "Done."),
    ("1", "With run --once: something failed, is held or is in doubt. Elsewhere: the answer is no."),
    ("2", "Wrong usage."),
    ("75", "Try again later: another service has the state folder, or the ledger cannot be reached."),
    ("78", "The configuration has faults, or there are no credentials."),
)
FILES: Final = (
    (
        "dropglow.yaml",
        "Configuration: as --config or $DROPGLOW_CONFIG say, ./, $XDG_CONFIG_HOME/dropglow/, /etc/dropglow/.",
    ),
    ("rules/*.yaml", "The rules, where the configuration does not say otherwise."),
)
ENVIRONMENT: Final = (
    ("DROPGLOW_CONFIG", "The configuration file, or its folder."),
    ("DROPGLOW_API_URL, DROPGLOW_TOKEN_URL", "Other addresses of the API, for example of the sandbox."),
    ("FIREFLY_SERVICES_CLIENT_ID, FIREFLY_SERVICES_CLIENT_SECRET", "The credentials."),
    (
        "FIREFLY_SERVICES_CLIENT_ID_FILE, FIREFLY_SERVICES_CLIENT_SECRET_FILE",
        "Files with the credentials; better than the variables.",
    ),
    ("CREDENTIALS_DIRECTORY", "Of systemd: firefly_client_id and firefly_client_secret in it go before all others."),
    ("STATE_DIRECTORY", "Of systemd: the state folder, where the configuration names none."),
    ("TZ", "The time zone, by which days of a budget turn."),
)  # fmt: skip


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Print the manual page.

    \b
    dropglow man > ~/.local/share/man/man1/dropglow.1
    dropglow man | man -l -
    """  # noqa: D301  # it is click that reads the backslash
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    click.echo(page(root.command))


def page(main: click.Group) -> str:
    """Return the manual page of the command *main* and all of its commands."""
    return "\n".join(_page(main))


def _page(main: click.Group) -> Iterator[str]:
    ctx = main.make_context("dropglow", [], resilient_parsing=True)
    yield f'.TH DROPGLOW 1 "" "dropglow {__version__}" "User Commands"'
    yield ".SH NAME"
    yield r"dropglow \- a folder as a doorway to Adobe Firefly"
    yield ".SH SYNOPSIS"
    yield rf"\fBdropglow\fR {roff('[--config PATH] COMMAND [OPTIONS] [ARGUMENTS]')}"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(main.help or "")
    yield ".SH OPTIONS"
    yield from _options(main, ctx)
    yield ".SH COMMANDS"
    for name in main.list_commands(ctx):
        command = main.get_command(ctx, name)
        assert command is not None
        yield from _command(command, click.Context(command, info_name=name, parent=ctx))
    for title, entries in (("EXIT STATUS", EXIT_CODES), ("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT)):
        yield f".SH {title}"
        yield from _list(entries)
    yield ".SH SEE ALSO"
    yield roff("README.md and daemon/json.md of the distribution; systemctl(1), journalctl(1).")


def _command(command: click.Command, ctx: click.Context) -> Iterator[str]:
    yield f".SS dropglow {roff(ctx.info_name or '')}"
    usage = " ".join(command.collect_usage_pieces(ctx))
    yield rf"\fBdropglow {roff(ctx.info_name or '')}\fR {roff(usage)}"
    yield ".PP"
    yield from _paragraphs(command.help or "")
    yield from _options(command, ctx)
    formatter = click.HelpFormatter(width=WIDTH)  # not of the terminal that happens to be there
    command.format_epilog(ctx, formatter)
    if more := formatter.getvalue().strip("\n"):
        yield ".PP"
        yield from _as_it_stands(more)


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        # What every command has is said once, of all of them together.
        if record is not None and record[1] and (parameter.name != "help" or ctx.parent is None):
            yield from _list([record])


def _list(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, text in entries:
        yield ".TP"
        yield rf"\fB{roff(name)}\fR"
        yield roff(text)


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; those that click was told to leave as they are stay so.

    Up to Python 3.12 a docstring has the indentation of its code.
    """
    for place, paragraph in enumerate(re.split(r"\n\s*\n", inspect.cleandoc(text))):
        if place:
            yield ".PP"
        if paragraph.lstrip().startswith("\b"):
            yield from _as_it_stands(paragraph.lstrip("\b \n"))
        else:
            yield roff(" ".join(paragraph.split()))


def _as_it_stands(text: str) -> Iterator[str]:
    yield ".nf"
    yield from map(roff, text.splitlines())
    yield ".fi"


def roff(text: str) -> str:
    """Return *text* so that roff prints exactly it."""
    escaped = "".join(
        SPECIAL.get(letter) or (letter if letter.isascii() else rf"\[u{ord(letter):04X}]") for letter in text
    )
    return rf"\&{escaped}" if escaped.startswith(".") else escaped
