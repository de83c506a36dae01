"""Validation: what proofs say of right gradients that their constants were not tuned on, and of small faults in them.

Three families of JAX functions: the catalogue of the tests, random compositions, random networks. Each is asked in
float64, float32 and bfloat16: parameters and data are rounded to the dtype, JAX computes its gradient there, and the
slopes are those of the float64 loss at the rounded numbers. Faults are planted in float64.
"""

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure.environment import load
from benchmarks.suites.compositions import composition
from benchmarks.suites.proof_subject import Subject
from benchmarks.suites.proof_validation_rows import FAULTS, ValidationRow
from benchmarks.suites.random_networks import network
from tests.breadth import jax_algebra, jax_functions
from tests.breadth.entry import precision_of
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.judge import Claimed, compare, judge, norm_of
from xcheck.certificates.rounding import coarsest_cast, rounding_samples, spread_of
from xcheck.certificates.slopes import Slopes, prove_slopes
from xcheck.dtypes import roundoff_of
from xcheck.layout import Vector
from xcheck.trace import Trace, UntraceableError

DTYPES = ("float64", "float32", "bfloat16")
_DIRECTIONS = 6  # as in a check
_TOLD_EVERY = 20  # functions
# Errors of so much of the norm, and one component of so much of itself.
_DENSE, _SINGLE = 1e-12, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What is proved of a subject, and what its gradient claims."""

    slopes: Slopes
    spread: Vector
    directions: list[Vector]
    gradient: Vector
    roundoff: float

    def claimed(self, gradient: Vector) -> Claimed:
        """Return a gradient, shape (n,), as it is judged."""
        return Claimed(name="jax", gradient=gradient, roundoff=self.roundoff, spread=self.spread)

    def claim(self, gradient: Vector) -> str:
        """Return what is said of a gradient, shape (n,)."""
        return judge(self.claimed(gradient), self.slopes, self.directions).claim

    def ratio(self) -> float:
        """Return the largest error in units of what is allowed."""
        found = compare(self.claimed(self.gradient), self.slopes, self.directions)
        return max(one.error / one.allowed if one.allowed else (np.inf if one.error else 0.0) for one in found)


def subjects(family: str, seeds: Sequence[int]) -> Iterator[Subject]:
    """Yield the functions of a family, those of the catalogue at as many points as there are seeds."""
    if family != "catalogue":
        yield from map({"compositions": composition, "networks": network}[family], seeds)
        return
    for seed in seeds:
        for entry in (*jax_functions.COLLECTION.entries, *jax_algebra.COLLECTION.entries):
            if not entry.array_valued:
                params, data = entry.make(np.random.default_rng([seed, 3]))
                yield Subject(name=f"{entry.name}, seed {seed}", loss=entry.loss, params=params, data=data)


def known_of(subject: Subject, dtype: str, traces: tuple[Trace, Trace], seed: int) -> Known:
    """Return what is proved of a subject in a dtype, and what it claims there.

    Raises:
        NotProvedError: nothing can be proved.
    """
    narrow = subject.rounded(dtype)
    wide = narrow.rounded("float64")
    if dtype != "float64":
        # The data stand in the trace as constants, and they have been rounded.
        traces = wide.traces()
    random = np.random.default_rng([seed, 4])
    directions = [random.choice([-1.0, 1.0], subject.size) for _ in range(_DIRECTIONS)]
    slopes = prove_slopes(traces[0], wide.arrays, [wide.split(one) for one in directions])
    spread = spread_of(rounding_samples(traces[1], wide.arrays), np.stack(directions))
    return Known(
        slopes=slopes,
        spread=spread,
        directions=directions,
        gradient=narrow.gradient(),
        # A part that is computed in a narrower dtype whatever it is given is no mistake of the gradient.
        roundoff=max(roundoff_of(dtype), coarsest_cast(traces[1])),
    )


def faulty(gradient: Vector, norm: float, seed: int) -> dict[str, Vector]:
    """Return gradients, each of shape (n,), with an error that differences do not see, by name."""
    random = np.random.default_rng([seed, 5])
    single, dense = gradient.copy(), random.standard_normal(gradient.size)
    single[random.choice(np.flatnonzero(gradient))] *= 1 + _SINGLE
    changed = (single, gradient * (1 + _DENSE), gradient + _DENSE * norm * dense / np.linalg.norm(dense))
    return dict(zip(FAULTS, changed, strict=True))


@dataclass(slots=True)
class Tally:
    """What came of one family in one dtype."""

    functions: int = 0
    ratios: list[float] = field(default_factory=list)
    claims: Counter[str] = field(default_factory=Counter)
    exceptions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[int]] = field(default_factory=dict)
    seconds: float = 0.0

    def ask(self, subject: Subject, dtype: str, seed: int) -> None:
        """Prove, judge, and plant faults in float64."""
        start = time.perf_counter()
        self.functions += 1
        # Functions warn of what they truncate, and a narrow dtype overflows.
        with warnings.catch_warnings(), precision_of("jax"), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                known = known_of(subject, dtype, subject.traces(), seed)
            except (NotProvedError, UntraceableError) as error:
                # Of a place in this checkout the path from its root.
                self.missing[subject.name] = str(error).replace(f"{Path.cwd()}/", "")
            except Exception as error:  # noqa: BLE001 - what breaks is counted, with what it said
                self.missing[subject.name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            else:
                self._count(subject, dtype, known, seed)
        self.seconds += time.perf_counter() - start

    def _count(self, subject: Subject, dtype: str, known: Known, seed: int) -> None:
        if not np.isfinite(known.spread).all():
            self.missing[subject.name] = "the gradient's program overflows"
            return
        claim, ratio = known.claim(known.gradient), known.ratio()
        self.claims[claim] += 1
        if claim != "at a kink":
            self.ratios.append(min(ratio, 1e300))
        if claim not in ("right", "at a kink"):
            self.exceptions[subject.name] = f"{claim}, {ratio:.3g} of what is allowed"
        if dtype == "float64" and claim == "right" and known.gradient.any():
            for name, gradient in faulty(known.gradient, norm_of(known.slopes), seed).items():
                count = self.faults.setdefault(name, [0, 0])
                count[0] += known.claim(gradient) != "right"
                count[1] += 1


def validate(
    families: Sequence[str],
    seeds: Sequence[int],
    environment: dict[str, Any],
    tell: Callable[[str], None],
    *,
    narrow: int = 1,
) -> Iterator[ValidationRow]:
    """Yield a row for every family and dtype.

    Args:
        families: "catalogue", "compositions", "networks".
        seeds: of functions and points; the catalogue has a point for every hundredth of them, and one at least.
        environment: for the rows.
        tell: called with what is going on.
        narrow: one function in so many is asked in the narrow dtypes, too.
    """
    for family in families:
        began = load()
        tallies = {dtype: Tally() for dtype in DTYPES}
        chosen = seeds[::100] if family == "catalogue" else seeds
        for number, subject in enumerate(subjects(family, chosen)):
            if number % _TOLD_EVERY == 0:
                tell(f"{family}: {number}")
            for dtype, tally in tallies.items():
                if dtype == "float64" or number % narrow == 0:
                    tally.ask(subject, dtype, seeds[0] + number)
        for dtype, tally in tallies.items():
            yield ValidationRow(
                family=family,
                dtype=dtype,
                seeds=(seeds[0], seeds[-1]),
                functions=tally.functions,
                claims=dict(tally.claims),
                ratios=tuple(float(f"{ratio:.3g}") for ratio in sorted(tally.ratios)),
                exceptions=tally.exceptions,
                missing=tally.missing,
                faults={name: (seen, of) for name, (seen, of) in tally.faults.items()},
                seconds=round(tally.seconds, 1),
                load=began,
                environment=environment,
            )
