"""The manual page: whole, and of a form that its readers understand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dropglow.cli.main import main
from dropglow.cli.man import page, roff

PAGE = page(main)


def commands() -> dict[str, click.Command]:
    """Return every command by its name."""
    ctx = click.Context(main)
    return {name: found for name in main.list_commands(ctx) if (found := main.get_command(ctx, name))}


def test_every_command_and_option_is_in_it() -> None:
    """Each command has a section, and each of its options an entry there with a text."""
    sections = re.split(r"^\.S[SH] ", PAGE, flags=re.MULTILINE)
    by_name = {section.partition("\n")[0].removeprefix("dropglow "): section for section in sections}

    for name, command in {"OPTIONS": main, **commands()}.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts[0]} has no help"
                assert rf"\fB{roff(parameter.opts[0])}" in by_name[name]


def test_only_requests_begin_a_line_with_a_dot() -> None:
    """Every request is one of the few that every reader of manual pages knows."""
    requests = {line.split()[0] for line in PAGE.splitlines() if line.startswith((".", "'"))}

    assert {".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi"} >= requests
    assert PAGE.isascii()
    assert not re.search(r"^$", PAGE, re.MULTILINE)


def test_the_indentation_of_code_is_none_of_the_page() -> None:
    """What is printed as it stands is the same with a Python that keeps it in docstrings and with one that does not."""

    def print_it() -> None:
        """Print it.

        \b
        one
          two
        """  # noqa: D301  # it is click that reads the backslash

    written = page(click.Group("dropglow", commands={"print": click.Command("print", help=print_it.__doc__)}))

    assert "\n.nf\none\n  two\n.fi\n" in written


@pytest.mark.parametrize(
    ("text", "written"),
    [("a-b", r"a\-b"), (".x", r"\&.x"), ("'x'", r"\(aqx\(aq"), ("\\", r"\(rs"), ("…", r"\[u2026]"), ("", "")],
)
def test_text_is_printed_as_it_is(text: str, written: str) -> None:
    """Nothing in a text is a command of roff's."""
    assert written == roff(text)


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("man", "man/man1/dropglow.1"),
        ("completion bash", "bash-completion/completions/dropglow"),
        ("completion zsh", "zsh/site-functions/_dropglow"),
        ("completion fish", "fish/vendor_completions.d/dropglow.fish"),
    ],
)
def test_what_is_shipped_is_not_stale(command: str, file: str) -> None:
    """What a wheel installs is what the commands print today."""
    shipped = Path(__file__).parents[1] / "daemon" / "share" / file

    told = CliRunner().invoke(main, command.split()).stdout

    assert told == shipped.read_text(encoding="utf-8"), (
        f"make it again: dropglow {command} > daemon/share/{file}"
    )


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed on this machine")
def test_the_typesetter_has_no_complaint(tmp_path: Path) -> None:
    """The program behind `man` warns of nothing, and prints every command."""
    (tmp_path / "dropglow.1").write_text(PAGE + "\n")

    told = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", str(tmp_path / "dropglow.1")],
        capture_output=True,
        text=True,
    )

    assert "" == told.stderr
    assert [] == [name for name in commands() if f"dropglow {name}" not in told.stdout]
