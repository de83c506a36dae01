"""The table of forward passes: differences planted in one line of one of two programs, and where xcheck says they part.

*right*: at the line of the difference on both sides; *half*: on one side at another line; *wrong*: on both; *unnamed*:
nothing is named. Of programs without a difference nothing may be named.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click
from rich.table import Table

from benchmarks.publish.console import wide_console
from tests.forward.planted import Trial, equal_pairs, trials
from tests.forward.programs import DRAWS

_SCORES = ("right", "half", "wrong", "unnamed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one trial.

    Attributes:
        trial: two programs, and the difference between them.
        score: one of those of the module.
        seconds: to trace both programs, unless they have been before, and to compare them.
    """

    trial: Trial
    score: str
    seconds: float


def measure_forward(every: int) -> Iterator[Outcome]:
    """Yield what comes of equal programs, and of one difference in `every`."""
    for trial in (*equal_pairs(), *list(trials())[::every]):
        start = time.perf_counter()
        score = trial.score()
        yield Outcome(trial, score, time.perf_counter() - start)


def forward_table(outcomes: Sequence[Outcome]) -> Table:
    """Return one line for each network."""
    table = Table("network", "equal programs", "of them named", "planted", *_SCORES, "seconds", title="forward passes")
    for name in (*DRAWS, "all"):
        own = [one for one in outcomes if name in (one.trial.network, "all")]
        equal = [one for one in own if one.trial.plant is None]
        counts = Counter(one.score for one in own if one.trial.plant is not None)
        named = sum(one.score != "right" for one in equal)
        numbers = [len(equal), named, counts.total(), *(counts[score] for score in _SCORES)]
        table.add_row(name, *map(str, numbers), f"{sum(one.seconds for one in own):.0f} s")
    return table


def _not_right(outcomes: Iterable[Outcome]) -> Iterator[str]:
    yield from (f"{one.score}: {one.trial}" for one in outcomes if one.score != "right")


@click.command(name="forward")
@click.option("--every", type=click.IntRange(min=1), default=1, show_default=True, help="One difference in so many.")
def forward_command(every: int) -> None:
    """Differences between two forward passes: how often they are located in both."""
    outcomes = list(measure_forward(every))
    wide_console().print(forward_table(outcomes))
    for line in _not_right(outcomes):
        click.echo(line)
