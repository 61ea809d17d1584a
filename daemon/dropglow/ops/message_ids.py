"""The journal's ids of what goes wrong: the same for ever, so that scripts and ``journalctl -x`` know them.

``systemd/dropglow.catalog`` explains each. An id that was given once is never given again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dropglow import vocabulary

MESSAGE_IDS: Final[Mapping[str, str]] = {
    vocabulary.SERVICE_FAILED: "c3afeaf56c0c4fee9493d314ebc95046",
    vocabulary.SERVICE_TROUBLE: "ac45e18a955347c993da281adfc1bdc8",
    vocabulary.SERVICE_BUG: "d040056b55c546f693d3715a63c1b76c",
    vocabulary.SERVICE_STUCK: "0a9c2f76930a4158890f82cc15fa12a5",
    vocabulary.LEDGER_UNAVAILABLE: "89548e11d0154a0b87f45b2a8ed814b0",
    vocabulary.CONFIG_BROKEN: "e037850ec3e64b4297a22326cda0c014",
    vocabulary.CONFIG_NEEDS_RESTART: "51884a77498c44109632823c72a93ad5",
    vocabulary.INBOX_OFFLINE: "f7088c93762c44789ef0dbf067ab9d44",
    vocabulary.INBOX_TROUBLE: "2c2a52684d90404c824339398aeee704",
    vocabulary.OUTBOX_OFFLINE: "39a154c3c0974fe7a00c7c2b6ac2debc",
    vocabulary.WATCHER_DEAF: "250f183d5df745e8a6ab59dbd98205d4",
    vocabulary.DROP_UNMATCHED: "d5d8917c256e4ceca020f52dc5a4fa55",
    vocabulary.DROP_FAILED: "b94a03cdf3ec47f0b0f1496575a86456",
    vocabulary.DROP_HELD: "f3936b403e9c4506ad8e9db9963597f4",
    vocabulary.JOB_DECLINED: "417ee36897e6441a9ce42b8d82826322",
    vocabulary.JOB_IN_DOUBT: "9bf909e577cd4cc585299158371ad4cb",
    vocabulary.JOB_LATE: "10e73391e91f435e9c9dfd8299f90ce5",
    vocabulary.JOB_POSTPONED: "ebebccd5d6fe4aa6827188e66112dfd6",
    vocabulary.JOB_FAILED: "60d5dac70e574a9f8079d77e189cde5b",
    vocabulary.RESULT_SKIPPED: "d6135fc068b341b58100de09972b4507",
    vocabulary.RESULT_FEWER: "720b49f75fe0498db9a5ad04965b594f",
    vocabulary.WISH_REFUSED: "18369e3bcf4c45dfa71c905bda5b79e4",
    vocabulary.WISH_UNANSWERED: "976f85797cdf431799a489e79fe03ff8",
    vocabulary.BACKUP_FAILED: "64418217b429415a9386c916c39872d8",
    vocabulary.JOB_HELD: "1be6b3edcc5347519c28f416da2f8f8c",
    vocabulary.BUDGET_SPENT: "cc1b1ada78f741fca72ae9823ece0ecc",
    vocabulary.SPENDING_PAUSED: "cffccd86c932427e8de7861c268eb304",
}
