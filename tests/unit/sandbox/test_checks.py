"""How a value is checked against a rule, and how the complaints read."""

from __future__ import annotations

from typing import Any

import pytest

from dropglow.sandbox.checks import Decimal, Flag, Items, Number, Rule, Shape, Source, Text, complain

UPLOAD = "510aabb4-26c5-4a5f-93b2-1a6f9ab1ee2a"
OLD_UUID = "510aabb4-26c5-1a5f-93b2-1a6f9ab1ee2a"
STORE = Source(domains=("amazonaws.com",), longest=40)
PORTED = Source(domains=("amazonaws.com",), ports=(443,), any_uuid=True)


def said(value: object, rule: Rule) -> list[str]:
    """Return the complaints about a value as place and message."""
    found = complain(value, rule, ("body",))
    return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found]


@pytest.mark.parametrize(
    ("value", "rule", "message"),
    [
        (None, Text(), "none is not an allowed value"),
        (3, Text(), "str type expected"),
        ("", Text(shortest=1), "ensure this value has at least 1 characters"),
        ("abc", Text(longest=2), "ensure this value has at most 2 characters"),
        (3, Text(choices=("a", "b")), "value is not a valid enumeration member; permitted: 'a', 'b'"),
        (1.5, Number(), "value is not a valid integer"),
        (True, Number(), "value is not a valid integer"),
        (float("nan"), Number(), "value is not a valid integer"),
        (0, Number(least=1), "ensure this value is greater than or equal to 1"),
        (0, Number(above=0), "ensure this value is greater than 0"),
        (5, Number(most=4), "ensure this value is less than or equal to 4"),
        (5, Number(choices=(2, 6)), "value is not a valid enumeration member; permitted: 2, 6"),
        ("1", Decimal(least=0, most=1), "value is not a valid float"),
        (False, Decimal(least=0, most=1), "value is not a valid float"),
        (float("inf"), Decimal(least=0, most=1), "value is not a valid float"),
        (-0.1, Decimal(least=0, most=1), "ensure this value is greater than or equal to 0"),
        (1.1, Decimal(least=0, most=1), "ensure this value is less than or equal to 1"),
        (1, Flag(), "value could not be parsed to a boolean"),
        ({}, Items(item=Number()), "value is not a valid list"),
        ([], Items(item=Number(), fewest=1), "ensure this value has at least 1 items"),
        ([1, 2], Items(item=Number(), most=1), "ensure this value has at most 1 items"),
        ([1, 1.0], Items(item=Number(), unique=True), "the list has duplicated items"),
        ([], Shape(fields={}), "value is not a valid dict"),
        ([], STORE, "value is not a valid dict"),
        ({}, STORE, "exactly one of uploadId and url must be given"),
    ],
)
def test_a_fault_has_its_words(value: object, rule: Rule, message: str) -> None:
    """They follow the examples in Adobe's document."""
    assert [f"body: {message}"] == said(value, rule)


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("🦊" * 4, Text(longest=4)),
        ("a", Text(choices=("a", "b"))),
        (2.0, Number(choices=(2, 6))),
        (0, Decimal(least=0, most=1)),
        (0.25, Decimal(least=0, most=1)),
        (False, Flag()),
        ([1, 1], Items(item=Number())),
        ([1, 2, 2.5], Items(item=Decimal(least=0, most=9), unique=True)),
        ({"unknown": None}, Shape(fields={"known": Text()})),
        ({"uploadId": UPLOAD.upper()}, STORE),
        ({"uploadId": OLD_UUID}, PORTED),
        ({"url": "https://AMAZONAWS.com/a"}, STORE),
        ({"url": "https://b.amazonaws.com:443/a"}, PORTED),
    ],
)
def test_what_fits_is_let_through(value: object, rule: Rule) -> None:
    """Nothing is said about it."""
    assert [] == said(value, rule)


@pytest.mark.parametrize(
    "url",
    [
        "https://amazonaws.com.example.com/a", "https://user@example.com/a", "http://b.amazonaws.com/a",
        "https://b.amazonaws.com:8443/a", "https://b.amazonaws.com:443/a", "https://b.amazonaws.com:x/a",
        "https://[amazonaws.com/a", "amazonaws.com/a", "https:///a",
    ],
)  # fmt: skip
def test_a_strange_address_is_refused(url: str) -> None:
    """Only https on the listed domains is let through, on the usual port."""
    assert ["body.url: the domain of the url is not allowed; permitted: amazonaws.com"] == said(
        {"url": url}, STORE
    )


@pytest.mark.parametrize(
    "value", [{"uploadId": OLD_UUID}, {"uploadId": 3}, {"uploadId": UPLOAD + "0"}, {"uploadId": ""}]
)
def test_an_upload_id_is_a_uuid(value: Any) -> None:
    """Of version 4, where the document asks for that."""
    assert ["body.uploadId: value is not a valid uuid"] == said(value, STORE)


def test_a_long_address_is_refused() -> None:
    """The limit counts characters."""
    url = "https://b.amazonaws.com/" + "a" * 20

    assert ["body.url: ensure this value has at most 40 characters"] == said({"url": url}, STORE)


def test_places_lead_to_the_fault() -> None:
    """Names and numbers alternate as the body does."""
    rule = Shape(fields={"some": Items(item=Shape(fields={"thing": Flag()}, required=frozenset({"thing"})))})

    assert ["body.some.1.thing: field required"] == said({"some": [{"thing": True}, {}]}, rule)


def test_a_complaint_carries_its_limit() -> None:
    """A program can read what a person reads."""
    found = list(complain(5, Number(most=4), ("body", "numVariations")))

    assert [
        {
            "loc": ["body", "numVariations"],
            "msg": "ensure this value is less than or equal to 4",
            "type": "value_error.number.not_le",
            "ctx": {"limit_value": 4},
        }
    ] == found
