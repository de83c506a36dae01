"""Offers: the cases in a person's Python file or module, by name.

A case is a `Case` at module level, or a function that is marked by `@xcheck.case` and returns one.
"""

import inspect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from xcheck.checks.case import Case, is_case
from xcheck.cli.python.names import Binding, bindings_of
from xcheck.cli.python.source import Reference, Source, load
from xcheck.errors import Complaint, DefinitionError

_WRITE = """write
    @xcheck.case
    def mine():
        return xcheck.Case(objectives=loss, params=params, data=(x, y))"""


@dataclass(frozen=True, slots=True, eq=False)
class DiscoveredCase:
    """One case of a source.

    Attributes:
        name: as it may be typed on the command line.
        key: its own name.
        line: where it stands; None where that is unknown.
        case: what is to be checked.
        source: where it comes from.
    """

    name: str
    key: str
    line: int | None
    case: Case
    source: Source

    def located(self, complaint: Complaint) -> Complaint:
        """Return a complaint about this case with its place."""
        return replace(complaint.under(self.key), file=self.source.shown, line=self.line)


def discover_cases(wanted: Reference) -> list[DiscoveredCase]:
    """Load what a MODEL names and return its cases in the order of definition.

    Raises:
        DefinitionError: it cannot be loaded, offers nothing or not this name, or a function returns no case.
    """
    source = load(wanted)
    lines, found = bindings_of(source.module), _marked(source)
    chosen = _chosen(source, found, lines)
    twice = [_twice(source, name, lines[name].cases) for name in chosen if len(lines[name].cases) > 1]
    if twice:
        raise DefinitionError(twice)
    offers: list[DiscoveredCase] = []
    complaints: list[Complaint] = []
    for name, value in chosen.items():
        line = max(lines[name].lines, default=None)
        try:
            offers.append(DiscoveredCase(wanted.named(name), name, line, _called(source, name, value, line), source))
        except DefinitionError as error:
            complaints += error.complaints
    if complaints:
        raise DefinitionError(complaints)
    return offers


def _marked(source: Source) -> dict[str, Any]:
    """Return cases and functions that return one, by name; what has two names goes by the first, unless asked for."""
    found = {name: value for name, value in vars(source.module).items() if is_case(value)}
    if source.reference.name is not None:
        return found
    first = {id(value): name for name, value in reversed(found.items())}
    return {name: value for name, value in found.items() if first[id(value)] == name}


def _chosen(source: Source, found: Mapping[str, Any], lines: defaultdict[str, Binding]) -> Mapping[str, Any]:
    """Return all, or the one that was asked for.

    Raises:
        DefinitionError: there is none, or not this one.
    """
    name = source.reference.name
    if name is not None and name in found:
        return {name: found[name]}
    if name is not None and name in vars(source.module):
        kind = type(vars(source.module)[name]).__name__
        raise DefinitionError(
            source.complaint(f"{name} is a {kind} and no case; {_WRITE}", max(lines[name].lines, default=None))
        )
    if name is not None and found:
        close = get_close_matches(name, found, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise DefinitionError(source.complaint(f"there is no case {name}{hint} (cases: {', '.join(found)})"))
    if not found:
        raise DefinitionError(source.complaint(f"offers nothing to check; {_WRITE}{_functions(source)}"))
    return found


def _called(source: Source, name: str, value: Any, line: int | None) -> Case:
    """Return the case itself.

    Raises:
        DefinitionError: the function raises, or returns something else.
    """
    if isinstance(value, Case):
        return value
    with source.running(f"{name} raises", line):
        made = value()
    if not isinstance(made, Case):
        text = f"{name} returns {_described(made)}, not an xcheck.Case; {_WRITE}"
        raise DefinitionError(source.complaint(text, line))
    return made


def _described(value: object) -> str:
    kind = type(value).__name__
    return "None" if value is None else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _functions(source: Source) -> str:
    """Say which functions could be meant."""
    functions = [
        f"{name} (line {value.__code__.co_firstlineno})"
        for name, value in vars(source.module).items()
        if inspect.isfunction(value) and value.__module__ == source.module.__name__ and not name.startswith("_")
    ]
    return f"\nits functions are {', '.join(functions)}" if functions else ""


def _twice(source: Source, name: str, lines: Sequence[int]) -> Complaint:
    text = (
        f"{len(lines)} cases are called {name}, at lines {', '.join(map(str, lines))}: only the last would be checked"
    )
    return source.complaint(text, lines[-1])
