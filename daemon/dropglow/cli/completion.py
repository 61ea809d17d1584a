"""``dropglow completion``: what a shell needs to complete commands, options, rules and ids.

The script asks ``dropglow`` itself on each press of the key, so it never goes stale.
"""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import ShellComplete, get_completion_class

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_DROPGLOW_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def command(*, shell: str) -> None:
    """Print the script that lets SHELL complete commands, options, rules and ids.

    \b
    bash:  dropglow completion bash > ~/.local/share/bash-completion/completions/dropglow
    zsh:   dropglow completion zsh > ~/.zfunc/_dropglow      with ~/.zfunc in $fpath
    fish:  dropglow completion fish > ~/.config/fish/completions/dropglow.fish

    It needs the command `dropglow` in the PATH.
    """  # noqa: D301  # it is click that reads the backslash
    click.echo(script(shell))


def script(shell: str) -> str:
    """Return the script for *shell*."""
    from dropglow.cli.main import main

    complete = get_completion_class(shell)
    assert complete is not None
    # Not the class's own: that of bash starts the bash of this computer, which need not be the one that reads it.
    return ShellComplete.source(complete(main, {}, "dropglow", VARIABLE)).rstrip()
