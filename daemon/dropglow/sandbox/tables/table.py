"""Say what a table of one operation holds, and what it is shown of a submission.

Pure. Everything an operation does not say for itself is the ordinary case: no model to choose, any size, one
operation charged for each result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from dropglow.sandbox.checks import Complaint, Shape, complaint
from dropglow.sandbox.orders import Input, Manner, Operation, Plain, Role, Upload

__all__ = ["UNKNOWN_SIZE", "Body", "Size", "Spot", "Submission", "Table", "missing", "wrong"]

Size: TypeAlias = tuple[int, int]
Body: TypeAlias = Mapping[str, Any]

DEFAULT_SIZE: Final = (2048, 2048)
# What a picture is taken for that is not at hand: one by URL is never fetched, JPEG XL cannot be read.
UNKNOWN_SIZE: Final = (1024, 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Say where a body may name a picture and what it is for; ``*`` in the path stands for each item of a list."""

    role: Role
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Hold a body that fits its shape, its model, and the pictures it names, each with its upload.

    The upload is None for a URL. Nothing here is checked again.
    """

    body: Body
    model: str
    pictures: tuple[tuple[Input, Upload | None], ...]

    def stored(self, *roles: Role) -> Iterator[tuple[Input, Upload]]:
        """Yield the pictures in these roles that were uploaded."""
        for named, upload in self.pictures:
            if named.role in roles and upload is not None:
                yield named, upload

    def measured(self, *roles: Role) -> Iterator[tuple[Input, Upload]]:
        """Yield the pictures in these roles whose width and height are known."""
        return ((named, upload) for named, upload in self.stored(*roles) if upload.width and upload.height)

    def size_of(self, role: Role) -> Size | None:
        """Return width and height in pixels of the first picture in this role, or None if nobody knows."""
        return next(((upload.width, upload.height) for _, upload in self.measured(role)), None)


def _ordered_size(submission: Submission) -> Size:
    size = submission.body.get("size")
    return (int(size["width"]), int(size["height"])) if size is not None else DEFAULT_SIZE


def _ordered_images(body: Body) -> int:
    return int(body.get("numVariations", len(body.get("seeds", ())) or 1))


def _ordered_seeds(body: Body) -> tuple[int, ...]:
    return tuple(int(seed) for seed in body.get("seeds", ()))


def _any_size(model: str) -> tuple[Size, ...]:  # noqa: ARG001 - the form of its kind
    return ()


def _plain(body: Body) -> Manner:  # noqa: ARG001 - the form of its kind
    return Plain()


def _one_each(size: Size) -> int:  # noqa: ARG001 - the form of its kind
    return 1


def _no_clash(body: Body, model: str) -> Iterator[Complaint]:  # noqa: ARG001 - the form of its kind
    return iter(())


def _no_limit(submission: Submission) -> Iterator[Complaint]:  # noqa: ARG001 - the form of its kind
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Hold what one operation asks of a body.

    ``models`` are the accepted values of x-model-version; without any, the header means nothing. ``model`` is taken
    where the header is missing; None asks for the header. ``clashes`` names fields that do not go together; it is
    shown bodies whose fields may be of a wrong type. ``limits`` names what is wrong with the pictures. ``price`` is
    the number of operations that one result of a size costs.
    """

    operation: Operation
    shape: Shape
    spots: tuple[Spot, ...] = ()
    models: tuple[str, ...] = ()
    model: str | None = ""
    sizes: Callable[[str], tuple[Size, ...]] = _any_size
    clashes: Callable[[Body, str], Iterator[Complaint]] = _no_clash
    limits: Callable[[Submission], Iterator[Complaint]] = _no_limit
    size: Callable[[Submission], Size] = _ordered_size
    images: Callable[[Body], int] = _ordered_images
    seeds: Callable[[Body], tuple[int, ...]] = _ordered_seeds
    manner: Callable[[Body], Manner] = _plain
    price: Callable[[Size], int] = _one_each


def missing(*path: str | int) -> Complaint:
    """Return the complaint that a field of the body is not there."""
    return complaint(("body", *path), "field required", "value_error.missing")


def wrong(message: str, *path: str | int, **context: object) -> Complaint:
    """Return a complaint about a value that is well formed and makes no sense here."""
    return complaint(("body", *path), message, "value_error", **context)
