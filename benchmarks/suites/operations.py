"""The table of operations: wrong backward rules planted in one operation of a network, and what xcheck blames.

*right*: that operation at its line, and no other; *wrong*: any other is named; *unnamed*: the gradient is called wrong,
and no operation is; *unseen*: the check agrees, as it should where the mistake does not reach a parameter.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from benchmarks.publish.console import wide_console
from tests.operations.networks import NETWORKS
from tests.operations.planted import FRAMEWORKS, Plant, plants, right_loss
from xcheck import Report, check, objective
from xcheck.findings import WRONG_OPERATION

_SCORES = ("right", "wrong", "unnamed", "unseen")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one plant.

    Attributes:
        plant: what was planted; None where all was right.
        score: one of those of the module.
        named: the operations and lines that were named.
        seconds: of the whole check.
    """

    network: str
    plant: Plant | None
    score: str
    named: tuple[str, ...]
    seconds: float


def measure_operations(framework: str, every: int) -> Iterator[Outcome]:
    """Yield what comes of every right network, and of one plant in `every`."""
    for name, network in NETWORKS.items():
        report, seconds = _checked(framework, name, right_loss(framework, network))
        named = _named(report)
        yield Outcome(name, None, "right" if report.ok and not named else "wrong", named, seconds)
    for plant in list(plants(framework))[::every]:
        report, seconds = _checked(framework, plant.network, plant.loss())
        named = _named(report)
        yield Outcome(plant.network, plant, _score(plant, report), named, seconds)


def _checked(framework: str, network: str, loss: Any) -> tuple[Report, float]:
    params, x, y = NETWORKS[network].draw(0)
    start = time.perf_counter()
    report = check(objective(loss, framework), params, (x, y))
    return report, time.perf_counter() - start


def _named(report: Report) -> tuple[str, ...]:
    places = [one.where for one in report.findings if one.code == WRONG_OPERATION and one.where is not None]
    return tuple(where.short for where in places)


def _score(plant: Plant, report: Report) -> str:
    if report.ok:
        return "unseen"
    lines = [one.where.line for one in report.findings if one.code == WRONG_OPERATION and one.where is not None]
    if not lines:
        return "unnamed"
    operation = plant.site.rpartition("_")[0]
    whose = {one.where.operation for one in report.findings if one.code == WRONG_OPERATION and one.where is not None}
    return "right" if lines == [plant.line] and whose == {operation} else "wrong"


def operation_table(framework: str, outcomes: Sequence[Outcome]) -> Table:
    """Return one line for each network."""
    table = Table("network", "right rules blamed", "planted", *_SCORES, "seconds", title=framework)
    for name in (*NETWORKS, "all"):
        own = [one for one in outcomes if name in (one.network, "all")]
        planted = [one for one in own if one.plant is not None]
        counts = Counter(one.score for one in planted)
        false = sum(one.score != "right" for one in own if one.plant is None)
        seconds = sum(one.seconds for one in own)
        table.add_row(
            name, str(false), str(len(planted)), *(str(counts[score]) for score in _SCORES), f"{seconds:.0f} s"
        )
    return table


def _not_right(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for one in outcomes:
        if one.score in ("wrong", "unnamed"):
            what = "no mistake" if one.plant is None else f"{one.plant.site}, {one.plant.mistake}, {one.plant.which}"
            yield f"{one.network}: {what}: {one.score}; named: {', '.join(one.named) or 'nothing'}"


@click.command(name="operations")
@click.option("--framework", type=click.Choice(FRAMEWORKS), multiple=True, help="By default both.")
@click.option("--every", type=click.IntRange(min=1), default=1, show_default=True, help="One plant in so many.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the table as Markdown, too.")
def operations_command(framework: tuple[str, ...], every: int, out: Path | None) -> None:
    """Wrong backward rules in one operation of a network: how often that operation and its line are named."""
    pages = []
    for name in framework or FRAMEWORKS:
        outcomes = list(measure_operations(name, every))
        table = operation_table(name, outcomes)
        wide_console().print(table)
        for line in _not_right(outcomes):
            click.echo(line)
        pages.append(table)
    if out is not None:
        out.write_text(_markdown(pages), encoding="utf-8")


def _markdown(pages: Sequence[Table]) -> str:
    parts = [_PAGE]
    for table in pages:
        columns = [str(column.header) for column in table.columns]
        rows = zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)
        lines = [columns, ["---"] * len(columns), *rows]
        parts.append(f"## {table.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


_PAGE = """# Operations

One operation of one of eight networks gets a backward rule of its own, with a mistake, and the network is checked, as
`python -m benchmarks operations --out docs/operations.md` does it.

*right*: that operation at its line is named, and no other; *unnamed*: the gradient is called wrong, and no operation is
named; *unseen*: the mistake does not reach any parameter, and the check agrees; *wrong*: another operation is named."""
