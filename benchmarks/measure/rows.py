"""Row: what was measured of one method on one scenario, and one line of a JSON Lines file."""

import json
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

Parsed = TypeVar("Parsed")


class RowsError(Exception):
    """A file of rows cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One method on one scenario. Times in seconds, memory in bytes.

    Attributes:
        scenario: name.
        shape: units per layer, such as "784-128-10".
        activation: of the hidden layers.
        parameters: n.
        examples: m.
        method: name.
        kind: "engine", "peer" or "command".
        valid: whether the right gradient was accepted; None if the method took no part. An invalid row is not fast.
        verdict: on the right gradient: "agree", "disagree", "undecided"; None if there is none.
        note: what a reader of the numbers must know: why it took no part, how it failed, how it was set up.
        extrapolated_from: k, if k of n components were checked: samples and evaluations are n/k times those measured.
        setup: importing frameworks, building the problem, trying chunk sizes, in a fresh process.
        first: the first call, compilation included; not extrapolated.
        compile: of which tracing and compiling; None where nothing is compiled.
        samples: later calls, interleaved with those of the other methods; each the mean of `repeats`.
        pass_samples: seconds of one central difference of everything, without whatever else a call does; none if a
            call does nothing else.
        repeats: calls per sample.
        evaluations: losses evaluated in one call.
        losses_per_pass: losses in one central difference of everything that is perturbed.
        peak_memory: the most that the method's own process held after it was set up.
        idle_memory: what it held when it was set up.
        max_error: largest |error| of the numerical gradient, against extended precision.
        relative_error: the same in units of the largest component.
        outside_bar: components whose error is larger than their error bar.
        faults: planted faults by name, true if found; those that change nothing in this scenario are left out. None if
            none were planted.
        load: load average when the row was begun.
        environment: see `benchmarks.measure.environment`.
    """

    scenario: str
    shape: str
    activation: str
    parameters: int
    examples: int
    method: str
    kind: str
    valid: bool | None
    verdict: str | None = None
    note: str = ""
    extrapolated_from: int | None = None
    setup: float | None = None
    first: float | None = None
    compile: float | None = None
    samples: tuple[float, ...] = ()
    pass_samples: tuple[float, ...] = ()
    repeats: int = 1
    evaluations: int | None = None
    losses_per_pass: int | None = None
    peak_memory: int | None = None
    idle_memory: int | None = None
    max_error: float | None = None
    relative_error: float | None = None
    outside_bar: int | None = None
    faults: dict[str, bool] | None = None
    load: float | None = None
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float | None:
        """Median of the samples."""
        return statistics.median(self.samples) if self.samples else None

    @property
    def iqr(self) -> float | None:
        """Distance between the quartiles of the samples."""
        if not self.samples:
            return None
        low, high = np.percentile(self.samples, [25, 75])
        return float(high - low)

    @property
    def seconds_per_pass(self) -> float | None:
        """Seconds of one central difference of everything, measured, or the median by the share of its losses.

        xcheck takes three steps, measures the noise and audits; most peers take one step. This compares like with like.
        """
        if self.pass_samples:
            return statistics.median(self.pass_samples)
        if not (self.median and self.evaluations and self.losses_per_pass):
            return None
        return self.median * self.losses_per_pass / self.evaluations

    @property
    def found(self) -> int | None:
        """Number of planted faults that were found."""
        return None if self.faults is None else sum(self.faults.values())

    @property
    def planted(self) -> int | None:
        """Number of planted faults."""
        return None if self.faults is None else len(self.faults)

    def to_json(self) -> str:
        """Return one line; derived numbers are written too, for readers that are not this module."""
        derived = {name: getattr(self, name) for name in _DERIVED}
        return json.dumps({**asdict(self), **derived}, ensure_ascii=False, allow_nan=False)


_DERIVED = ("median", "iqr", "seconds_per_pass", "found", "planted")


def parse(line: str, make: Callable[[dict[str, Any]], Parsed], suite: str | None = None) -> Parsed:
    """Return the row of one line of JSON.

    Args:
        line: what `to_json` of a row wrote.
        make: makes the row of its content, the suite taken out.
        suite: that it is to be of; None for the rows of this module, which have none.

    Raises:
        RowsError: it is something else.
    """
    try:
        content = json.loads(line)
        if suite is not None and content.pop("suite") != suite:
            raise RowsError(f"not a row of the suite {suite!r}")
        return make(content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RowsError(f"not a row of this version ({error}); measure again, or check out its commit") from error


def from_json(line: str) -> Row:
    """Read what `Row.to_json` wrote.

    Raises:
        RowsError: it is something else.
    """

    def make(content: dict[str, Any]) -> Row:
        given = {name: value for name, value in content.items() if name not in _DERIVED}
        tuples = {name: tuple(given.get(name, ())) for name in ("samples", "pass_samples")}
        return Row(**{**given, **tuples})

    return parse(line, make)


def read(path: Path) -> tuple[Row, ...]:
    """Read a file of rows.

    Raises:
        RowsError: it cannot be read; the text names file and line.
    """
    return read_rows(path, from_json)


def read_rows(path: Path, parse: Callable[[str], Parsed]) -> tuple[Parsed, ...]:
    """Read a file of rows of any suite.

    Args:
        path: of the file.
        parse: a line -> a row; raises RowsError where it is something else.

    Raises:
        RowsError: it cannot be read; the text names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise RowsError(f"{path}: {error.strerror}") from error
    return tuple(_rows(path, lines, parse))


def holds(path: Path, suite: str) -> bool:
    """Return whether a file holds rows of a suite that names itself in them."""
    with path.open(encoding="utf-8") as file:
        return file.readline().startswith(f'{{"suite": "{suite}"')


def _rows(path: Path, lines: Iterable[str], parse: Callable[[str], Parsed]) -> Iterator[Parsed]:
    for number, line in enumerate(lines, start=1):
        try:
            yield parse(line)
        except RowsError as error:
            raise RowsError(f"{path}:{number}: {error}") from error
