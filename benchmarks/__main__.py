"""`python -m benchmarks COMMAND`: how fast and how right.

The commands are run, compare, show, list, phases, limit, promises, detection, causes, operations, forward, bisection,
breadth, training, functions, jobs, scales, proof, nodes and readme.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.measure.environment import environment
from benchmarks.measure.rows import Row, RowsError, read
from benchmarks.measure.sampling import FULL, QUICK, Plan, measure
from benchmarks.measure.whole import measure_command
from benchmarks.peers.catalogue import ENGINES, PEERS, Entry, select
from benchmarks.publish import tables
from benchmarks.publish.compare import compare, differing_machines
from benchmarks.publish.console import wide_console
from benchmarks.publish.readme import PAGE, markdown_of, with_tables
from benchmarks.suites import breadth_rows, proof_coverage_rows, proof_rows
from benchmarks.suites.causes import causes_command
from benchmarks.suites.commands import (
    FOLDER,
    breadth_command,
    functions_command,
    jobs_command,
    keep_rows,
    scales_command,
    show_breadth,
    show_functions,
    show_jobs,
)
from benchmarks.suites.forward import forward_command
from benchmarks.suites.functions import KIND
from benchmarks.suites.jobs import KIND as JOB_KIND
from benchmarks.suites.nodes import nodes_command
from benchmarks.suites.operations import operations_command
from benchmarks.suites.proof_command import proof_command, show_proofs
from benchmarks.suites.scenarios import SCENARIOS, Scenario
from xcheck.errors import DeviceError


class _RunByDefault(click.Group):
    """A group whose first argument may be left out: `benchmarks --quick` is `benchmarks run --quick`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RunByDefault, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Measure xcheck and its peers on this machine; without a command, `run`."""


def _chosen(known: Sequence[Entry], what: str) -> Any:
    """Return a click callback that looks names up in a list of methods."""

    def callback(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[Entry, ...]:
        try:
            return select(known, value, what)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


def _scenarios(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[Scenario, ...] | None:
    if value is None:
        return None
    known = {scenario.name: scenario for scenario in SCENARIOS}
    names = [name.strip() for name in value.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise click.BadParameter(f"unknown scenario {', '.join(unknown)}; known: {', '.join(known)}")
    return tuple(known[name] for name in names)


@cli.command()
@click.option("--device", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True)
@click.option("--quick", is_flag=True, help="Fewer scenarios, fewer samples: about a minute.")
@click.option("--peers", callback=_chosen(PEERS, "peer"), default="all", help="Names with commas, all or none.")
@click.option("--engines", callback=_chosen(ENGINES, "engine"), default="all", help="The same, for xcheck's own.")
@click.option("--scenarios", callback=_scenarios, help="Names with commas.")
@click.option("--command/--no-command", "whole", default=True, help="Time `python -m xcheck` as a whole, too.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Rows go here, plots beside it.")
def run(
    device: str,
    quick: bool,
    peers: tuple[Entry, ...],
    engines: tuple[Entry, ...],
    scenarios: tuple[Scenario, ...] | None,
    whole: bool,
    out: Path | None,
) -> None:
    """Measure, print tables, write rows and plots; exit status 1 if xcheck itself got something wrong."""
    try:
        where = environment(device)
    except DeviceError as error:
        raise click.UsageError(f"no {device} to measure on: {error}") from error
    chosen = scenarios or tuple(scenario for scenario in SCENARIOS if scenario.quick or not quick)
    out = out or FOLDER / f"{device}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = keep_rows(_measured(chosen, (*engines, *peers), whole, QUICK if quick else FULL, device, where), out)
    _show(rows, out)
    sys.exit(1 if any(row.valid is False and row.kind != "peer" for row in rows) else 0)


def _measured(
    scenarios: Sequence[Scenario],
    entries: Sequence[Entry],
    whole: bool,
    plan: Plan,
    device: str,
    where: dict[str, Any],
) -> Iterator[Row]:
    def tell(text: str) -> None:
        click.echo(text, err=True)

    for scenario in scenarios:
        yield from measure(scenario, entries, plan=plan, device=device, environment=where, tell=tell)
        if whole and scenario.command:
            yield from measure_command(scenario, plan=plan, device=device, environment=where, tell=tell)


def _show(rows: Sequence[Row], path: Path) -> None:
    from benchmarks.publish.plots import write_plots

    console = wide_console()
    if not rows:
        console.print("nothing was measured")
        return
    for table in (*tables.row_tables(rows), tables.target_table(rows)):
        console.print(table)
    console.print(tables.environment_lines(rows), soft_wrap=True)
    for written in (path, *write_plots(rows, path)):
        console.print(f"wrote {written}", soft_wrap=True)


_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@cli.command()
@click.argument("file", type=_FILE)
@click.option("--markdown", is_flag=True, help="One table for a README instead.")
def show(file: Path, markdown: bool) -> None:
    """Print the tables of FILE again, and draw its plots anew."""
    try:
        if markdown:
            click.echo(markdown_of(file))
        elif breadth_rows.is_breadth(file):
            show_breadth(breadth_rows.read(file), file)
        elif proof_rows.is_proof(file):
            show_proofs(proof_rows.read(file), file)
        elif proof_coverage_rows.is_coverage(file):
            wide_console().print(proof_coverage_rows.coverage_table(proof_coverage_rows.read(file)))
        else:
            rows = _read(file)
            kind = rows[0].kind if rows else ""
            {KIND: show_functions, JOB_KIND: show_jobs}.get(kind, _show)(rows, file)
    except RowsError as error:
        raise click.ClickException(str(error)) from error


@cli.command(name="compare")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
def compare_command(old: Path, new: Path) -> None:
    """Compare two files of rows; exit status 1 if a row vanished, became invalid, or finds fewer faults."""
    before, after = _read(old), _read(new)
    console = wide_console()
    for difference in differing_machines(before, after):
        console.print(f"not the same machine or versions: {difference}", soft_wrap=True)
    changes = compare(before, after)
    console.print(tables.change_table(changes))
    sys.exit(1 if any(change.worse for change in changes) else 0)


def _read(path: Path) -> tuple[Row, ...]:
    try:
        return read(path)
    except RowsError as error:
        raise click.ClickException(str(error)) from error


@cli.command(name="list")
def list_command() -> None:
    """List scenarios and methods."""
    console = wide_console()
    console.print(tables.scenario_table(SCENARIOS))
    console.print(tables.method_table((*ENGINES, *PEERS)))


@cli.command(name="phases")
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Processes per example.")
def phases_command(runs: int) -> None:
    """Wall time of a whole check, and how much of it is importing, compiling and computing."""
    from benchmarks.measure.phases import phases

    wide_console().print(phases(runs))


@cli.command(name="promises")
@click.option("--draws", type=click.IntRange(min=1), default=8, show_default=True, help="Of each of 27 networks.")
def promises_command(draws: int) -> None:
    """Error bars exceeded, false alarms, and errors of 1e-6 and 1e-8 found, over random networks."""
    from benchmarks.suites.promises import promises

    wide_console().print(promises(draws))


@cli.command(name="limit")
def limit_command() -> None:
    """How near the structured engine comes to what the machine can do."""
    from benchmarks.measure.limit import limit_table

    wide_console().print(limit_table())


@cli.command(name="detection")
def detection_command() -> None:
    """Planted faults in the shipped examples: which are found, and whether the right tensor is named."""
    from benchmarks.suites.detection import detection

    wide_console().print(detection())


@cli.command(name="bisection")
@click.option("--quick", is_flag=True, help="Five seeds, and nothing huge: about a minute.")
@click.option("--seeds", type=click.IntRange(min=1), default=100, show_default=True, help="Networks of each kind.")
def bisection_command(quick: bool, seeds: int) -> None:
    """Wrong components located among many, by how many losses; and what ten million parameters take."""
    from benchmarks.suites.bisection import bisection_table, huge

    console = wide_console()
    console.print(bisection_table(min(seeds, 5) if quick else seeds, lambda text: click.echo(text, err=True)))
    for line in [] if quick else huge():
        console.print(line, soft_wrap=True)


@cli.command(name="training")
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Of each timing.")
@click.option("--definitions", type=click.IntRange(min=1), default=60, show_default=True, help="Random ones, right.")
@click.option("--faulty", type=click.IntRange(min=1), default=10, show_default=True, help="Random ones per fault.")
def training_command(runs: int, definitions: int, faulty: int) -> None:
    """What training with checks costs beside the checks, and what drift sees that they do not."""
    from benchmarks.suites.training import alarm_table, cost, seen_table

    console = wide_console()
    console.print(cost(runs))
    console.print(alarm_table(definitions))
    console.print(seen_table(faulty))


@cli.command(name="readme")
def readme_command() -> None:
    """Write the tables of docs/benchmarks.md anew, from the rows that are kept in benchmarks/results."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


cli.add_command(breadth_command)
cli.add_command(functions_command)
cli.add_command(jobs_command)
cli.add_command(scales_command)
cli.add_command(proof_command)
cli.add_command(causes_command)
cli.add_command(operations_command)
cli.add_command(forward_command)
cli.add_command(nodes_command)

if __name__ == "__main__":
    cli()
