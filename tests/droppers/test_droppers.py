"""Files that real programs bring: all taken, each once, none before it is whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.droppers.bed import Errand, Site, Source
from tests.droppers.droppers import DROPPERS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PATIENCE_S = 120.0


@pytest.mark.parametrize("name", DROPPERS)
def test_what_a_program_drops_is_taken_whole_and_once(
    name: str, equipped: None, sources: list[Source], site: Site, tmp_path: Path
) -> None:
    """Every file that a program brings is taken once, with the bytes of its source, and ends in ``_done``."""
    errand = Errand(sources=sources, inbox=site.inbox(name), workshop=tmp_path)
    if obstacle := DROPPERS[name].obstacle(errand):
        pytest.skip(obstacle)
    whole = Counter((source.name, source.sha256) for source in sources)

    DROPPERS[name].drop(errand)
    site.until(lambda: site.rested(name) >= len(sources), limit_s=PATIENCE_S)

    assert (site.taken(name), site.kept(name), site.left(name)) == (whole, whole, [])
