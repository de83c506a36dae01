"""Breadth: who finds which fault in ordinary functions of three frameworks, and who rejects gradients that are right.

Functions and faults are those of the tests (`tests.breadth`). All methods are asked about the same cases: the same
function at the same point with the same fault.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from benchmarks.measure.environment import load
from benchmarks.peers.judges import AGREE, DISAGREE, JUDGES, Judge
from benchmarks.suites.breadth_rows import BreadthRow
from tests.breadth.catalogue import CATALOGUE
from tests.breadth.entry import Entry, Framework, Params
from tests.breadth.planted import planted, true_gradient
from xcheck.testing.generic_faults import GENERIC_FAULTS

SEED = 0
FRAMEWORKS: tuple[Framework, ...] = ("torch", "jax", "numpy")
_TOLD_EVERY = 20  # functions


@dataclass(frozen=True, slots=True, kw_only=True)
class BreadthPlan:
    """How much is asked.

    Attributes:
        every: each so-manieth function is asked about.
        faults: how many of the faults that apply are planted in a function, by framework; None for all of them.
    """

    every: int
    faults: dict[Framework, int | None]


QUICK = BreadthPlan(every=12, faults={"torch": 3, "numpy": 3, "jax": 1})


def full(every: int, jax_faults: int | None) -> BreadthPlan:
    """Return the plan of all faults but in JAX, where each is compiled for seconds."""
    return BreadthPlan(every=every, faults={"torch": None, "numpy": None, "jax": jax_faults})


@dataclass(frozen=True, slots=True)
class Case:
    """A function at a point, with a fault or without."""

    entry: Entry
    fault: str | None
    params: Params
    data: tuple[Any, ...]

    def judged(self, judge: Judge) -> str:
        """Return what a method says; whatever it raises is quoted, and is no verdict."""
        # torch warns of what its own vmap and conversions do, once for each call.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return judge(self.entry, self.params, self.data)
            except Exception as error:  # noqa: BLE001 - a method may fail in any way
                return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def cases_of(entry: Entry, number: int, most: int | None) -> Iterator[Case]:
    """Yield the function as it is, and then with faults; every function begins with another fault."""
    params, data = entry.make(np.random.default_rng(SEED))
    yield Case(entry, None, params, data)
    if entry.array_valued:
        return
    truth = true_gradient(entry, params, data)
    names = [str(name) for name in np.roll(list(GENERIC_FAULTS), -7 * number)]
    faulty = ((name, planted(entry, GENERIC_FAULTS[name], params, data, seed=SEED, truth=truth)) for name in names)
    applying = (Case(spoiled, name, params, data) for name, spoiled in faulty if spoiled is not None)
    yield from islice(applying, most)


class Tally:
    """What one method has said about the functions of one framework."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.cases = 0
        self.seconds = 0.0
        self.rejected: list[str] = []
        self.undecided: dict[str, str] = {}
        self.faults: dict[str, list[int]] = {name: [0, 0] for name in GENERIC_FAULTS}
        self.missed: dict[str, list[str]] = {}

    def ask(self, case: Case) -> None:
        """Ask the method, and count."""
        start = time.perf_counter()
        said = case.judged(self._judge)
        self.seconds += time.perf_counter() - start
        name = case.entry.name
        if case.fault is None:
            self.cases += 1
            if said == DISAGREE:
                self.rejected.append(name)
            elif said != AGREE:
                self.undecided[name] = said
            return
        count = self.faults[case.fault]
        count[1] += 1
        if said == DISAGREE:
            count[0] += 1
        else:
            self.missed.setdefault(case.fault, []).append(name)


def measure_breadth(
    plan: BreadthPlan, environment: dict[str, Any], tell: Callable[[str], None]
) -> Iterator[BreadthRow]:
    """Yield one row for each framework and method.

    Args:
        plan: how much is asked.
        environment: for the rows.
        tell: called with what is going on.
    """
    for framework in FRAMEWORKS:
        chosen = [entry for entry in CATALOGUE if entry.framework == framework][:: plan.every]
        began, tallies = load(), {name: Tally(judge) for name, judge in JUDGES[framework].items()}
        _asked(chosen, plan.faults[framework], list(tallies.values()), tell)
        for method, tally in tallies.items():
            yield BreadthRow(
                framework=framework,
                method=method,
                cases=tally.cases,
                rejected=tuple(tally.rejected),
                undecided=tally.undecided,
                faults={name: (found, of) for name, (found, of) in tally.faults.items() if of},
                missed={name: tuple(names) for name, names in tally.missed.items()},
                seconds=tally.seconds,
                note=_note(framework, plan),
                load=began,
                environment=environment,
            )


def _asked(entries: Sequence[Entry], most: int | None, tallies: Sequence[Tally], tell: Callable[[str], None]) -> None:
    for number, entry in enumerate(entries):
        if number % _TOLD_EVERY == 0:
            tell(f"{entry.framework}: {number} of {len(entries)} functions")
        for case in cases_of(entry, number, most):
            for tally in tallies:
                tally.ask(case)


def _note(framework: Framework, plan: BreadthPlan) -> str:
    functions = "every function" if plan.every == 1 else f"one function in {plan.every}"
    most = plan.faults[framework]
    return f"{functions}, {'all faults' if most is None else f'{most} of the faults'} that apply to it"
