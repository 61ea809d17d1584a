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
from dropglow.rules.review import Review, review
from dropglow.rules.shape import Problem

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
    text: str  # trimmed
    fault: str | None = None  # why nobody can tell the parts; there is no text then


def divided(text: str) -> Divided:
    """Return the front matter and the prompt of a prompt file's *text*.

    A file that begins with dashes was meant to have front matter. Where that is
    not whole, its lines are no prompt: whoever bought them would pay for a slip.
    """
    if not text.startswith(FENCE):
        return Divided(front=None, text=text.strip())
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return Divided(front=None, text="", fault=f"the first line begins with {FENCE} and has more on it")
    for place, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            front, prompt = lines[1:place], lines[place + 1 :]
            return Divided(front="\n".join(front), text="\n".join(prompt).strip())
    fault = f"the front matter is never closed: the first line is {FENCE}, and no other line is"
    return Divided(front=None, text="", fault=fault)


def overridden(parameters: Parameters, front: str) -> Parameters:
    """Return *parameters* with what *front* says about them for one drop.

    Raises:
        SourceFault: It is no YAML, or says something that the operation does not know or Adobe does not allow.
    """
    document = parse(front, environ=None)
    if document.problems:
        _refuse([f"line {place.line + 1}: {message}" for place, message in document.problems])
    if document.value is None:
        return parameters
    # What the rule says was checked with the rule; here only what the drop says is looked at for its form.
    said = review(type(parameters), document.value)
    merged = _merged(parameters, said.value)
    problems = [*said.problems, *_foreign_files(said.value), *_contradictions(merged, said)]
    if isinstance(document.value, dict):
        problems += parameters.twice(document.value)
    if problems:
        _refuse(_told(document, problems))
    return merged


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
    for file in said.files():
        message = f"{file.at[-1]} can only stand in the rule, not in a dropped file"
        yield Problem(path=file.at, message=message, of_key=True)


def _told(document: Document, problems: Iterable[Problem]) -> list[str]:
    lines = sorted((document.position(problem).line + 1, problem.message) for problem in problems)
    return [f"line {line}: {message}" for line, message in lines]


def _refuse(faults: list[str]) -> None:
    raise SourceFault(f"the front matter of this prompt cannot be used: {'; '.join(faults)}", hint=_HINT)
