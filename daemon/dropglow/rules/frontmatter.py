"""Part a prompt file into front matter and prompt, and let it override the rule.

Whoever drops a file is not the operator: front matter may change parameters,
but it names no files of this computer and reads no environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dropglow.errors import SourceFault
from dropglow.rules.parameters import Parameters
from dropglow.rules.positions import Document, parse
from dropglow.rules.problem import Problem
from dropglow.rules.review import Review, review
from dropglow.rules.source import Beside, readable_address

FENCE: Final = "---"
OPEN_HINT: Final = (
    "write a second line --- between the parameters and the prompt, or begin the prompt with something else,"
    " and drop the file again"
)
_HINT: Final = "mend the lines between the --- lines and drop the file again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """A prompt file's two parts. ``front`` is None where there is none."""

    front: str | None
    front_line: int = 0  # of the file: where it begins
    text: str  # trimmed
    line: int = 1  # of the file: where the text begins
    fault: str | None = None  # why nobody can tell the parts; there is no text then


def divided(text: str) -> Divided:
    """Return the front matter and the prompt of a prompt file's *text*.

    A file that begins with dashes was meant to have front matter. Where that is
    not whole, its lines are no prompt: whoever bought them would pay for a slip.
    """
    first = _first_line(text)
    if not text.lstrip().startswith(FENCE):
        return Divided(front=None, text=text.strip(), line=first)
    lines = text.lstrip().split("\n")
    if lines[0].rstrip() != FENCE:
        return Divided(front=None, text="", fault=f"the first line begins with {FENCE} and has more on it")
    for place, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            prompt = "\n".join(lines[place + 1 :])
            return Divided(
                front="\n".join(lines[1:place]),
                front_line=first + 1,
                text=prompt.strip(),
                line=first + place + _first_line(prompt),
            )
    fault = f"the front matter is never closed: the first line is {FENCE}, and no other line is"
    return Divided(front=None, text="", fault=fault)


def _first_line(text: str) -> int:
    """Return which line of *text* is the first with something on it, from 1."""
    return text[: len(text) - len(text.lstrip())].count("\n") + 1


def overridden(parameters: Parameters, front: str, *, first_line: int = 2) -> Parameters:
    """Return *parameters* with what *front* says about them for one drop.

    Args:
        parameters: The rule's.
        front: The front matter, without its fences.
        first_line: The line of the file that it begins at, for faults.

    Raises:
        SourceFault: It is no YAML, or says something that the operation does not know or Adobe does not allow.
    """
    document = parse(front, environ=None)
    if document.problems:
        _refuse([f"line {place.line + first_line - 1}: {message}" for place, message in document.problems])
    if document.value is None:
        return parameters
    # What the rule says was checked with the rule; here only what the drop says is looked at for its form.
    said = review(type(parameters), document.value)
    merged = _merged(parameters, said.value)
    problems = [*said.problems, *_foreign_files(said.value), *_contradictions(merged, said)]
    if isinstance(document.value, dict):
        problems += parameters.twice(document.value)
    if problems:
        _refuse(_told(document, problems, first_line))
    return merged


def addresses(parameters: type[Parameters], front: str) -> dict[str, str]:
    """Return the address for each slot that *front* gives one. It must have been found free of faults.

    They are signed: they may go to Adobe, and nowhere else.
    """
    said = review(parameters, parse(front, environ=None).value or {}).value
    return {picture.slot: picture.source.url for picture in said.pictures() if picture.source.url is not None}


def _contradictions(merged: Parameters, said: Review[Parameters]) -> Iterator[Problem]:
    """Yield what does not go together, but for what lies at a value that is at fault itself."""
    yield from (problem for problem in merged.faults() if problem.path not in said.places)


def _merged(parameters: Parameters, said: Parameters) -> Parameters:
    base = parameters.model_dump(exclude_none=True)
    news = said.model_dump(exclude_none=True)
    for many, one in parameters.twins.items():
        if many in news or one in news:
            base.pop(many, None)
            base.pop(one, None)
    return type(parameters).model_validate(_laid_over(base, news))


def _laid_over(base: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in news.items():
        before = result.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            result[key] = _laid_over(before, value)
        else:
            result[key] = value
    return result


def _foreign_files(said: Parameters) -> Iterator[Problem]:
    for picture in said.pictures():
        name = next(step for step in reversed(picture.at) if isinstance(step, str))
        if picture.source.url is None:
            message = f"{name}: a file can only stand in the rule; here it can be an https address that Adobe reads from"
            yield Problem(path=picture.at, message=message, of_key=True)
        elif not readable_address(picture.source.url, said.domains):
            message = f"{name}: Adobe does not read from that host, but from {', '.join(said.domains)}"
            yield Problem(path=picture.at, message=message)
    if isinstance(said.said_prompt, Beside):
        yield Problem(path=("prompt",), message="prompt: a file can only stand in the rule", of_key=True)


def _told(document: Document, problems: Iterable[Problem], first_line: int) -> list[str]:
    lines = sorted(
        (document.position(problem).line + first_line - 1, problem.message) for problem in problems
    )
    return [f"line {line}: {message}" for line, message in lines]


def _refuse(faults: list[str]) -> None:
    raise SourceFault(f"the front matter of this prompt cannot be used: {'; '.join(faults)}", hint=_HINT)
