"""Scales: right gradients left undecided or called wrong, and planted errors missed, where slopes are hard to measure.

Every case is checked in NumPy, torch and JAX, first with its right gradient and then with an error in one component. In
torch and JAX the error is a term e (θᵢ − stop(θᵢ)): the loss stays what it is, its gradient does not. An error is r
times the terms of the gradient there, with r from 3e-6 to 1 (at stationary points from 1e-7 on). It is planted where
that is at least so much of the tensor's largest, as a check resolves a millionth of it, and counts as missed when
xcheck agrees all the same.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

import xcheck
from benchmarks.suites.scale_case import ScaleCase
from benchmarks.suites.scale_cases import KINDS
from benchmarks.suites.stationary_cases import STATIONARY
from tests.breadth.entry import Framework, arrays_of, precision_of
from xcheck.checks.report import Report
from xcheck.layout import Vector

EVERY_KIND = (*KINDS, *STATIONARY)
FRAMEWORKS: tuple[Framework, ...] = ("numpy", "torch", "jax")
# The smallest error that is planted, in units of the terms there, and of the tensor's largest.
_ORDINARY, _STATIONARY = 3e-6, 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleRow:
    """What came of one check.

    Attributes:
        kind: of the function.
        framework: it was written in.
        seed: of the case.
        planted: size of the error in units of the terms; 0 where the gradient is right.
        verdict: xcheck's.
        seconds: that the check took.
    """

    kind: str
    framework: Framework
    seed: int
    planted: float
    verdict: str
    seconds: float


def drawn(kind: str, seed: int) -> ScaleCase:
    """Return a case of one kind."""
    makers = {**KINDS, **STATIONARY}
    return makers[kind](np.random.default_rng([seed, list(makers).index(kind)]))


def planted_error(case: ScaleCase, kind: str, seed: int) -> tuple[Vector, float]:
    """Return an error of one component, shape (n,), and its size in units of the terms there."""
    rng = np.random.default_rng([seed, 1])
    least = _STATIONARY if kind in STATIONARY else _ORDINARY
    relative = 10.0 ** rng.uniform(math.log10(least), 0)
    place = int(rng.choice(np.flatnonzero(relative * case.terms >= least * case.terms.max())))
    error = np.zeros(len(case.theta))
    error[place] = relative * case.terms[place] * rng.choice([-1.0, 1.0])
    return error, relative


def _module(framework: Framework) -> Any:
    if framework == "numpy":
        return np
    if framework == "torch":
        import torch

        return torch
    import jax.numpy as jnp

    return jnp


def _stopped(framework: Framework) -> Callable[[Any], Any]:
    """Return what keeps a value from being differentiated."""
    if framework == "torch":
        return lambda x: x.detach()
    import jax

    return jax.lax.stop_gradient


def check_case(case: ScaleCase, framework: Framework, error: Vector) -> Report:
    """Check a case whose gradient is off by `error`, shape (n,)."""
    convert, xp = arrays_of(framework), _module(framework)
    with precision_of(framework), np.errstate(all="ignore"):  # steps lead beyond the domain, or to what overflows
        theta, data = convert(case.theta), tuple(convert(np.asarray(part)) for part in case.data)
        if framework == "numpy":
            loss = partial(case.loss, np)
            return xcheck.check(loss, theta, data, gradient=lambda x, *data: case.gradient(x, *data) + error)
        stop, wrong = _stopped(framework), convert(error)

        def spoiled(x: Any, *data: Any) -> Any:
            return case.loss(xp, x, *data) + (wrong * (x - stop(x))).sum()

        return xcheck.check(spoiled if error.any() else partial(case.loss, xp), theta, data)


def measure_scales(kinds: Sequence[str], seeds: Sequence[int], tell: Callable[[str], None]) -> Iterator[ScaleRow]:
    """Yield a row for every kind, seed and framework: once with the right gradient, once with an error."""
    for kind in kinds:
        tell(kind)
        for seed in seeds:
            with np.errstate(all="ignore"):
                case = drawn(kind, seed)
            for framework in FRAMEWORKS:
                if case.numpy_only and framework != "numpy":
                    continue
                error, relative = planted_error(case, kind, seed)
                for planted, vector in ((0.0, np.zeros_like(error)), (relative, error)):
                    start = time.perf_counter()
                    verdict = str(check_case(case, framework, vector).verdict)
                    seconds = time.perf_counter() - start
                    yield ScaleRow(
                        kind=kind, framework=framework, seed=seed, planted=planted, verdict=verdict, seconds=seconds
                    )


def is_false(row: ScaleRow) -> bool:
    """Return whether a verdict is not true: a right gradient called wrong, or a wrong one agreed with."""
    return row.verdict == ("AGREE" if row.planted else "DISAGREE")


def scale_table(rows: Sequence[ScaleRow]) -> Table:
    """Return the counts per kind, and of all."""
    table = Table(title="functions whose slopes are hard to measure")
    for heading in ("kind", "right", "undecided", "called wrong", "planted", "found", "undecided", "missed", "seconds"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for kind in dict.fromkeys(row.kind for row in rows):
        table.add_row(kind, *_counts([row for row in rows if row.kind == kind]))
    table.add_section()
    table.add_row("all", *_counts(rows))
    return table


def _counts(rows: Sequence[ScaleRow]) -> list[str]:
    right, planted = [row for row in rows if not row.planted], [row for row in rows if row.planted]

    def count(some: Sequence[ScaleRow], verdict: str) -> int:
        return sum(row.verdict == verdict for row in some)

    undecided = count(right, "UNDECIDED")
    share = f"{undecided} ({undecided / len(right):.1%})" if right and undecided else str(undecided)
    counts = [len(right), share, count(right, "DISAGREE"), len(planted)]
    counts += [count(planted, verdict) for verdict in ("DISAGREE", "UNDECIDED", "AGREE")]
    return [*map(str, counts), f"{sum(row.seconds for row in rows):.1f}"]
