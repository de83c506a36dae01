"""The table of operations: wrong backward rules planted in one operation of a network, and what xcheck blames."""

import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.publish.console import wide_console
from benchmarks.suites.operations_losses import CountedPass, Tally
from benchmarks.suites.operations_rows import OperationRow, describe_failures, markdown, operation_table, read
from tests.operations.networks import NETWORKS
from tests.operations.planted import FRAMEWORKS, Plant, plants, right_loss
from xcheck import check, objective
from xcheck.backend import registry
from xcheck.diagnose.operations.findings import operation_findings
from xcheck.findings import WRONG_OPERATION
from xcheck.functions.arguments import read_arguments
from xcheck.layout import Vector

# A gradient that a mistake has changed by more than rounding, relative to its largest component.
_CHANGED = 1e-12


def measure_operations(framework: str, every: int, done: frozenset[tuple[str, ...]]) -> Iterator[OperationRow]:
    """Yield what comes of every right network, and of one plant in `every`; what is done is left out."""
    for name, network in NETWORKS.items():
        if OperationRow(framework=framework, network=name).key not in done:
            yield _checked(OperationRow(framework=framework, network=name), right_loss(framework, network))
    for plant in list(plants(framework))[::every]:
        row = _row_of(plant)
        if row.key not in done:
            yield _checked(row, plant.loss())


def _row_of(plant: Plant) -> OperationRow:
    return OperationRow(
        framework=plant.framework,
        network=plant.network,
        site=plant.site,
        mistake=plant.mistake,
        which=plant.which,
        expected=f"`{plant.site.rpartition('_')[0]}` at networks.py:{plant.line}",
    )


def _checked(row: OperationRow, loss: Any) -> OperationRow:
    """Return the row with what the check says."""
    params, x, y = NETWORKS[row.network].draw(0)
    start = time.perf_counter()
    report = check(objective(loss, row.framework), params, (x, y))
    seconds = time.perf_counter() - start
    findings = [one for one in report.findings if one.code == WRONG_OPERATION and one.where is not None]
    gradient, right = _gradient(row, loss), _right_gradient(row.framework, row.network)
    off, largest = np.abs(gradient - right).max(), np.abs(right).max()
    return OperationRow(
        framework=row.framework,
        network=row.network,
        site=row.site,
        mistake=row.mistake,
        which=row.which,
        reaches=bool(off > _CHANGED * largest),
        agrees=report.ok,
        expected=row.expected,
        named=tuple(one.where.short for one in findings if one.where is not None),
        text=findings[0].text.replace(f"{Path.cwd()}/", "") if findings else "",
        losses=0.0 if report.ok else _losses(row, loss),
        seconds=round(seconds, 2),
    )


def _objective(row: OperationRow, loss: Any) -> Any:
    params, x, y = NETWORKS[row.network].draw(0)
    arguments = read_arguments(params, (x, y), registry.read)
    return registry.get(row.framework).function_objective(objective(loss, row.framework), arguments, wide=True)


def _gradient(row: OperationRow, loss: Any) -> Vector:
    made = _objective(row, loss)
    gradient: Vector = made.loss_and_gradient(made.arguments.theta)[1]
    return gradient


@cache
def _right_gradient(framework: str, network: str) -> Vector:
    row = OperationRow(framework=framework, network=network)
    return _gradient(row, right_loss(framework, NETWORKS[network]))


def _losses(row: OperationRow, loss: Any) -> float:
    """Return how many losses the operations took."""
    tally = Tally()
    operation_findings("", lambda: CountedPass(_objective(row, loss).backward_pass(), tally))
    return round(tally.losses, 1)


@click.command(name="operations")
@click.option("--framework", type=click.Choice(FRAMEWORKS), multiple=True, help="By default both.")
@click.option("--every", type=click.IntRange(min=1), default=1, show_default=True, help="One plant in so many.")
@click.option(
    "--results",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON Lines: what stands there is not measured again, what is measured is appended.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the tables as Markdown, too.")
def operations_command(framework: tuple[str, ...], every: int, results: Path | None, out: Path | None) -> None:
    """Wrong backward rules in one operation of a network: how often that operation and its line are named."""
    rows = list(read(results)) if results is not None else []
    done = frozenset(row.key for row in rows)
    for name in framework or FRAMEWORKS:
        for row in measure_operations(name, every, done):
            rows.append(row)
            if results is not None:
                with results.open("a", encoding="utf-8") as file:
                    file.write(f"{row.to_json()}\n")
    tables = [operation_table(name, rows) for name in framework or FRAMEWORKS]
    for table in tables:
        wide_console().print(table)
    for line in describe_failures(rows):
        click.echo(line)
    if out is not None:
        out.write_text(markdown(tables), encoding="utf-8")
