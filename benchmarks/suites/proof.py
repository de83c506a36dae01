"""Proofs: time, memory and digits of slopes in ball arithmetic, and the smallest error of a gradient that they see.

Beside them stand central differences along the same directions, at the one step of 2⁻⁴ ... 2⁻³⁰ at which they are
nearest to the proved slopes: with hindsight, which nobody has who differences; and the default check along directions,
with what its own error bars would see. Every loss is measured in a process of its own.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

import numpy as np

import xcheck
from benchmarks.measure.environment import load
from benchmarks.measure.memory import forget_peak, held, peak
from benchmarks.suites.proof_models import BY_NAME, ProofCase
from benchmarks.suites.proof_rows import ProofRow
from benchmarks.suites.proof_subject import Subject
from tests.breadth.entry import precision_of
from xcheck.certificates.judge import Claimed, judge, norm_of
from xcheck.certificates.rounding import rounding_samples, spread_of
from xcheck.certificates.slopes import Slopes, prove_slopes
from xcheck.checks.proof import DIRECTIONS
from xcheck.dtypes import FLOAT64
from xcheck.findings import SAMPLED
from xcheck.layout import Vector

Result = TypeVar("Result")
STEPS = tuple(2.0**-power for power in range(4, 31))
# Norms of planted errors in units of the gradient's, three in a decade.
SIZES = tuple(float(f"{10.0 ** (-9 - third / 3):.2g}") for third in range(19))
# Errors of each size; fewer, and one size in a decade from 1e-12 on, where a gradient has a million components: each is
# judged for seconds.
_DRAWS, _FEW_DRAWS, _LARGE = 4, 2, 500_000
_FEW_SIZES = SIZES[9::3]
_COMPONENTS = 10
SINGLE = (1e-9, 1e-12)


def measure_proofs(
    cases: Sequence[ProofCase], rounds: int, environment: dict[str, Any], tell: Callable[[str], None]
) -> Iterator[ProofRow]:
    """Yield one row for each loss.

    Args:
        cases: the losses.
        rounds: samples of each time.
        environment: for the rows.
        tell: called with what is going on.
    """
    for case in cases:
        tell(f"{case.name}: {case.text}")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield pool.submit(measure_proof, case.name, rounds, environment).result()


def measure_proof(name: str, rounds: int, environment: dict[str, Any]) -> ProofRow:
    """Return the row of one loss, measured in this process."""
    case, began = BY_NAME[name], load()
    subject = case.subject()
    with precision_of("jax"):
        gradient = subject.gradient()
        loss_trace, gradient_trace = subject.traces()
        random = np.random.default_rng(0)
        directions = [random.choice([-1.0, 1.0], subject.size) for _ in range(DIRECTIONS)]
        split = [subject.split(one) for one in directions]
        forget_peak()
        before = held()
        # The first call, which imports and compiles, is not counted, but for its memory.
        slopes = prove_slopes(loss_trace, subject.arrays, split)
        memory = max(peak() - before, 0)
        six = [_timed(lambda: prove_slopes(loss_trace, subject.arrays, split))[1] for _ in range(rounds)]
        one = [_timed(lambda: prove_slopes(loss_trace, subject.arrays, split[:1]))[1] for _ in range(rounds)]
        stacked = np.stack(directions)
        spread = spread_of(rounding_samples(gradient_trace, subject.arrays), stacked)
        rounding = [_timed(lambda: rounding_samples(gradient_trace, subject.arrays))[1] for _ in range(rounds)]
        claimed = Claimed(name="jax", gradient=gradient, roundoff=FLOAT64, spread=spread)
        right = judge(claimed, slopes, directions)
        differences = _best_difference(subject, slopes, directions)
    norm = norm_of(slopes)

    def claim(error: Vector) -> str:
        changed = Claimed(name="jax", gradient=gradient + error, roundoff=FLOAT64, spread=spread)
        return judge(changed, slopes, directions).claim

    seen, wrong = _smallest(claim, subject.size, norm)
    sees, seconds = _timed(lambda: _default_check(subject))
    return ProofRow(
        name=name,
        text=case.text,
        parameters=subject.size,
        valid=right.claim == "right",
        claim=right.claim,
        one=tuple(one),
        six=tuple(six),
        rounding=tuple(rounding),
        memory=memory,
        bits=slopes.precision,
        radius=max(float(slope.rad()) for slope in slopes.slopes) / norm,
        error=right.error,
        allowed=right.allowed,
        seen=seen,
        called_wrong=wrong,
        components=_components(claim, gradient),
        all_scaled=claim(1e-12 * gradient) != "right",
        difference=differences,
        check_seconds=seconds,
        check_sees=None if sees is None else sees / norm,
        load=began,
        environment=environment,
    )


def _timed(call: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    found = call()
    return found, time.perf_counter() - start


def _best_difference(subject: Subject, slopes: Slopes, directions: Sequence[Vector]) -> float:
    """Return the root mean square over directions of a central difference's error, at the best step, per norm."""
    losses = subject.losses()
    theta = np.concatenate([array.ravel() for array in subject.arrays])
    proved = np.array([float(slope) for slope in slopes.slopes])
    errors = []
    for step in STEPS:
        found = np.array([(losses(theta + step * v) - losses(theta - step * v)) / (2 * step) for v in directions])
        errors.append(float(np.sqrt(np.mean((found - proved) ** 2))))
    return min(errors) / norm_of(slopes)


def _smallest(claim: Callable[[Vector], str], size: int, norm: float) -> tuple[float | None, float | None]:
    """Return the smallest error in random directions that is seen in all draws, and that is called wrong in all."""
    random = np.random.default_rng(1)
    found: dict[str, float | None] = {"seen": None, "wrong": None}
    asked = {"seen": True, "wrong": True}
    for share in SIZES if size < _LARGE else _FEW_SIZES:
        claims = []
        for _ in range(_DRAWS if size < _LARGE else _FEW_DRAWS):
            error = random.standard_normal(size)
            claims.append(claim(share * norm / np.linalg.norm(error) * error))
        asked["seen"] &= "right" not in claims
        asked["wrong"] &= set(claims) == {"wrong"}
        found |= {name: share for name, still in asked.items() if still}
        if not asked["seen"]:
            break
    return found["seen"], found["wrong"]


def _components(claim: Callable[[Vector], str], gradient: Vector) -> dict[str, tuple[int, int]]:
    """Return of how many single components an error is seen, by its share of the component."""
    random = np.random.default_rng(2)
    count = _COMPONENTS if gradient.size < _LARGE else _FEW_DRAWS
    chosen = random.choice(np.flatnonzero(gradient), count, replace=False)
    found = {}
    for share in SINGLE:
        seen = 0
        for place in chosen:
            error = np.zeros(gradient.size)
            error[place] = share * gradient[place]
            seen += claim(error) != "right"
        found[f"{share:.0e}"] = (seen, count)
    return found


def _default_check(subject: Subject) -> float | None:
    """Return the norm of the error that the check along directions says it would have seen."""
    with precision_of("jax"):
        report = xcheck.check(subject.loss, subject.params, subject.data, backend="jax", scope="directions")
    return next((finding.value for finding in report.warnings if finding.code == SAMPLED), None)
