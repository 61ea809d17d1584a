"""Run every check of the project, and close with a table of what each one said.

Runs inside the environment that ``environment`` made. Whatever a check writes goes into one cache folder.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import packed
from environment import SetupError

ROOT: Final = Path(__file__).resolve().parent.parent
# What has to reach every branch of every decision. To watch that makes tests half as slow again, so it is done here alone.
MEASURED: Final = ("tests/unit", "tests/contract/test_ledger.py")
# What starts the whole program, or lets it live thousands of times: what takes longest begins first.
LONG: Final = ("tests/simulation", "tests/droppers", "tests/e2e")
NO_TESTS: Final = frozenset({"tests/benchmarks", "tests/__pycache__"})
# They are about the files beside the package, which no wheel has.
OF_THE_CHECKOUT: Final = ("tests/test_environment.py", "tests/e2e/test_wheel.py")
WHEEL: Final = "--wheel"
WORKERS_A_PROCESSOR: Final = 3
MOST_WORKERS: Final = 12
COUNT: Final = re.compile(r"(\d+) (passed|failed|errors?|skipped|deselected|xfailed|xpassed)\b")
CLOSING_LINE: Final = re.compile(
    r"=+ .*\b(passed|failed|errors?|no tests ran|skipped|deselected)\b.* in [\d.]+s.*=+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Hold one step: its headline and its command."""

    name: str
    command: tuple[str, ...]
    shown_live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Hold what became of one step."""

    name: str
    passed: bool
    took_s: float
    output: str


def main(arguments: list[str]) -> int:
    """Run all checks, or only pytest when it is given *arguments*; return the exit code.

    With ``--wheel`` the tests run against the built wheel, and nothing of the checkout can be imported.
    """
    os.chdir(ROOT)
    cache = cache_folder()
    use_cache(cache)
    if WHEEL in arguments:
        try:
            python = packed.install(packed.build(cache), cache / "wheel").python
        except SetupError as error:
            print(f"dropglow: {error}", file=sys.stderr)
            return 1
        os.execv(python, [str(python), *pytest_command(cache), *of_wheel(arguments)])
    if arguments:
        os.execv(sys.executable, [sys.executable, *pytest_command(cache), *arguments])
    began_s = time.monotonic()
    with ThreadPoolExecutor() as pool:  # each has one processor to itself at most
        outcomes = list(pool.map(carry_out, readings(cache)))
    outcomes += [carry_out(check) for check in tests(cache)]
    print_table(outcomes)
    print(closing_line(outcomes, took_s=time.monotonic() - began_s))
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def of_wheel(arguments: list[str]) -> list[str]:
    """Return the arguments for pytest in the wheel's environment: all tests but the checkout's own, unless some are named."""
    chosen = [argument for argument in arguments if argument != WHEEL]
    left_out = [f"--ignore={name}" for name in OF_THE_CHECKOUT]
    return [*left_out, *(chosen or ("--numprocesses", str(workers()), "--dist", "worksteal"))]


def readings(cache: Path) -> Iterator[Check]:
    """Yield every check that only reads the source."""
    python = sys.executable
    scripts = Path(python).parent
    ruff = str(scripts / "ruff")
    layers = (str(scripts / "lint-imports"), "--cache-dir", str(cache / "imports"))
    yield Check(name="format", command=(ruff, "format", "--check", "--quiet", "--diff", "."))
    yield Check(name="lint", command=(ruff, "check", "--quiet", "."))
    yield Check(name="types", command=(python, "-m", "mypy"))
    yield Check(name="layers", command=layers)


def tests(cache: Path) -> Iterator[Check]:
    """Yield every check that runs something."""
    python = sys.executable
    pytest = (python, *pytest_command(cache), "--continue-on-collection-errors", "--dist", "worksteal")
    measured = ("--cov", "--cov-report=", "--numprocesses", str(os.cpu_count() or 1), *MEASURED)
    yield Check(name="tests of decisions", command=(*pytest, *measured), shown_live=True)
    yield Check(name="coverage of decisions", command=(python, "-m", "coverage", "report", *decisions()))
    side_by_side = ("--numprocesses", str(workers()), *(f"--ignore={name}" for name in MEASURED))
    yield Check(name="tests of all else", command=(*pytest, *side_by_side, *all_else()), shown_live=True)


def all_else() -> Iterator[str]:
    """Yield the files and folders of all other tests, the long ones first."""
    yield from LONG
    for path in sorted((ROOT / "tests").iterdir()):
        name = path.relative_to(ROOT).as_posix()
        is_test = path.is_dir() or path.match("test_*.py")
        if is_test and name not in {*LONG, *MEASURED, *NO_TESTS}:
            yield name


def workers() -> int:
    """Return how many processes do the other tests: those wait more than they work, so more than processors are useful."""
    return min(WORKERS_A_PROCESSOR * (os.cpu_count() or 1), MOST_WORKERS)


def pytest_command(cache: Path) -> tuple[str, ...]:
    """Return how Python starts pytest."""
    colour = ("--color=yes",) if sys.stdout.isatty() else ()
    return ("-m", "pytest", "-o", f"cache_dir={cache / 'pytest'}", *colour)


def decisions() -> tuple[str, ...]:
    """Return coverage's options for the modules of which every branch is to be tested."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dropglow"]
    include = ",".join(settings["fully-covered"])
    omit = ",".join(settings["except-from-full-coverage"])
    return (f"--include={include}", f"--omit={omit}", "--fail-under=100")


def cache_folder() -> Path:
    """Return a folder to write to: in the checkout, or this user's own if the checkout is somebody else's."""
    folder = ROOT / ".cache"
    if not os.access(folder if folder.exists() else ROOT, os.W_OK):
        folder = Path(tempfile.gettempdir()) / f"dropglow-checks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def use_cache(cache: Path) -> None:
    """Turn every tool's cache to *cache*, so that a checkout stays as it was, but for Python's own, which nobody tracks.

    Without that one, each of the hundreds of processes that tests start would read the source again.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["RUFF_CACHE_DIR"] = str(cache / "ruff")
    os.environ["MYPY_CACHE_DIR"] = str(cache / "mypy")
    os.environ["COVERAGE_FILE"] = str(cache / "coverage")


def carry_out(check: Check) -> Outcome:
    """Run *check*; show what it prints while it runs, or afterwards and only if it failed."""
    print(f"── {check.name}", flush=True)
    began = time.monotonic()
    with subprocess.Popen(
        check.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        output = b"".join(pieces(process, shown=check.shown_live)).decode(errors="replace")
    passed = process.returncode == 0
    if not passed and not check.shown_live:
        print(f"── {check.name}: FAILED\n{output.rstrip()}", flush=True)
    return Outcome(name=check.name, passed=passed, took_s=time.monotonic() - began, output=output)


def pieces(process: "subprocess.Popen[bytes]", *, shown: bool) -> Iterator[bytes]:
    """Yield the output of *process* as it comes, so that a row of dots grows before the reader's eyes."""
    if process.stdout is None:
        return
    while piece := os.read(process.stdout.fileno(), 65536):
        if shown:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        yield piece


def print_table(outcomes: list[Outcome]) -> None:
    """Print one line a check."""
    print("\n── summary")
    for outcome in outcomes:
        verdict = "ok" if outcome.passed else "FAILED"
        print(f"{outcome.name:<24}{verdict:<8}{outcome.took_s:6.1f} s")


def closing_line(outcomes: list[Outcome], *, took_s: float) -> str:
    """Return the sum of the lines with which pytest closed its runs, as it would write it."""
    sums: Counter[str] = Counter()
    for outcome in outcomes:
        for line in CLOSING_LINE.finditer(outcome.output):
            sums.update({word.rstrip("s"): int(number) for number, word in COUNT.findall(line.group())})
    told = ", ".join(
        f"{number} {word}{'s' if word == 'error' and number > 1 else ''}" for word, number in sums.items()
    )
    return f"==== {told or 'no tests ran'} in {took_s:.2f}s ===="


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
