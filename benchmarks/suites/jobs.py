"""Jobs: what a test suite asks of a checker, hundreds of small checks in one warm process, beside a peer in turns.

The peers are called as their manuals do: gradcheck in its slow mode, jax.test_util.check_grads to first order, and the
three-point differences of scipy, held against the gradient by hand. A job begins with one check of each kind that is
not counted. Beside the jobs there are single checks, each timed after one like it: a Jacobian of many outputs, second
derivatives, 100 parameters in JAX.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from rich.table import Table

import xcheck
from benchmarks.measure import memory
from benchmarks.measure.environment import load
from benchmarks.measure.rows import Row
from benchmarks.peers.judges import AGREE, DISAGREE
from benchmarks.publish.tables import seconds
from benchmarks.suites.function_cases import Made, small
from benchmarks.suites.functions import GRADCHECK, XCHECK, by_gradcheck
from benchmarks.suites.job_cases import FRAMEWORKS, KINDS, Arrays, Framework, small_checks

KIND = "job"
CHECKS, QUICK_CHECKS = 200, 20
CHECK_GRADS, THREE_POINT = "check_grads", "scipy-3-point"
# Seed of the checks that are not counted; rounds count from 0.
_WARM = 1000
# A gradient by hand is right to scipy's three points if it is that near; their error is about 1e-10.
_NEAR = 1e-6

# A check, and what it says: "agree" or not, and how many losses it took.
Check = Callable[[Made], tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Checks that are timed together.

    Attributes:
        name: as in rows and on the command line.
        text: what it is.
        settings: of `xcheck.check`.
        warm: makes what is checked once before, and not counted.
        counted: makes what is timed; takes how many checks a job has, and the number of the round. Each round has
            functions of its own: a test suite asks of each once, and JAX keeps what it compiles for a shape.
        peer: its name and its check; None where there is no like.
        goal: ratio to the peer that is aimed at, or seconds where there is none.
    """

    name: str
    text: str
    settings: dict[str, Any]
    warm: Callable[[], Sequence[Made]]
    counted: Callable[[int, int], Sequence[Made]]
    peer: tuple[str, Check] | None
    goal: float


def by_xcheck(settings: dict[str, Any], made: Made) -> tuple[str, int]:
    """Check with xcheck as a test does."""
    report = xcheck.check(made.loss, made.params, made.data, gradient=made.gradient, **settings)
    return report.verdict.lower(), report.oracle.evaluations


def by_check_grads(made: Made) -> tuple[str, int]:
    """Check with jax.test_util.check_grads: forward and reverse mode along one random direction."""
    import jax
    from jax.test_util import check_grads

    with jax.enable_x64(True):
        try:
            check_grads(lambda params: made.loss(params, *made.data), (made.params,), order=1)
        except AssertionError:
            return DISAGREE, 0
    return AGREE, 0


def by_three_points(made: Made) -> tuple[str, int]:
    """Check a gradient by hand with the three-point differences of scipy."""
    from scipy.optimize._numdiff import approx_derivative

    shapes = {name: np.shape(value) for name, value in made.params.items()}
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    evaluations = 0

    def loss(theta: Any) -> Any:
        nonlocal evaluations
        evaluations += 1
        parts = zip(shapes.items(), np.split(theta, ends[:-1]), strict=True)
        return made.loss({name: part.reshape(shape) for (name, shape), part in parts}, *made.data)

    def flatten(arrays: Arrays) -> Any:
        return np.concatenate([np.ravel(arrays[name]) for name in shapes])

    if made.gradient is None:
        raise ValueError("NumPy needs a gradient by hand")
    measured = approx_derivative(loss, flatten(made.params), method="3-point")
    near = np.allclose(measured, flatten(made.gradient(made.params, *made.data)), rtol=_NEAR, atol=_NEAR)
    return AGREE if near else DISAGREE, evaluations


# --- what is timed ----------------------------------------------------------------------------------------------------


def many_outputs() -> Made:
    """A loss of 2,000 outputs and 5 parameters in JAX: a curve at 2,000 points."""
    import jax
    import jax.numpy as jnp

    def curve_at(params: Arrays, x: Any) -> Any:
        c = params["c"]
        return c[0] * jnp.exp(-c[1] * x) + c[2] * jnp.sin(c[3] * x) + c[4]

    with jax.enable_x64(True):
        return Made(loss=curve_at, params={"c": jnp.array([1, 0.5, 0.3, 2, 0.1])}, data=(jnp.linspace(0, 1, 2000),))


def two_parameters() -> Made:
    """Rosenbrock's function in JAX."""
    import jax
    import jax.numpy as jnp

    def rosenbrock(params: Arrays) -> Any:
        x, y = params["x"]
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    with jax.enable_x64(True):
        return Made(loss=rosenbrock, params={"x": jnp.array([-1.2, 1.0])}, data=())


_PEERS: dict[Framework, tuple[str, Check, float]] = {
    "torch": (GRADCHECK, by_gradcheck, 1.0),
    "jax": (CHECK_GRADS, by_check_grads, 1.0),
    "numpy": (THREE_POINT, by_three_points, 3.0),
}


def _single(name: str, text: str, make: Callable[[], Made], goal: float, **settings: Any) -> Job:
    return Job(
        name=name,
        text=text,
        settings=settings,
        warm=lambda: [make()],
        counted=lambda count, number: [make()],
        peer=None,
        goal=goal,
    )


def _job(framework: Framework) -> Job:
    name, check, goal = _PEERS[framework]
    return Job(
        name=framework,
        text=f"small checks ({framework})",
        settings={},
        warm=lambda: list(small_checks(framework, len(KINDS), _WARM)),
        counted=lambda count, number: list(small_checks(framework, count, number)),
        peer=(name, check),
        goal=goal,
    )


JOBS: tuple[Job, ...] = (
    *(_job(framework) for framework in FRAMEWORKS),
    _single("hundred", "100 parameters (jax)", lambda: small("jax"), 0.15),
    _single("outputs", "Jacobian, 2,000 outputs, 5 parameters (jax)", many_outputs, 1.0, scope="jacobian"),
    _single("second", "second order, 2 parameters (jax)", two_parameters, 1.0, order=2),
)


def measure_jobs(
    jobs: Sequence[Job], checks: int, rounds: int, environment: dict[str, Any], tell: Callable[[str], None]
) -> Iterator[Row]:
    """Yield one row for each job and method; a sample is the time of all checks of the job.

    Args:
        jobs: which.
        checks: how many checks a job has.
        rounds: samples.
        environment: for the rows.
        tell: called with what is going on.
    """
    for job in jobs:
        tell(job.name)
        began, methods = load(), _methods(job)
        first = {name: sum(_seconds(check, made)[0] for made in job.warm()) for name, check in methods.items()}
        counted = [job.counted(checks, number) for number in range(rounds)]
        idle, growth = memory.held(), {name: memory.Growth() for name in methods}
        turns = [_take_turns(methods, functions, growth) for functions in counted]
        for name in methods:
            verdicts = {verdict for turn in turns for verdict in turn[name].verdicts}
            yield Row(
                scenario=job.name,
                shape=f"{len(counted[-1])} {job.text}" if len(counted[-1]) > 1 else job.text,
                activation="",
                parameters=sum(made.size for made in counted[-1]),
                examples=len(counted[-1]),
                method=name,
                kind=KIND,
                valid=verdicts == {AGREE},
                verdict=", ".join(sorted(verdicts)),
                first=first[name],
                samples=tuple(turn[name].seconds for turn in turns),
                evaluations=turns[-1][name].losses,
                peak_memory=idle + growth[name].most,
                idle_memory=idle,
                load=began,
                environment=environment,
            )


@dataclass(slots=True)
class _Total:
    """What all checks of a job took by one method, and what was said."""

    seconds: float = 0.0
    losses: int = 0
    verdicts: set[str] = field(default_factory=set)


def _take_turns(
    methods: dict[str, Check], counted: Sequence[Made], growth: dict[str, memory.Growth]
) -> dict[str, _Total]:
    """Make every check by every method, in turns: whatever else the machine does hits all alike."""
    totals = {name: _Total() for name in methods}
    for made in counted:
        for name, check in methods.items():
            with growth[name].counted():
                time_taken, (verdict, losses) = _seconds(check, made)
            totals[name].seconds += time_taken
            totals[name].losses += losses
            totals[name].verdicts.add(verdict)
    return totals


def _methods(job: Job) -> dict[str, Check]:
    ours: dict[str, Check] = {XCHECK: partial(by_xcheck, job.settings)}
    return ours | ({} if job.peer is None else dict([job.peer]))


def _seconds(check: Check, made: Made) -> tuple[float, tuple[str, int]]:
    start = time.perf_counter()
    answer = check(made)
    return time.perf_counter() - start, answer


_HEADINGS = ("job", "n", "xcheck", "losses", "peer", "", "goal", "MiB more")


def job_table(rows: Sequence[Row]) -> Table:
    """Return one line per job: both times, their ratio, the goal, and the memory that those of xcheck took."""
    table = Table(title="jobs in a warm process, medians", title_justify="left")
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="left" if number in (0, 4) else "right")
    for line in _lines(rows):
        table.add_row(*line)
    return table


def jobs_markdown(rows: Sequence[Row]) -> str:
    """Return the same table for a page."""
    lines = [_HEADINGS, ("---", "---:", "---:", "---:", "---", "---:", "---:", "---:"), *_lines(rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _lines(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    goals = {job.name: job.goal for job in JOBS}
    for name in dict.fromkeys(row.scenario for row in rows):
        methods = [row for row in rows if row.scenario == name]
        ours = next(row for row in methods if row.method == XCHECK)
        theirs = next((row for row in methods if row.method != XCHECK), None)
        more = max((ours.peak_memory or 0) - (ours.idle_memory or 0), 0) / (1 << 20)
        yield (
            ours.shape,
            f"{ours.parameters:,}",
            seconds(ours.median) if ours.valid else f"INVALID {ours.verdict}",
            f"{ours.evaluations:,}",
            "" if theirs is None else f"{seconds(theirs.median)} {theirs.method}",
            "" if theirs is None else f"{_ratio(ours, theirs):.2f} x",
            f"≤ {goals[name]:g} {'s' if theirs is None else 'x'}",
            f"{more:,.0f}",
        )


def _ratio(ours: Row, theirs: Row) -> float:
    """Return the median of the ratios of samples that were taken together."""
    return float(np.median(np.divide(ours.samples, theirs.samples)))
