"""What a report says of the operation at which two forward passes part."""

import linecache
from collections.abc import Callable, Sequence

from xcheck.diagnose.parting.frontier import part_of
from xcheck.diagnose.parting.matching import Matched, match_flows
from xcheck.diagnose.parting.reasons import reasons_of
from xcheck.diagnose.parting.substitution import find_place
from xcheck.errors import quote
from xcheck.findings import NOT_LOOKED_INTO, OPERATIONS_PART, Finding, Where
from xcheck.trace import UntraceableError
from xcheck.trace.flow import Flow, Node

# Letters of a line of source that are shown.
_MOST_LETTERS = 72


def operation_parting(names: Sequence[str], flows: Sequence[Callable[[], Flow]]) -> list[Finding]:
    """Return at which operations two implementations part that compute different losses; nothing where none is known.

    Args:
        names: of both.
        flows: return their forward passes; they raise `UntraceableError` where these cannot be followed.
    """
    followed = []
    for name, flow in zip(names, flows, strict=True):
        try:
            followed.append(flow())
        except UntraceableError as error:
            return [_not_followed(names, name, str(error))]
        except Exception as error:  # noqa: BLE001 - whatever breaks where a person's code is called, the check goes on
            return [_not_followed(names, name, quote(error))]
    return _findings(names, *match_flows(*followed))


def _not_followed(names: Sequence[str], name: str, reason: str) -> Finding:
    text = f"{' and '.join(names)}: where their forward passes part was not looked for: {name}: {reason}"
    return Finding(code=NOT_LOOKED_INTO, text=text)


def _findings(names: Sequence[str], one: Matched, other: Matched) -> list[Finding]:
    sides = part_of(one), part_of(other)
    place = find_place(*sides)
    if place.first == (None, None):
        return []
    a, b = place.first
    nodes = (
        one.node(_last_known(other, b, one) if a is None else a),
        other.node(_last_known(one, a, other) if b is None else b),
    )
    if a is None or b is None:
        shorter, longer = (0, 1) if a is None else (1, 0)
        reasons = [f"{names[shorter]} takes that for its loss, and {names[longer]} goes on"]
    else:
        reasons = list(reasons_of(names, sides, place))
    text = (
        f"{names[0]} and {names[1]} compute the same up to {_describe(nodes[0], one)} in {names[0]}, "
        f"{_describe(nodes[1], other)} in {names[1]}, and not from there on"
    )
    return [
        Finding(
            code=OPERATIONS_PART,
            text="; ".join([text, *reasons]),
            where=_where(nodes[0]),
            beside=_where(nodes[1]),
        )
    ]


def _last_known(side: Matched, first: int | None, other: Matched) -> int:
    """Return the last value on the other side that the first operation of this one reads; without one its loss."""
    reads = () if first is None else side.node(first).reads
    known = [partner for read in reads for partner in side.partners[read] if not other.node(partner).parameter]
    number = max(known, default=other.flow.loss)
    # What xcheck itself has put around the loss has no line.
    while other.node(number).place is None and other.node(number).is_move:
        number = other.node(number).reads[0]
    return number


def _describe(node: Node, side: Matched) -> str:
    """Return the words for an operation: its name, its line, and which of the calls of that line it is."""
    name = f"`{node.name or node.parameter or 'a constant'}`"
    if node.place is None:
        return name
    line = linecache.getline(node.place.file, node.place.line).partition("#")[0].strip()
    shown = line if len(line) <= _MOST_LETTERS else line[: _MOST_LETTERS - 3] + "..."
    alike = [
        one.number for one in side.flow.nodes if (one.name, one.kind, one.place) == (node.name, node.kind, node.place)
    ]
    which = f", call {alike.index(node.number) + 1} of {len(alike)}" if len(alike) > 1 else ""
    return f"{name} at {node.place}{which}{f' (`{shown}`)' if shown else ''}"


def _where(node: Node) -> Where:
    name = node.name or node.parameter
    return (
        Where(operation=name)
        if node.place is None
        else Where(operation=name, file=node.place.file, line=node.place.line)
    )
