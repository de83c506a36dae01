"""Functions: how long `xcheck.check` takes, beside gradcheck on the same function in the same process, in turns.

Both look at every component: gradcheck in its slow mode with one central difference each, xcheck with three, and error
bars. Every method makes one call that is not counted: what is timed is a check in a warm process.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rich.table import Table

import xcheck
from benchmarks.measure.environment import load
from benchmarks.measure.rows import Row
from benchmarks.peers.judges import AGREE, DISAGREE
from benchmarks.publish.tables import seconds
from benchmarks.suites.function_cases import FunctionCase, Made

KIND = "function"
XCHECK, GRADCHECK = "xcheck", "gradcheck"
GOAL = 0.3  # seconds for 100 parameters in a warm process


@dataclass(slots=True)
class Timed:
    """A method on one function: what it is called, what it says, and how long it takes."""

    name: str
    call: Callable[[], tuple[str, int]]
    first: float = 0.0
    samples: list[float] = field(default_factory=list)
    verdict: str = ""
    evaluations: int = 0

    def sample(self) -> float:
        """Return the seconds of one call."""
        start = time.perf_counter()
        self.verdict, self.evaluations = self.call()
        return time.perf_counter() - start


def by_xcheck(case: FunctionCase, made: Made) -> tuple[str, int]:
    """Check every component with xcheck."""
    report = xcheck.check(
        made.loss, made.params, made.data, backend=case.framework, gradient=made.gradient, scope="all"
    )
    return report.verdict.lower(), report.oracle.evaluations


def by_gradcheck(made: Made) -> tuple[str, int]:
    """Check every component with gradcheck in slow mode."""
    import torch

    evaluations = 0

    def loss(*tensors: Any) -> Any:
        nonlocal evaluations
        evaluations += 1
        return made.loss(dict(zip(made.params, tensors, strict=True)), *made.data)

    tensors = tuple(tensor.clone().requires_grad_() for tensor in made.params.values())
    passed = torch.autograd.gradcheck(loss, tensors, raise_exception=False)
    return AGREE if passed else DISAGREE, evaluations


def measure_functions(
    cases: Sequence[FunctionCase], rounds: int, environment: dict[str, Any], tell: Callable[[str], None]
) -> Iterator[Row]:
    """Yield one row for each function and method.

    Args:
        cases: the functions.
        rounds: samples of each method.
        environment: for the rows.
        tell: called with what is going on.
    """
    for case in cases:
        tell(f"{case.name}: first calls")
        made, began = case.make(), load()
        timed = [Timed(XCHECK, partial(by_xcheck, case, made))]
        timed += [Timed(GRADCHECK, partial(by_gradcheck, made))] if case.large else []
        for method in timed:
            method.first = method.sample()
        tell(f"{case.name}: {rounds} samples in turns")
        for _ in range(rounds):
            for method in timed:
                method.samples.append(method.sample())
        yield from (_row(case, made, method, began, environment) for method in timed)


def _row(case: FunctionCase, made: Made, method: Timed, began: float, environment: dict[str, Any]) -> Row:
    return Row(
        scenario=case.name,
        shape=case.shape,
        activation=case.activation,
        parameters=made.size,
        examples=case.examples,
        method=method.name,
        kind=KIND,
        valid=method.verdict == AGREE,
        verdict=method.verdict,
        first=method.first,
        samples=tuple(method.samples),
        evaluations=method.evaluations,
        losses_per_pass=2 * made.size,
        load=began,
        environment=environment,
    )


def ratios(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return name, n, both medians with their losses, and their ratio, or how the goal was met, for each function."""
    lines: list[tuple[str, ...]] = []
    for name in dict.fromkeys(row.scenario for row in rows):
        own = {row.method: row for row in rows if row.scenario == name and row.valid}
        ours, theirs = own.get(XCHECK), own.get(GRADCHECK)
        some = next(row for row in rows if row.scenario == name)
        what = (f"{some.shape}, {some.activation}", f"{some.parameters:,}")
        lines.append((*what, *_times(ours), *_times(theirs), _outcome(ours, theirs)))
    return lines


def _times(row: Row | None) -> tuple[str, str]:
    return ("", "") if row is None else (seconds(row.median), f"{row.evaluations:,}")


def _outcome(ours: Row | None, theirs: Row | None) -> str:
    if ours is None or ours.median is None:
        return "INVALID"
    if theirs is not None and theirs.median is not None:
        return f"{ours.median / theirs.median:.2f} of gradcheck's"
    return f"{'≤' if ours.median <= GOAL else '>'} {GOAL:g} s"


_HEADINGS = ("function", "n", "xcheck", "losses", "gradcheck", "losses", "")


def function_table(rows: Sequence[Row]) -> Table:
    """Return one line per function."""
    table = Table(title="one check in a warm process, medians", title_justify="left")
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="right" if 0 < number < len(_HEADINGS) - 1 else "left")
    for line in ratios(rows):
        table.add_row(*line)
    return table


def functions_markdown(rows: Sequence[Row]) -> str:
    """Return the table for a README."""
    lines = [f"| {' | '.join(_HEADINGS)} |", "|---|---:|---:|---:|---:|---:|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(line)} |" for line in ratios(rows))])
