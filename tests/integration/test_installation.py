"""Installing into a root of one's own, and undoing it: real files, and a machine whose commands are only noted."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dropglow.cli.agreeing import nothing_to_spare
from dropglow.cli.main import main
from dropglow.config import load_config
from dropglow.errors import InstallationError
from dropglow.installation.doing import Hand
from dropglow.installation.machine import Site, shipped, unreachable
from dropglow.installation.plan import Plan, installing, uninstalling
from dropglow.installation.record import RECORD, Record
from dropglow.installation.wanted import CREDENTIAL_FILES, STATE, File, wanted

PASSWD = "root:x:0:0:root:/root:/bin/bash\ndropglow:x:977:976:Dropglow:/var/lib/dropglow:/usr/sbin/nologin\n"


class Scene:
    """The root of a system that does not run."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(root=folder)
        self.told: list[tuple[str, ...]] = []
        self.owned: list[tuple[int, int]] = []
        self.refuses = ""
        self.dies_at: tuple[str, int] = ("", 0)  # which call of its kind it does not survive
        (folder / "etc").mkdir(parents=True)
        (folder / "etc" / "passwd").write_text(PASSWD.splitlines()[0] + "\n")
        self.items = wanted(shipped(), program="/opt/dropglow/bin/dropglow", http=True, systemd=252)

    def command(self, words: Sequence[str]) -> None:
        if self.refuses and self.refuses in words[0]:
            raise InstallationError(f"`{words[0]}` failed")
        self.told.append(tuple(words))
        passwd = self.site.at("/etc/passwd")
        if words[0] in {"systemd-sysusers", "useradd"}:
            passwd.write_text(PASSWD)
        elif words[0] == "userdel":
            passwd.write_text(PASSWD.splitlines()[0] + "\n")
        self.survive("command")

    def own(self, _descriptor: int, user: int, group: int) -> None:
        self.survive("own")
        self.owned.append((user, group))

    def survive(self, kind: str) -> None:
        name, calls = self.dies_at
        self.dies_at = (name, calls - (kind == name))
        if (kind, 0) == self.dies_at:
            raise KeyboardInterrupt

    def carry_out(self, plan: Plan) -> list[str]:
        hand = Hand(
            self.site,
            self.site.record() or Record(),
            manager=False,
            spare=nothing_to_spare,
            command=self.command,
            own=self.own,
        )
        return list(hand.carry_out(plan))

    def install(self) -> list[str]:
        record = self.site.record() or Record()
        return self.carry_out(installing(self.items, self.site.looked_at(self.items, record), record))

    def uninstall(self, *, with_ledger: bool = False) -> list[str]:
        record = self.site.record()
        assert record is not None
        return self.carry_out(uninstalling(self.site.looked_at((), record), record, with_ledger=with_ledger))

    def files(self) -> dict[str, str]:
        """Return everything below the root, with what it is."""
        root = self.site.root
        return {
            f"/{path.relative_to(root)}": "folder" if path.is_dir() else path.read_text(errors="replace")
            for path in sorted(root.rglob("*"))
            if not path.is_symlink()
        }

    def mode(self, path: str) -> str:
        return f"{stat.S_IMODE(self.site.at(path).lstat().st_mode):o}"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "root")


def test_installing_and_undoing_leaves_no_trace(scene: Scene) -> None:
    """But for the user database, which is others' business too."""
    before = scene.files()
    scene.install()
    between = scene.files()

    notes = scene.uninstall()

    assert before == scene.files()
    assert "/etc/systemd/system/dropglow.service.d/http.conf" in between
    assert [] == notes
    assert [(977, 976)] * 3 == scene.owned
    assert ("userdel", "--root", str(scene.site.root), "dropglow") in scene.told


def test_secrets_and_folders_are_for_whom_they_are(scene: Scene) -> None:
    """Whatever the umask of whoever installs."""
    secret = File(path=CREDENTIAL_FILES[0], content=b"canary\n", edited=True, mode=0o600)
    scene.items = (*scene.items, secret)
    before = os.umask(0o077)
    try:
        scene.install()
    finally:
        os.umask(before)

    modes = {
        path: scene.mode(path)
        for path in (
            "/etc/dropglow", "/etc/dropglow/dropglow.yaml", "/etc/dropglow/credentials", CREDENTIAL_FILES[0], RECORD,
            "/srv/dropglow/inbox", "/usr/local/bin", "/etc/systemd/system/dropglow.service",
        )
    }  # fmt: skip
    assert ["755", "644", "700", "600", "600", "2770", "755", "644"] == list(modes.values())
    assert "canary" not in scene.site.at(RECORD).read_text()


def test_what_was_installed_is_sound(scene: Scene) -> None:
    """The first configuration and its rule have no faults, and their folders are those that were made."""
    scene.install()

    config = load_config(str(scene.site.at("/etc/dropglow")), environ={}, cwd="/")

    assert ["/srv/dropglow/inbox"] == [inbox.folder for inbox in config.inboxes]
    assert ["/srv/dropglow/outbox"] == [rule.outbox for rule in config.rules]
    assert STATE == str(config.state)


def test_doing_it_again_changes_nothing(scene: Scene) -> None:
    """Nobody is told anything either."""
    scene.install()
    before = scene.files()
    scene.told.clear()

    scene.install()

    assert before == scene.files()
    assert [] == scene.told


def test_what_people_made_or_dropped_stays(scene: Scene) -> None:
    """With the user that it belongs to; once it is gone, the rest goes as well."""
    scene.install()
    theirs = {"/srv/dropglow/inbox/fox.txt": "a fox", f"{STATE}/ledger.sqlite3": "the ledger"}
    for path, text in theirs.items():
        scene.site.at(path).parent.mkdir(parents=True, exist_ok=True)
        scene.site.at(path).write_text(text)
    scene.site.at("/etc/dropglow/dropglow.yaml").write_text("theirs")

    notes = scene.uninstall()
    left = scene.files()

    assert {**theirs, "/etc/dropglow/dropglow.yaml": "theirs"}.items() <= left.items()
    assert not [path for path in left if path.startswith("/etc/systemd")]
    assert [
        "/srv/dropglow/inbox stays: it is not empty",
        "/srv/dropglow stays: it is not empty",
        "the user dropglow stays: /var/lib/dropglow and /srv/dropglow would belong to nobody",
        "/etc/dropglow stays, with the note of what is left: say the same again when that can go",
    ] == [note for note in notes if not note.startswith(("/srv stays", "/var"))]
    for path in ("/srv/dropglow/inbox/fox.txt", "/etc/dropglow/dropglow.yaml"):
        scene.site.at(path).unlink()
    scene.uninstall(with_ledger=True)
    assert {"/etc", "/etc/passwd"} == {path for path in scene.files() if not path.startswith("/var")}
    assert not scene.site.at(STATE).exists()


def test_a_failure_in_the_middle_can_be_undone(scene: Scene) -> None:
    """What was done before it is noted."""
    before = scene.files()
    scene.refuses = "sysusers" if Path("/usr/bin/systemd-sysusers").exists() else "useradd"
    with pytest.raises(InstallationError):
        scene.install()
    between = scene.files()

    scene.uninstall()

    assert "/etc/sysusers.d/dropglow.conf" in between
    assert before == scene.files()


@pytest.mark.parametrize("moment", [("command", 1), ("own", 1), ("own", 3), ("command", 2)])
def test_an_end_in_the_middle_can_be_undone(scene: Scene, moment: tuple[str, int]) -> None:
    """Also of what was being made when it came: nobody got round to noting it afterwards."""
    before = scene.files()
    scene.dies_at = moment
    with pytest.raises(KeyboardInterrupt):
        scene.install()
    between = scene.files()

    scene.uninstall()

    assert between != before
    assert before == scene.files()


def test_an_end_in_the_middle_can_be_mended(scene: Scene) -> None:
    """What was meant to come, comes: nobody removed it."""
    whole = Scene(scene.site.root.parent / "whole")
    whole.install()
    scene.dies_at = ("own", 2)
    with pytest.raises(KeyboardInterrupt):
        scene.install()

    scene.install()

    assert whole.files() == scene.files()


def test_a_folder_that_was_there_before_keeps_nothing_of_ours(scene: Scene) -> None:
    """Not the note of what was done, either: there is nothing more to undo."""
    scene.site.at("/etc/dropglow").mkdir()
    before = scene.files()
    scene.install()

    scene.uninstall()

    assert before == scene.files()
    assert scene.site.record() is None


def test_where_nothing_could_be_done_nothing_is_said_to_be_noted(scene: Scene) -> None:
    """The folder for the note is the first thing that is made."""
    plan = installing(scene.items, scene.site.looked_at(scene.items, Record()), Record())
    scene.site.at("/etc/dropglow").write_text("in the way")

    with pytest.raises(InstallationError) as caught:
        scene.carry_out(plan)

    assert caught.value.hint == "nothing was done: mend this and say the same again"


def test_a_program_behind_a_link_is_the_same_program(scene: Scene, tmp_path: Path) -> None:
    """Some systems have /opt or /usr/local elsewhere, and a link in its place."""
    program = tmp_path / "opt" / "bin" / "dropglow"
    (tmp_path / "elsewhere" / "bin").mkdir(parents=True)
    (tmp_path / "opt").symlink_to("elsewhere")
    program.touch()
    before = scene.files()
    scene.items = wanted(shipped(), program=str(program), http=True, systemd=252)
    scene.install()

    again = installing(scene.items, scene.site.looked_at(scene.items, Record()), Record())
    scene.uninstall()

    assert () == again.faults
    assert before == scene.files()


def test_a_catalogue_that_cannot_be_read_is_no_reason_to_stop(scene: Scene) -> None:
    """Everything works without it."""
    scene.refuses = "journalctl"

    notes = scene.install()

    assert [True] == [note.startswith("`journalctl -x` does not explain") for note in notes]


def test_a_file_that_came_meanwhile_is_not_replaced(scene: Scene) -> None:
    """Between the plan and its execution somebody else may act."""
    record = Record()
    plan = installing(scene.items, scene.site.looked_at(scene.items, record), record)
    unit = scene.site.at("/etc/systemd/system/dropglow.service")
    unit.parent.mkdir(parents=True)
    unit.write_text("theirs")

    with pytest.raises(InstallationError, match="file exists"):
        scene.carry_out(plan)

    assert "theirs" == unit.read_text()


@pytest.mark.parametrize("path", ["/root/venv/bin/dropglow", "/home/eve/.local/bin/dropglow"])
def test_a_program_in_somebody_s_home_cannot_be_a_service(path: str) -> None:
    """The unit forbids it to look there; that is said before anything is done."""
    assert "pipx install --global dropglow" in unreachable(path)


def said(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


def test_a_dry_run_says_all_and_does_nothing(tmp_path: Path) -> None:
    """For anybody, without asking."""
    result = said("install", "--dry-run", "--root", str(tmp_path))

    assert (0, []) == (result.exit_code, list(tmp_path.iterdir()))
    assert "  make the user dropglow, who cannot log in\n" in result.output
    assert "What is left to do" not in result.output


def test_nothing_is_done_where_nobody_can_agree(tmp_path: Path) -> None:
    """Neither root without a terminal nor anybody else."""
    result = said("install", "--root", str(tmp_path))

    assert (os.geteuid() == 0) is (result.exit_code == 2)
    assert [] == list(tmp_path.iterdir())


def test_there_is_nothing_to_undo_where_nothing_was_done(tmp_path: Path) -> None:
    """What was installed by hand is not guessed at."""
    result = said("uninstall", "--yes", "--root", str(tmp_path))

    assert 1 == result.exit_code
    assert "nothing to undo" in result.output
