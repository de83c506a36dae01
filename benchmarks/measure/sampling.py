"""Measuring: set every method up, one first call each, then samples in turns."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.measure.environment import load
from benchmarks.measure.rows import Row
from benchmarks.measure.worker import Findings, Ready, Worker, WorkerError
from benchmarks.peers.catalogue import Entry
from benchmarks.peers.method import SkippedError
from benchmarks.suites.scenarios import Scenario, exact_gradient

Tell = Callable[[str], None]
_SHORTEST_SAMPLE = 0.05  # seconds: shorter calls are repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: most samples per method.
        least: samples that even a slow method gives.
        seconds: spent on the samples of one method; no more are taken after that.
        planting: seconds that planting all faults may take; a method that needs longer is not asked.
        timeout: seconds that anything may take.
    """

    rounds: int
    least: int
    seconds: float
    planting: float
    timeout: float


FULL = Plan(rounds=7, least=3, seconds=6.0, planting=40.0, timeout=150.0)
QUICK = Plan(rounds=3, least=2, seconds=1.0, planting=10.0, timeout=60.0)


class _Runner:
    """A method in its process, and the row that comes of it; a failure ends it and is noted in the row."""

    def __init__(self, row: Row, worker: Worker) -> None:
        self.row = row
        self._worker = worker
        self._ready: Ready | None = None
        self._samples: list[float] = []
        self._passes: list[float] = []

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except SkippedError as reason:
            self._end(note=str(reason))
        except WorkerError as error:
            self._end(valid=False, note=str(error))

    def _end(self, **what: Any) -> None:
        self.row = replace(self.row, **what)
        self._ready = None

    def start(self) -> None:
        """Wait until the method is set up; make the first call, and a short one that does not count."""
        with self._noting_failure():
            ready = self._worker.ready()
            first = self._worker.ask("sample", 1)
            again = self._worker.ask("sample", 1) if first < 1 else first
            repeats = max(1, round(_SHORTEST_SAMPLE / again))
            self.row = replace(self.row, setup=ready.setup, first=first, repeats=repeats)
            self._ready = ready

    def wants_more(self, plan: Plan) -> bool:
        """Whether another sample is to be taken."""
        taken, spent = len(self._samples), sum(self._samples) * self.row.repeats
        return self._ready is not None and (taken < plan.least or (taken < plan.rounds and spent < plan.seconds))

    def sample(self) -> None:
        """Take a sample."""
        with self._noting_failure():
            self._samples.append(self._worker.ask("sample", self.row.repeats))
            one_pass = self._worker.ask("sample_passes", self.row.repeats)
            self._passes += [] if one_pass is None else [one_pass]

    def finish(self, planting: float) -> None:
        """Ask for the verdict and what goes with it, and plant the faults, for so many seconds at most."""
        ready = self._ready
        with self._noting_failure():
            if ready is not None:
                self.row = self._extrapolated(ready, self._worker.ask("findings"))
        # A sample of the components may miss a fault because it did not look there: that would prove nothing.
        if self._ready is not None and planting and self.row.extrapolated_from is None:
            self._plant(planting)

    def _plant(self, seconds: float) -> None:
        try:
            found = self._worker.ask("faults", seconds)
        except (SkippedError, WorkerError) as error:
            # What was measured before stands.
            found, why = None, str(error)
        else:
            why = f"that would take more than {seconds:g} s"
        if found is None:
            note = "; ".join(part for part in (self.row.note, f"no faults planted: {why}") if part)
            self.row = replace(self.row, note=note)
        self.row = replace(self.row, faults=found)

    def _extrapolated(self, ready: Ready, findings: Findings) -> Row:
        n, k = self.row.parameters, ready.components
        return replace(
            self.row,
            valid=findings.verdict == "agree",
            verdict=findings.verdict,
            note=ready.note,
            extrapolated_from=None if k == n else k,
            samples=tuple(seconds * n / k for seconds in self._samples),
            pass_samples=tuple(self._passes),
            compile=findings.compile,
            evaluations=round(findings.evaluations * n / k),
            losses_per_pass=findings.losses_per_pass,
            peak_memory=findings.peak_memory,
            idle_memory=ready.idle_memory,
            max_error=findings.max_error,
            relative_error=findings.relative_error,
            outside_bar=findings.outside_bar,
        )


def blank_row(scenario: Scenario, environment: dict[str, Any], method: str, kind: str) -> Row:
    """Return a row that knows what it is about, and nothing else yet."""
    return Row(
        scenario=scenario.name,
        shape=scenario.shape,
        activation=scenario.activation,
        parameters=scenario.parameters,
        examples=scenario.examples,
        method=method,
        kind=kind,
        valid=None,
        load=load(),
        environment=environment,
    )


def measure(
    scenario: Scenario,
    entries: Sequence[Entry],
    *,
    plan: Plan,
    device: str,
    environment: dict[str, Any],
    tell: Tell,
) -> Iterator[Row]:
    """Yield one row per method.

    Args:
        scenario: what they are asked about.
        entries: the methods.
        plan: how much is measured.
        device: "cpu" or "gpu".
        environment: for the rows.
        tell: called with what is going on.
    """
    gradient = exact_gradient(scenario.problem())
    with ExitStack() as stack:
        runners = []
        for entry in entries:
            tell(f"{scenario.name}: {entry.name}, first call")
            row = blank_row(scenario, environment, entry.name, entry.kind)
            worker = stack.enter_context(Worker(scenario, entry, device, gradient, plan.timeout))
            runners.append(_Runner(row, worker))
            runners[-1].start()
        tell(f"{scenario.name}: samples in turns")
        while waiting := [runner for runner in runners if runner.wants_more(plan)]:
            for runner in waiting:
                runner.sample()
        tell(f"{scenario.name}: verdicts and planted faults")
        for runner in runners:
            runner.finish(plan.planting if scenario.faults else 0.0)
            yield runner.row
