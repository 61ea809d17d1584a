"""Mutated pictures, prompts and names go as far as they would before they are paid for, and nothing goes wrong.

Two thousand of them as a rule. ``TEST_MILLION=1 python3 daemon test tests/mutants -n 2`` sends a million, in
forty parts, and takes half an hour of two processors; with ``-o faulthandler_timeout=2500`` it may be a busy machine,
and with ``-rP`` it shows what became of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
THOROUGH: Final = bool(os.environ.get("TEST_MILLION"))
SEEDS: Final = range(1, 41 if THOROUGH else 2)
MUTANTS: Final = 25_000 if THOROUGH else 2_000  # of one seed
PATIENCE_S: Final = 2400.0 if THOROUGH else 280.0  # below that of pytest, which would tell nothing

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", SEEDS)
def test_no_mutant_does_harm(seed: int, tmp_path: Path) -> None:
    """No exception that nobody expects, nothing written outside the inbox, and the process alive at the end."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants.gauntlet", str(seed), str(MUTANTS), str(tmp_path / "gauntlet")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'daemon'}:{ROOT}"},
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    print(done.stdout.decode())
    tally = json.loads(done.stdout)
    assert MUTANTS == tally["pictures"] + tally["prompts"] + tally["names"]
    assert min(tally["refused pictures"], tally["orders"], tally["claimed names"]) > MUTANTS // 100
