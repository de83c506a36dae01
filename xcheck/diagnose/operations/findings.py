"""What a report says of the operations whose backward pass is wrong."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from xcheck.diagnose.operations.blame import Blamed, find_blamed
from xcheck.diagnose.operations.causes import causes_of, name_of
from xcheck.errors import quote
from xcheck.findings import NOT_LOOKED_INTO, OTHER_VALUE, WRONG_OPERATION, Finding, Where
from xcheck.text import join_names
from xcheck.trace import BackwardPass, Call, UntraceableError
from xcheck.trace.model import Array

# Operations that are named; each takes an oracle of its own to say why. A guess: who mends one looks again.
_MOST = 4
# A value under differentiation that is so many roundings from that without: compiled code rounds otherwise.
_ROUNDINGS = 2.0**16 * np.finfo(np.float64).eps


def operation_findings(witness: str, backward_pass: Callable[[], BackwardPass | None]) -> list[Finding]:
    """Return which operations are to blame for a wrong gradient, and what is wrong with them; nothing where none is.

    Args:
        witness: whose gradient it is.
        backward_pass: returns what its backward pass does, as in `Probes`.
    """
    try:
        run = backward_pass()
        return [] if run is None else _findings(witness, run)
    except UntraceableError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - whatever breaks where a person's code is called, the check goes on
        reason = f"it cannot be followed: {quote(error)}"
    return [
        Finding(code=NOT_LOOKED_INTO, text=f"{witness}: which of its operations is wrong was not looked for: {reason}")
    ]


def _findings(witness: str, run: BackwardPass) -> list[Finding]:
    groups: dict[tuple[str, str], list[Blamed]] = {}
    for blamed in find_blamed(run):
        groups.setdefault((str(blamed.call), blamed.call.rule), []).append(blamed)
    others = _other_values(witness, run.calls)
    return [*others, *(_finding(witness, group) for group in list(groups.values())[:_MOST])]


def _finding(witness: str, group: Sequence[Blamed]) -> Finding:
    worst = max(group, key=lambda blamed: blamed.error)
    parts = [f"{witness}: the backward pass of {_describe(worst.call)} is wrong: {_what(worst)}"]
    if worst.within > 1:
        parts.append(f"so in {worst.within} iterations of its loop")
    if len(group) > 1:
        parts.append(f"so in {len(group)} calls of that line")
    causes = causes_of(worst)
    parts += [cause.text.removeprefix(": ") for cause in causes]
    if worst.call.note:
        parts.append(worst.call.note)
    return Finding(code=WRONG_OPERATION, text="; ".join(parts), value=worst.error, where=_where(worst.call))


def _what(blamed: Blamed) -> str:
    reads = [blamed.call.reads[place] for place in blamed.reads] or list(blamed.call.reads)
    names = join_names([f"`{name_of(read)}`" if read.name else "its input" for read in reads])
    if not any(read.cotangent.any() for read in reads):
        return f"nothing is handed down for {names}, on which the loss depends"
    off = _share(blamed.error)
    return f"what it hands down for {names} is not what comes in times the operation's own slope (off by {off})"


def _describe(call: Call) -> str:
    rule = f" ({call.rule})" if call.rule else ""
    step = f", iteration {call.step} of its loop" if call.step else ""
    return f"`{call.name}`{rule}{'' if call.place is None else f' at {call.place}'}{step}"


def _where(call: Call) -> Where:
    if call.place is None:
        return Where(operation=call.name)
    return Where(operation=call.name, file=call.place.file, line=call.place.line)


def _other_values(witness: str, calls: Iterable[Call]) -> list[Finding]:
    """Return the first call that computes another value where it is differentiated: what follows only passes it on."""
    for call in calls:
        off = max((_off(one.array, one.differentiated) for one in call.writes), default=0.0)
        if off > _ROUNDINGS:
            text = (
                f"{witness}: {_describe(call)} computes another value where it is differentiated: off by {off:.2g} of "
                "the largest"
            )
            return [Finding(code=OTHER_VALUE, text=text, value=off, where=_where(call))]
    return []


def _off(one: Array, other: Array) -> float:
    """Return by how much two arrays differ, relative to the largest finite number; equal infinities do not."""
    apart = np.abs(np.subtract(one, other, out=np.zeros(one.shape), where=one != other))
    largest = float(np.abs(one[np.isfinite(one)]).max(initial=0.0))
    return float(apart.max(initial=0.0)) / largest if largest else float(apart.any())


def _share(error: float) -> str:
    """Return a relative error in words.

    >>> _share(1.57), _share(0.5), _share(3.21e-7)
    ('1.6 times it', '50 % of it', '3.2e-07 of it')
    """
    if error >= 1:
        return f"{error:.2g} times it"
    return f"{100 * error:.2g} % of it" if error >= 1e-3 else f"{error:.1e} of it"
