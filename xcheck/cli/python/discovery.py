"""Discovery: the cases in a person's Python file or module, by name.

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
from xcheck.cli.python.source import Reference, Source, load_source
from xcheck.errors import Complaint, DefinitionError

# The end of three complaints: what to type, so that there is a case.
_WRITE = """write
    @xcheck.case
    def mine():
        return xcheck.Case(objectives=loss, params=params, data=(x, y))"""


@dataclass(frozen=True, slots=True, eq=False)
class DiscoveredCase:
    """One case of a source.

    Attributes:
        name: file or module and name of the case, as they can be typed on the command line.
        key: name of the case in its file.
        line: the line that defines the case; None if it is unknown.
        case: the case itself.
        source: the file or module of the case.
    """

    name: str
    key: str
    line: int | None
    case: Case
    source: Source

    def locate(self, complaint: Complaint) -> Complaint:
        """Return a complaint about this case with its file, line and name."""
        return replace(complaint.under(self.key), file=self.source.shown, line=self.line)


def discover_cases(reference: Reference) -> list[DiscoveredCase]:
    """Load the source that a MODEL names, and return its cases in the order of definition.

    Raises:
        DefinitionError: the source cannot be loaded or has no such case, or a marked function does not return a case.
    """
    source = load_source(reference)
    bindings, cases = bindings_of(source.module), _find_cases(source)
    chosen = _choose(source, cases, bindings)
    _refuse_namesakes(source, {name: bindings[name].cases for name in chosen})
    discovered: list[DiscoveredCase] = []
    complaints: list[Complaint] = []
    for name, value in chosen.items():
        line = max(bindings[name].lines, default=None)
        try:
            case = _make_case(source, name, value, line)
            discovered.append(DiscoveredCase(reference.command_name(name), name, line, case, source))
        except DefinitionError as error:
            complaints += error.complaints
    if complaints:
        raise DefinitionError(complaints)
    return discovered


def _find_cases(source: Source) -> dict[str, Any]:
    """Return cases and functions marked by @xcheck.case, by name.

    A case with two names goes by the first of them, unless the MODEL asks for a name.
    """
    cases = {name: value for name, value in vars(source.module).items() if is_case(value)}
    if source.reference.name is not None:
        return cases
    # The same case may be imported under a second name.
    first = {id(value): name for name, value in reversed(cases.items())}
    return {name: value for name, value in cases.items() if first[id(value)] == name}


def _choose(source: Source, cases: Mapping[str, Any], bindings: defaultdict[str, Binding]) -> Mapping[str, Any]:
    """Return all cases, or the one that is asked for.

    Raises:
        DefinitionError: there is none, or not this one.
    """
    name = source.reference.name
    if name is not None and name in cases:
        return {name: cases[name]}
    if name is not None and name in vars(source.module):
        kind = type(vars(source.module)[name]).__name__
        raise DefinitionError(
            source.complaint(f"{name} is a {kind} and no case; {_WRITE}", max(bindings[name].lines, default=None))
        )
    if name is not None and cases:
        close = get_close_matches(name, cases, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise DefinitionError(source.complaint(f"there is no case {name}{hint} (cases: {', '.join(cases)})"))
    if not cases:
        raise DefinitionError(source.complaint(f"has no case to check; {_WRITE}{_list_functions(source)}"))
    return cases


def _make_case(source: Source, name: str, value: Any, line: int | None) -> Case:
    """Return a case, or call the function that returns one.

    Raises:
        DefinitionError: the function raises, or returns something else.
    """
    if isinstance(value, Case):
        return value
    # The function may import, read files or fail: all of it is a person's code.
    with source.running(f"{name} raises", line):
        made = value()
    # The usual slip: the function of a loss is marked, not one that returns a case.
    if not isinstance(made, Case):
        text = f"{name} returns {_describe_type(made)}, not an xcheck.Case; {_WRITE}"
        raise DefinitionError(source.complaint(text, line))
    return made


def _describe_type(value: object) -> str:
    # A function that ends without `return` returns None, which is no type that anybody has written down.
    kind = type(value).__name__
    return "None" if value is None else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _list_functions(source: Source) -> str:
    """Return a line that lists the functions of a source: one of them may have been meant as a case."""
    functions = [
        f"{name} (line {value.__code__.co_firstlineno})"
        for name, value in vars(source.module).items()
        if inspect.isfunction(value) and value.__module__ == source.module.__name__ and not name.startswith("_")
    ]
    return f"\nits functions are {', '.join(functions)}" if functions else ""


def _refuse_namesakes(source: Source, cases: Mapping[str, Sequence[int]]) -> None:
    """Complain of names that several cases have, at the lines given.

    Python keeps the last of two functions of one name: the first would silently not be checked.
    """
    complaints = []
    for name, lines in cases.items():
        if len(lines) > 1:
            numbers = ", ".join(map(str, lines))
            text = f"{len(lines)} cases are called {name}, at lines {numbers}: only the last would be checked"
            complaints.append(source.complaint(text, lines[-1]))
    if complaints:
        raise DefinitionError(complaints)
