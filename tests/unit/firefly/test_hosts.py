"""Who may see the token, and from where results may come."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.errors import ConfigError, ProtocolError
from dropglow.firefly.hosts import Gate, clean_id, is_public, job_id_like, origin_of
from dropglow.firefly.settings import ApiSettings
from dropglow.model import RemoteId, Submission

LOCAL: dict[str, Any] = {"base_url": "http://127.0.0.1:9000/", "token_url": "http://localhost:9001/token"}


def receipt(status_url: str, remote_id: str = "urn:ff:jobs:eso1:1") -> Submission:
    return Submission(remote_id=RemoteId(remote_id), status_url=status_url)


@pytest.mark.parametrize(
    "url",
    [
        "https://firefly-api.adobe.io/v3/status/urn:ff:jobs:1",
        "https://firefly-epo854211.adobe.io/v3/status/1",
        "https://firefly-epo854211.adobe.io:443/v3/status/1?a=b",
        "HTTPS://FIREFLY-EPO854211.Adobe.IO/v3/status/1",
    ],
)
def test_adobe_s_own_hosts_may_see_the_token(url: str) -> None:
    """The API's host and its shards are trusted, in any case of letters."""
    assert Gate(ApiSettings()).may_see_token(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/v3/status/1",
        "http://firefly-api.adobe.io/v3/status/1",
        "https://firefly-api.adobe.io:8443/v3/status/1",
        "https://firefly-api.adobe.io:0/",
        "https://firefly-api.adobe.io:99999/",
        "https://firefly-api.adobe.io@evil.example/",
        "https://user:word@firefly-api.adobe.io/",
        "https://firefly-api.adobe.io\\@evil.example/",
        "https://firefly-api.adobe.io#@evil.example/",
        "https://firefly-api.adobe.io.evil.example/",
        "https://firefly-x.evil.adobe.io/",
        "https://evilfirefly-x.adobe.io/",
        "https://firefly-api.adobe.io./",
        "https://firefly-\u0430.adobe.io/",  # a Cyrillic letter
        "https://firefly-api..adobe.io/",
        "https:///v3/status/1",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://firefly-api.adobe.io/a b",
        "https://firefly-api.adobe.io/\n",
        "https://firefly-api.adobe.io/" + "a" * 9000,
        "https://" + "a." * 130 + "adobe.io/",
        "ftp://firefly-api.adobe.io/",
    ],
)
def test_nobody_else_may_see_the_token(url: str) -> None:
    """Whatever the parser does not plainly understand is not trusted."""
    assert not Gate(ApiSettings()).may_see_token(url)


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("http://127.0.0.1:9000/v3/status/1", True),
        ("http://127.0.0.1:9001/v3/status/1", False),
        ("http://localhost:9000/v3/status/1", False),
        ("https://127.0.0.1:9000/v3/status/1", False),
        ("https://firefly-epo1.adobe.io/", True),
    ],
)
def test_a_service_on_this_machine_is_trusted_as_it_is_written(url: str, trusted: bool) -> None:
    """Plain http goes to the very host and port of base_url, and nowhere else."""
    assert trusted is Gate(ApiSettings(**LOCAL)).may_see_token(url)


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://pre-signed-firefly-prod.s3-accelerate.amazonaws.com/x?X-Amz-Signature=1", True),
        ("https://a.blob.core.windows.net/x", True),
        ("https://firefly-api.adobe.io/x", True),
        ("https://amazonaws.com/x", False),
        ("https://amazonaws.com.evil.example/x", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("http://a.s3.amazonaws.com/x", False),
    ],
)
def test_results_come_from_the_storages_that_are_named(url: str, trusted: bool) -> None:
    """A leading star stands for one label or more; storage never shows the way to an inner host."""
    assert trusted is Gate(ApiSettings()).may_give_results(url)


@pytest.mark.parametrize("url", ["https://10.0.0.1/x", "https://0x7f.0x1/x", "https://[fe80::1]/x"])
def test_no_glob_lets_an_ip_address_in(url: str) -> None:
    """Even a star for everything means names only."""
    assert not Gate(ApiSettings(result_hosts=("*", "*.*", "*.1"))).may_give_results(url)


def test_a_trusted_address_is_used_as_it_came() -> None:
    """Nothing of it is quoted again."""
    url = "https://firefly-epo854211.adobe.io/v3/status/urn:ff:jobs:eso1:1"

    assert url == Gate(ApiSettings()).status_url(receipt(url))


@pytest.mark.parametrize("url", ["", "/v3/status/1", "https://evil.example/v3/status/1"])
def test_any_other_address_is_rebuilt_from_the_id(url: str) -> None:
    """The documented path on base_url works with the id alone."""
    gate = Gate(ApiSettings(**LOCAL))

    assert "http://127.0.0.1:9000/v3/status/urn:ff:jobs:eso1:1" == gate.status_url(receipt(url))
    assert "http://127.0.0.1:9000/v3/cancel/urn:ff:jobs:eso1:1" == gate.cancel_url(receipt(url))


@pytest.mark.parametrize("remote_id", ["", "..", "a/b", "a b", "a%2f", "a?b", "ä", "a\n", "x" * 201])
def test_an_id_that_is_no_id_builds_no_address(remote_id: str) -> None:
    """Neither a trusted address nor a usable id: the token goes nowhere."""
    with pytest.raises(ProtocolError):
        Gate(ApiSettings()).status_url(receipt("https://evil.example/", remote_id))


@pytest.mark.parametrize("text", ["urn:ff:jobs:eso851211:86ffe2ea-1", "86FFE2EA", "a.b_c"])
def test_adobe_s_ids_are_clean(text: str) -> None:
    """URNs and bare UUIDs may stand in a path."""
    assert clean_id(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "firefly-api.adobe.io"},
        {"base_url": "http://firefly-api.adobe.io"},
        {"base_url": "https://[::::]/"},
        {"base_url": "https://999.1.1.1"},
        {"token_url": "nowhere"},
        {"token_url": "http://ims-na1.adobelogin.com/ims/token/v3"},
        {"token_url": "http://127.0.0.1:9000/token"},
        {"base_url": "http://127.0.0.1:9000", "token_url": "http://ims-na1.adobelogin.com/"},
    ],
)
def test_an_address_without_encryption_is_refused(changes: dict[str, str]) -> None:
    """Credentials go in the clear on this machine only."""
    with pytest.raises(ConfigError):
        Gate(ApiSettings(**changes))  # type: ignore[arg-type]


def test_an_origin_knows_its_usual_port() -> None:
    """Without a number the scheme tells the port."""
    origin = origin_of("http://[::1]")

    assert origin is not None
    assert (80, True, True) == (origin.port, origin.loopback, origin.literal)


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("urn:ff:jobs:eso851211:86ffe2ea-d765-4bd3-b2fd-568ca8fc36ac", True),
        ("86FFE2EA-d765-4bd3-b2fd-568ca8fc36ac", True),
        ("urn:elsewhere:7", True),
        ("urn:", False),
        ("nonsense", False),
        ("86ffe2ea-d765", False),
        ("urn:ff:jobs:x/../y", False),
        ("", False),
    ],
)
def test_a_job_id_has_a_form(text: str, likely: bool) -> None:
    """Urns and bare UUIDs may be job ids of Adobe's; words and paths are not."""
    assert likely is job_id_like(text)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("9.9.9.9", True),
        ("2620:fe::9", True),
        ("::ffff:9.9.9.9", True),
        ("64:ff9b::909:909", True),
        ("2002:909:909::1", True),
        ("10.0.0.8", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("::ffff:10.0.0.8", False),
        ("64:ff9b::a00:8", False),
        ("2002:a00:8::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("ff0e::1", False),
    ],
)
def test_an_address_inside_a_network_is_not_public(address: str, public: bool) -> None:
    """However it is wrapped: what counts is where the packets end."""
    assert public is is_public(address)


@pytest.mark.parametrize(
    ("url", "settings", "strict"),
    [
        ("https://bucket.s3.amazonaws.com/x", {}, True),
        ("https://firefly-api.adobe.io/x", {}, False),
        ("https://bucket.s3.amazonaws.com/x", {"result_hosts": ("BUCKET.s3.amazonaws.com",)}, False),
        ("https://bucket.s3.amazonaws.com/x", LOCAL, False),
        ("no address", {}, False),
    ],
)
def test_only_a_host_that_a_pattern_lets_in_must_be_public(
    url: str, settings: dict[str, Any], strict: bool
) -> None:
    """The API itself, a host that is named in full, and anything beside a local API may be anywhere."""
    assert strict is Gate(ApiSettings(**settings)).must_be_public(url)
