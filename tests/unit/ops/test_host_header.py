"""Which requests are meant for this service."""

from __future__ import annotations

import pytest

from dropglow.ops.host_header import Place, meant_for_us


@pytest.mark.parametrize(
    ("header", "address", "port"),
    [
        ("127.0.0.1:9817", "127.0.0.1", 9817),
        ("localhost:9817", "127.0.0.1", 9817),
        ("LOCALHOST:9817", "127.0.0.1", 9817),
        ("localhost:9817", "::1", 9817),
        ("[::1]:9817", "::1", 9817),
        ("[0:0:0:0:0:0:0:1]:9817", "::1", 9817),
        ("192.168.1.5:9817", "::ffff:192.168.1.5", 9817),
        ("127.0.0.1", "127.0.0.1", 80),
        ("[::1]", "::1", 80),
    ],
)
def test_the_address_itself_is_ours(header: str, address: str, port: int) -> None:
    """The address that the connection came to, in any spelling, and localhost where it is this machine's own."""
    assert meant_for_us(header, address=address, port=port)


@pytest.mark.parametrize(
    "header",
    [
        "",
        ":",
        ":9817",
        "evil.example:9817",
        "127.0.0.1.evil.example:9817",
        "localhost.evil.example:9817",
        "127.0.0.1",  # port 80
        "127.0.0.1:9818",
        "127.0.0.1:",
        "127.0.0.1:09817x",
        "127.0.0.1:99999",
        pytest.param(f"127.0.0.1:{'9' * 5000}", id="more digits than Python reads as a number"),
        "127.0.0.1:9817, evil.example",
        "user@127.0.0.1:9817",
        "[::1]:9817",
        "[127.0.0.1:9817",
        "[]:9817",
        "[::1]9817",
        "192.168.1.5:9817",
        "0.0.0.0:9817",
    ],
)
def test_any_other_name_is_not(header: str) -> None:
    """A name that somebody lets lead here is not ours, nor is our name with another port."""
    assert not meant_for_us(header, address="127.0.0.1", port=9817, names=[])


def test_localhost_is_no_name_of_an_address_in_a_network() -> None:
    """It leads here on this machine only, and there the connection comes to a loopback address."""
    assert not meant_for_us("localhost:9817", address="192.168.1.5", port=9817)
    assert not meant_for_us("localhost:9817", address="", port=9817)


def test_names_of_the_operator_are_ours() -> None:
    """With the port of the connection, or with the one that was given: another machine may pass ports on."""
    names = [Place(host="nas", port=None), Place(host="nas.example", port=443)]
    asked = {
        header: meant_for_us(header, address="172.17.0.2", port=9817, names=names)
        for header in ("nas:9817", "NAS:9817", "nas", "nas.example:443", "nas.example:9817", "nas.example")
    }

    assert {
        "nas:9817": True,
        "NAS:9817": True,
        "nas": False,
        "nas.example:443": True,
        "nas.example:9817": False,
        "nas.example": False,
    } == asked
