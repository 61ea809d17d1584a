"""The command ``dropglow``: find the subcommand, load only that one, and report errors in words."""

from __future__ import annotations

import importlib
from typing import Final

import click
from click.shell_completion import CompletionItem

from dropglow import __version__
from dropglow.cli import completing
from dropglow.cli.exits import told
from dropglow.errors import DropglowError

# In the order in which a newcomer needs them.
COMMANDS: Final = {
    "demo": "Show the whole story in one minute, with a pretend Adobe.",
    "run": "Serve the inboxes until stopped.",
    "check": "Check the settings and every rule; all faults at once.",
    "explain": "Say what would happen to a file, and why.",
    "status": "Show the service and its inboxes.",
    "jobs": "List jobs.",
    "show": "Show one drop or job with its whole history.",
    "retry": "Try again what failed or was cancelled.",
    "cancel": "Cancel what is under way, also at Adobe.",
    "approve": "Let go on what is held for approval.",
    "resolve": "Settle jobs of which nobody knows whether they were bought.",
    "pause": "Stop spending; what was bought is still delivered.",
    "resume": "Let spending go on.",
    "costs": "Show what was spent, by rule, folder and day.",
    "doctor": "Look at everything that a service needs, and say what is wrong.",
    "notify": "Send a test message to those who are told what happens.",
    "models": "List the account's custom models.",
    "sandbox": "Run a local server that speaks Firefly's protocol.",
    "install": "Install the service on this machine: user, folders, units, a first rule.",
    "uninstall": "Undo what install did.",
    "schema": "Print the JSON Schema of the configuration, for editors.",
    "completion": "Print what a shell needs to complete commands, rules and ids.",
    "man": "Print the manual page.",
}


class Commands(click.Group):
    """Load a command's module when it is asked for, and not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return every command in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, its module loaded now."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"dropglow.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return the commands that *incomplete* begins, without loading any, or else options."""
        found = [
            CompletionItem(name, help=words)
            for name, words in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command meant, or fail with the nearest name."""
        unknown = bool(args) and args[0] not in COMMANDS and not args[0].startswith("-")
        if unknown and not ctx.resilient_parsing:
            ctx.fail(_unknown(args[0]))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; errors of ours become words and an exit code."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            if error.option_name != "--config":
                raise
            message = "--config goes before the command: dropglow --config PATH COMMAND"
            raise click.UsageError(message, ctx=error.ctx) from error
        except DropglowError as error:
            raise told(error) from error


def _unknown(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    meant = f" Did you mean '{near[0]}'?" if near else ""
    return f"There is no command '{name}'.{meant}"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    metavar="PATH",
    shell_complete=completing.files,
    help="Configuration file, or the folder of dropglow.yaml.",
)
@click.version_option(__version__, prog_name="dropglow")
@click.pass_context
def main(ctx: click.Context, config: str | None) -> None:
    """Drop a picture or a prompt into a folder; Adobe Firefly's results come back in another folder."""
    ctx.obj = config
