"""Where the credentials are found, and that they do not show."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropglow.errors import AuthError
from dropglow.firefly.credentials import CredentialSource, FixedCredentials
from dropglow.secrecy import Secret

ID, SECRET = "FIREFLY_SERVICES_CLIENT_ID", "FIREFLY_SERVICES_CLIENT_SECRET"


def found(environ: dict[str, str]) -> tuple[str, str]:
    credentials = CredentialSource(environ).read()
    return credentials.client_id.reveal(), credentials.client_secret.reveal()


def test_the_environment_is_the_last_resort(tmp_path: Path) -> None:
    """systemd's folder wins over named files, and those over plain variables; each of the two by itself."""
    (tmp_path / "firefly_client_id").write_text("from-systemd\n")
    (tmp_path / "secret").write_text("\ufefffrom-file \n", encoding="utf-8")
    environ = {ID: "plain-id", SECRET: "plain-secret"}

    assert ("plain-id", "plain-secret") == found(environ)
    environ |= {f"{ID}_FILE": "/nowhere", f"{SECRET}_FILE": str(tmp_path / "secret")}
    environ |= {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert ("from-systemd", "from-file") == found(environ)


def test_a_rotated_secret_is_seen_at_the_next_reading(tmp_path: Path) -> None:
    """Nothing is remembered from one reading to the next."""
    path = tmp_path / "secret"
    path.write_text("old")
    source = CredentialSource({ID: "id", f"{SECRET}_FILE": str(path)})
    source.read()

    path.write_text("new")

    assert "new" == source.read().client_secret.reveal()


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "there is no client id"),
        ({ID: "id"}, "there is no client secret"),
        ({ID: "  ", SECRET: "s"}, "is empty"),
        ({ID: "two words", SECRET: "s"}, "characters that no credential has"),
        ({ID: "ünlikely", SECRET: "s"}, "characters that no credential has"),
        ({f"{ID}_FILE": "/nowhere/at/all", SECRET: "s"}, "cannot read /nowhere/at/all"),
    ],
)
def test_what_is_missing_is_told_with_the_three_ways(environ: dict[str, str], words: str) -> None:
    """The hint names every place that is looked at."""
    with pytest.raises(AuthError, match=words) as caught:
        found(environ)

    assert caught.value.service_wide
    for way in ("systemd", "FIREFLY_SERVICES_CLIENT_ID_FILE", "FIREFLY_SERVICES_CLIENT_SECRET"):
        assert way in caught.value.hint


def test_a_secret_does_not_show() -> None:
    """Printing credentials tells nothing."""
    credentials = FixedCredentials(client_id="an-id", client_secret="a-secret").read()

    shown = f"{credentials} {credentials!r} {credentials.client_secret}"
    assert "a-secret" not in shown
    assert "an-id" not in shown


def test_secrets_are_equal_by_their_text() -> None:
    """Equality and hash follow the text, and nothing but a secret equals one."""
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != "a"


def test_a_credential_that_cannot_be_looked_at_is_told() -> None:
    """A folder that refuses is a missing right and no fault of ours: one line says which file."""
    source = CredentialSource({"CREDENTIALS_DIRECTORY": "/" + 300 * "x"})

    with pytest.raises(AuthError, match="cannot read /xxx"):
        source.read()
