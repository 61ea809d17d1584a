"""What is installed is `dropglow` and nothing else, from a checkout as from a wheel."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

import pytest

import dropglow

ROOT: Final = Path(__file__).resolve().parent.parent
DAEMON: Final = ROOT / "daemon"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel built from this checkout, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    """Return the names of all files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_only_top_level_name_is_dropglow(names: list[str]) -> None:
    """Installing the wheel makes nothing else importable, least of all `daemon`, which is another project's."""
    top_level = {name.split("/")[0] for name in names}

    assert top_level == {
        "dropglow",
        f"dropglow-{dropglow.__version__}.dist-info",
        f"dropglow-{dropglow.__version__}.data",
    }


def test_every_module_is_in_the_wheel(names: list[str]) -> None:
    """No module, and no file that a module reads, is left behind."""
    sources = {
        path.relative_to(DAEMON).as_posix()
        for path in (DAEMON / "dropglow").rglob("*")
        if path.is_file() and path.suffix in {".py", ".sql", ".typed", ".json", ".html", ".js", ".css"}
    }

    assert sources - set(names) == set()


@pytest.mark.parametrize("folder", ["rules", "systemd"])
def test_what_people_copy_is_in_the_wheel(names: list[str], folder: str) -> None:
    """Every example rule is installed under `share/dropglow/rules`, every unit under `share/dropglow/systemd`."""
    marker = f".data/data/share/dropglow/{folder}/"
    shipped = {name.partition(marker)[2] for name in names if marker in name}
    source = ROOT / folder

    assert shipped == {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}


def test_what_shells_and_man_look_for_is_in_the_wheel(names: list[str]) -> None:
    """The manual page and the completions are installed where a system looks for them, and `json.md` beside them."""
    marker = ".data/data/share/"
    shipped = {
        name.partition(marker)[2] for name in names if marker in name and "/dropglow/rules/" not in name
    }
    source = DAEMON / "share"

    wanted = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert 4 == len(wanted)
    assert wanted | {"doc/dropglow/json.md"} <= shipped


def test_the_wheel_names_its_version_and_command(wheel: Path) -> None:
    """Version and command of the wheel are the package's own."""
    with zipfile.ZipFile(wheel) as archive:
        folder = f"dropglow-{dropglow.__version__}.dist-info"
        metadata = archive.read(f"{folder}/METADATA").decode()
        commands = archive.read(f"{folder}/entry_points.txt").decode()

    assert f"\nVersion: {dropglow.__version__}\n" in metadata
    assert "dropglow = dropglow.cli.main:main" in commands
    assert {"journal", "notify", "test"} == set(re.findall(r"(?m)^Provides-Extra: (.*)$", metadata))


def test_the_installed_version_is_the_one_in_the_source() -> None:
    """An installation that has been forgotten after a change of version is noticed."""
    try:
        installed = distribution("dropglow").version
    except PackageNotFoundError:
        pytest.skip("run from the source alone, nothing is installed")

    assert installed == dropglow.__version__


def test_daemon_is_no_package() -> None:
    """The source root has no `__init__.py`: `import daemon` belongs to another project."""
    assert not (DAEMON / "__init__.py").exists()


def test_an_old_python_can_read_the_first_step() -> None:
    """Python 3.6 can parse `daemon/__main__.py`, so that it can say what is needed."""
    source = (DAEMON / "__main__.py").read_text(encoding="utf-8")

    tree = ast.parse(source, feature_version=(3, 6))

    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.NamedExpr, ast.Match))]
    assert "from __future__" not in source


def test_the_lock_names_no_index() -> None:
    """The pinned releases can come from any index: the file has sums and no addresses."""
    lock = (DAEMON / "requirements.lock").read_text(encoding="utf-8")

    assert "://" not in lock
    assert "--index-url" not in lock
    assert "--find-links" not in lock


def test_every_pinned_release_has_a_sum() -> None:
    """No package can be exchanged on its way: each is followed by at least one sum."""
    lock = (DAEMON / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"(?m)^(?:#: )?([\w.-]+)==.*\\\n(?:#: )? +--hash=sha256:[0-9a-f]{64}", lock)

    assert len(entries) == len(re.findall(r"(?m)^(?:#: )?[\w.-]+==", lock))
    assert {"watchdog", "httpx", "pyyaml", "structlog", "pytest", "hatchling", "systemd-python"} <= set(
        entries
    )
