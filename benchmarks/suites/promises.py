"""The promises, measured: error bars, false alarms and detection over random networks, one row per engine.

The networks are `xcheck.testing.large_scenario`: every activation and loss, l2 from 0 to 1000, 1 to 256 examples, up to
12,895 parameters. True errors are against hand-written backpropagation in extended precision.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from xcheck import Problem
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import Tolerance
from xcheck.oracle import EngineName, Estimate, OracleOptions, numerical_gradient
from xcheck.testing import large_scenario
from xcheck_numpy.network import NetworkObjective

MILLIONTH, HUNDRED_MILLIONTH = 1e-6, 1e-8
_PLANTED = 10
_SHAPES = 27
_LARGEST_BATCHED = 2_000  # parameters


@dataclass(slots=True)
class Tally:
    """What has been counted for one engine."""

    networks: int = 0
    components: int = 0
    exceeded: int = 0
    wrong: int = 0
    undecided: int = 0
    found: float = 0.0
    found_smaller: float = 0.0
    resolution: float = 0.0


def witness(problem: Problem) -> Evaluation:
    """Return what hand-written backpropagation says."""
    return Evaluation("numpy", *NetworkObjective(problem, np.float64).loss_and_gradient(problem.theta))


def errors(problem: Problem, estimate: Estimate) -> Any:
    """Return how far the slopes in extended precision lie outside of the oracle's, shape (n,)."""
    exact = NetworkObjective(problem, np.longdouble).compute(problem.theta)[1]
    return np.maximum(np.maximum(estimate.lower - exact, exact - estimate.upper), 0.0)


def found(problem: Problem, estimate: Estimate, relative: float, tolerance: Tolerance) -> float:
    """Return the share of ten components that are called wrong when they are off by so much, each alone.

    They are drawn from those of at least a thousandth of the largest of their tensor.
    """
    comparer, evaluation = Comparer(estimate, problem.layout, tolerance), witness(problem)
    largest = problem.layout.largest(np.abs(evaluation.gradient))
    visible = np.flatnonzero((np.abs(evaluation.gradient) >= 1e-3 * largest) & (largest > 0))
    chosen = np.random.default_rng(0).choice(visible, min(_PLANTED, len(visible)), replace=False)
    outcomes = []
    for place in chosen:
        gradient = evaluation.gradient.copy()
        gradient[place] *= 1 + relative
        pair = comparer.with_oracle(Evaluation("numpy", evaluation.loss, gradient))
        outcomes.append(pair.wrong == 1 and pair.worst[0].location.flat == place)
    return float(np.mean(outcomes))


def count(tally: Tally, problem: Problem, engine: EngineName) -> None:
    """Measure one network and add it to a tally."""
    estimate = numerical_gradient(problem, OracleOptions(engine=engine))
    comparer = Comparer(estimate, problem.layout, Tolerance())
    pair = comparer.with_oracle(witness(problem))
    tally.networks += 1
    tally.components += problem.layout.size
    tally.exceeded += int((errors(problem, estimate) > estimate.error_bar).sum())
    tally.wrong += pair.wrong
    tally.undecided += pair.undecided
    tally.found += found(problem, estimate, MILLIONTH, Tolerance())
    tally.found_smaller += found(problem, estimate, HUNDRED_MILLIONTH, Tolerance(relative=1e-10))
    tally.resolution = max(tally.resolution, comparer.resolution)


def promises(draws: int) -> Table:
    """Return the table over 27 networks with so many draws each."""
    engines: tuple[EngineName, ...] = ("batched", "structured", "node")
    tallies = {engine: Tally() for engine in engines}
    for problem in (large_scenario(number, draw) for number in range(_SHAPES) for draw in range(draws)):
        for engine, tally in tallies.items():
            if engine != "batched" or problem.layout.size <= _LARGEST_BATCHED:
                count(tally, problem, engine)
    table = Table(title="promises over random networks")
    headings = ("engine", "networks", "components", "bars exceeded", "called wrong", "undecided", "1e-6 found")
    for heading in (*headings, "1e-8 found", "widest blur"):
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    for engine, tally in tallies.items():
        numbers = (tally.networks, tally.components, tally.exceeded, tally.wrong, tally.undecided)
        shares = (tally.found / tally.networks, tally.found_smaller / tally.networks)
        table.add_row(
            engine, *(f"{number:,}" for number in numbers), *(f"{s:.2%}" for s in shares), f"{tally.resolution:.0e}"
        )
    return table
