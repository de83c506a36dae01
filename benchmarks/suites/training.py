"""Training with checks: what it costs beside a check, and what drift sees that a check does not.

Cost is timed in one process, after everything has been compiled once. Drift is counted over random definitions: right
witnesses that it warns of, and planted faults, by who sees them first.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from rich.table import Table

from xcheck import train, verify
from xcheck.dtypes import roundoff_of
from xcheck.findings import DRIFT, LOSS_ROSE
from xcheck.networks.network import ACTIVATIONS, LOSSES
from xcheck.networks.problem import Problem
from xcheck.testing import FAULTS, Fault, Planted
from xcheck.training import TrainingReport
from xcheck.training.drift import allowed_distance
from xcheck_numpy import NumpyBackend

Definition = Mapping[str, Any]

_STEPS = 100
_CHECKS = 3
_FAR = 1e6
_SIZES = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)


class _Spoiled(NumpyBackend):
    """Hand-written backpropagation under another name, to be spoiled."""

    name = "spoiled"


# --- what it costs --------------------------------------------------------------------------------------------------


def network_of(widths: Sequence[int], steps: int, **training: Any) -> Definition:
    """Return a definition: tanh layers on gaussian data, 600 rows, of which 64 are checked."""
    hidden = [{"units": units, "activation": "tanh"} for units in widths[1:-1]]
    check_at = [0, steps // 2, steps]
    return {
        "data": {"synthetic": {"inputs": widths[0], "examples": 600}, "examples": 64},
        "network": {"layers": [*hidden, {"units": widths[-1]}], "loss": "softmax_cross_entropy", "l2": 0.5},
        "training": {"steps": steps, "learning_rate": 0.1, "check_at": check_at, **training},
    }


def cost(runs: int) -> Table:
    """Return medians over `runs`: one check, a training with three of them, the same without drift, and the steps."""
    table = Table(title=f"seconds, median of {runs}; {_CHECKS} checks, {_STEPS} steps of the full batch, 3 witnesses")
    headings = ("network", "parameters", "one check", "3 checks", "trained", "without drift", "trained / 3 checks")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for widths in ((30, 16, 8, 2), (64, 32, 10), (784, 128, 10)):
        whole = network_of(widths, _STEPS)
        alone = network_of(widths, _STEPS, divergence=False)
        plain = {name: part for name, part in whole.items() if name != "training"}
        calls: list[Callable[[], object]] = [partial(verify, plain), partial(train, whole), partial(train, alone)]
        one, trained, without = _medians(calls, runs)
        size = sum((before + 1) * after for before, after in pairwise(widths))
        seconds = [f"{each:.2f}" for each in (one, _CHECKS * one, trained, without)]
        table.add_row("-".join(map(str, widths)), str(size), *seconds, f"{trained / (_CHECKS * one):.2f}")
    return table


def _medians(calls: Sequence[Callable[[], object]], runs: int) -> list[float]:
    """Return the median of each, in turns, after one that compiles."""
    times: list[list[float]] = [[] for _ in calls]
    for number in range(runs + 1):
        for call, seconds in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            if number:
                seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in times]


# --- what it sees ---------------------------------------------------------------------------------------------------


def random_definition(seed: int) -> Definition:
    """Return a small random definition: any activations, losses, penalties, dropout, batches and learning rates."""
    rng = np.random.default_rng([seed, 11])
    hidden = [
        {
            "units": int(rng.integers(1, 12)),
            "activation": str(rng.choice(ACTIVATIONS)),
            "keep_prob": float(rng.choice([1.0, 1.0, 0.8])),
        }
        for _ in range(int(rng.integers(0, 4)))
    ]
    loss = str(rng.choice(LOSSES))
    outputs = int(rng.integers(2, 5)) if loss == "softmax_cross_entropy" else 1
    batch = {"batch": int(rng.integers(1, 40))} if rng.random() < 0.5 else {}
    return {
        "data": {"synthetic": {"inputs": int(rng.integers(1, 9)), "examples": int(rng.integers(20, 100))}},
        "network": {
            "layers": [*hidden, {"units": outputs}],
            "loss": loss,
            "l2": float(rng.choice([0.0, 0.1, 3.0])),
            "l1": float(rng.choice([0.0, 0.0, 0.5])),
        },
        "training": {"steps": _STEPS, "learning_rate": float(10 ** rng.uniform(-2.5, 0.3)), **batch},
        "check": {"seed": seed, "dtype": "float64"},
    }


@dataclass(slots=True)
class Alarms:
    """Right witnesses, trained.

    Attributes:
        trained: how many definitions.
        agree: how many of them agree at every checkpoint.
        disagree: how many disagree at one.
        drift: how many warnings that trajectories part.
        rises: how many warnings that J rises.
        worst: largest distance in units of what rounding explains.
    """

    trained: int = 0
    agree: int = 0
    disagree: int = 0
    drift: int = 0
    rises: int = 0
    worst: list[float] = field(default_factory=list)


def alarms(definitions: int, dtype: str) -> Alarms:
    """Train right witnesses."""
    found = Alarms()
    for seed in range(definitions):
        definition = random_definition(seed)
        report = train({**definition, "check": {**definition["check"], "dtype": dtype}})
        codes = [warning.code for warning in report.warnings]
        found.trained += 1
        found.agree += report.verdict == "AGREE"
        found.disagree += report.verdict == "DISAGREE"
        found.drift += codes.count(DRIFT)
        found.rises += codes.count(LOSS_ROSE)
        found.worst.append(worst_of(report, dtype))
    return found


def worst_of(report: TrainingReport, dtype: Any) -> float:
    """Return how far trajectories are apart at most, in units of what rounding explains, before θ runs away."""
    drift = report.drift
    if drift is None:
        return 0.0
    ordinary = [look.cost <= _FAR * max(1.0, report.looks[0].cost) for look in report.looks]
    bars = [allowed_distance(most, roundoff_of(dtype)) for most in np.maximum.accumulate(drift.rounding)]
    shares = [
        distance / bar
        for values in drift.of.values()
        for distance, bar, near in zip(values, bars, ordinary, strict=True)
        if near
    ]
    return max(shares, default=0.0)


def alarm_table(definitions: int) -> Table:
    """Return the counts of right witnesses."""
    table = Table(title=f"right witnesses, random definitions, {_STEPS} steps")
    for heading in ("dtype", "trained", "all agree", "disagree", "XC430", "XC429", "largest share of the bar"):
        table.add_column(heading, justify="left" if heading == "dtype" else "right")
    for dtype in ("float64", "float32"):
        found = alarms(definitions, dtype)
        counts = (found.trained, found.agree, found.disagree, found.drift, found.rises)
        table.add_row(dtype, *map(str, counts), f"{max(found.worst):.2g}")
    return table


def _scaled(size: float) -> Fault:
    def scaled(gradient: dict[str, Any], problem: Problem) -> None:
        for array in gradient.values():
            np.multiply(array, 1 + size, out=array)

    return Fault(f"x (1 + {size:g})", "", scaled)


def _one_component(size: float) -> Fault:
    def off(gradient: dict[str, Any], problem: Problem) -> None:
        array = gradient["W1"].reshape(-1)
        array[np.abs(array).argmax()] *= 1 + size

    return Fault(f"largest of W1 x (1 + {size:g})", "", off)


def seen(faults: Sequence[Fault], definitions: int) -> Iterator[tuple[str, list[int]]]:
    """Yield per fault how often the check at θ₀ sees it, a check on the way, drift, drift alone, and none."""
    for fault in faults:
        counts = np.zeros(6, dtype=int)
        for seed in range(definitions):
            spoiled = Planted(_Spoiled(), fault)
            report = train(random_definition(seed), backends=[NumpyBackend(), spoiled])
            verdicts = [checkpoint.report.verdict == "DISAGREE" for checkpoint in report.checkpoints]
            drift = DRIFT in {warning.code for warning in report.warnings}
            moved = report.drift is not None and max(report.drift.of["spoiled"]) > 0
            changes = moved or any(verdicts)
            counts += [changes, verdicts[0], any(verdicts), drift, drift and not any(verdicts), changes and not drift]
        yield fault.name, [int(count) for count in counts]


def seen_table(definitions: int) -> Table:
    """Return who sees what."""
    table = Table(title=f"faults in one of two witnesses, {definitions} random definitions each, {_STEPS} steps")
    for heading in ("fault", "changes θ", "check at θ₀", "any check", "drift", "drift alone", "not by drift"):
        table.add_column(heading, justify="left" if heading == "fault" else "right")
    sizes = [make(size) for make in (_scaled, _one_component) for size in _SIZES]
    for name, counts in seen([*sizes, *FAULTS], definitions):
        table.add_row(name, *map(str, counts))
    return table
