"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
BODY_LINES: Final = 60
MODULE_LINES: Final = 500
# Where an unforeseen error is turned into a restart of one task instead of the end of the service.
SUPERVISOR: Final = "daemon/dropglow/runtime/service.py"
DRAWERS: Final = {"utils.py", "helpers.py", "types.py", "common.py", "misc.py"}
TEXT: Final = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".lock",
    ".sql",
    ".sh",
    ".service",
    ".json",
    ".html",
    "",
}
# Spelled in two halves, so that this file does not find itself.
UNWANTED_WORDS: Final = tuple(
    first + second
    for first, second in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("--index", "-url "),
        ("/work/", "main"),
        ("/work/", "shared"),
    )
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(folder: str) -> list[Path]:
    """Return the modules below *folder* of the checkout, in order."""
    return sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """Return *path* as it is written from the root of the checkout."""
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    """Return the syntax of the module at *path*."""
    return ast.parse(path.read_text(encoding="utf-8"))


def body_lines(function: Function) -> int:
    """Return how many lines the body of *function* has, its docstring not counted."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method in *tree*."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def public_names(tree: ast.Module) -> Iterator[ast.ClassDef | Function]:
    """Yield the public classes and functions of a module, and the public methods of those classes."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name[0] == "_":
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from (one for one in node.body if isinstance(one, Function) and one.name[0] != "_")


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Return whether *handler* would catch an error that nobody foresaw."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or ast.unparse(one) in {"Exception", "BaseException"} for one in caught)


def tracked_files() -> list[Path]:
    """Return the text files of the project; all of them outside a repository, for example in an archive."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0 and done.stdout:
        found = [ROOT / name for name in done.stdout.split("\0") if name]
    else:
        tops = ("daemon", "rules", "systemd", "tests", ".ci")
        found = [path for top in tops for path in (ROOT / top).rglob("*")] + list(ROOT.glob("*.*"))
    return [path for path in found if path.is_file() and path.suffix in TEXT]


def test_bodies_fit_on_a_screen() -> None:
    """No function's body is longer than sixty lines."""
    long = [
        f"{name_of(path)}: {function.name} has {body_lines(function)}"
        for path in modules("daemon")
        for function in functions(parsed(path))
        if body_lines(function) > BODY_LINES
    ]

    assert long == []


def test_modules_hold_one_idea() -> None:
    """No module is longer than five hundred lines."""
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules("daemon")}

    assert {name: count for name, count in lines.items() if count > MODULE_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    """Every module, of the program and of its tests, begins with a docstring."""
    every = [*modules("daemon"), *modules("tests")]

    assert [name_of(path) for path in every if not ast.get_docstring(parsed(path))] == []


def test_public_names_are_described() -> None:
    """Every public class, function and method has a docstring."""
    bare = [
        f"{name_of(path)}: {one.name}"
        for path in modules("daemon")
        for one in public_names(parsed(path))
        if not ast.get_docstring(one)
    ]

    assert bare == []


def test_no_module_catches_what_it_does_not_know() -> None:
    """`except Exception`, and wider, stand in the supervisor only."""
    wide = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules("daemon")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node) and name_of(path) != SUPERVISOR
    ]

    assert wide == []


def test_modules_are_named_for_an_idea() -> None:
    """There are no drawers for odds and ends."""
    assert [name_of(path) for path in modules("daemon") if path.name in DRAWERS] == []


def test_no_machine_and_no_index_is_named() -> None:
    """The project installs from any index and runs on any machine: it names none."""
    named = [
        (name_of(path), word)
        for path in tracked_files()
        for word in UNWANTED_WORDS
        if word in path.read_text(encoding="utf-8", errors="replace")
    ]

    assert named == []


def test_test_functions_say_what_they_show() -> None:
    """Every test states its behaviour in a docstring."""
    silent = [
        f"{name_of(path)}: {function.name}"
        for path in modules("tests")
        for function in functions(parsed(path))
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert silent == []
