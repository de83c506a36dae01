"""`python -m benchmarks COMMAND`: how fast and how right.

The commands are run, compare, show, list, phases, limit, promises, detection, breadth, functions and readme.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks import breadth_rows, tables
from benchmarks.catalogue import ENGINES, PEERS, Entry, select
from benchmarks.compare import compare, differing_machines
from benchmarks.environment import environment
from benchmarks.function_cases import FUNCTIONS, FunctionCase
from benchmarks.functions import KIND, function_table, measure_functions
from benchmarks.measure import FULL, QUICK, Plan, measure
from benchmarks.readme import README, markdown_of, with_tables
from benchmarks.rows import Row, RowsError, read
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.whole import measure_command
from xcheck.errors import DeviceError

_FOLDER = Path("build", "benchmarks")
_WIDTH = 144


class _RunByDefault(click.Group):
    """A group whose first argument may be left out: `benchmarks --quick` is `benchmarks run --quick`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RunByDefault, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Measure xcheck and its peers on this machine; without a command, `run`."""


def _console() -> Console:
    """Return a console that is wide enough for the tables, also in a pipe."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


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
    out = out or _FOLDER / f"{device}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    with out.open("w", encoding="utf-8") as file:
        # Written as they come: a run that is interrupted has not been in vain.
        for row in _measured(chosen, (*engines, *peers), whole, QUICK if quick else FULL, device, where):
            print(row.to_json(), file=file, flush=True)
            rows.append(row)
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
    from benchmarks.plots import write_plots

    console = _console()
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
            _show_breadth(breadth_rows.read(file), file)
        else:
            rows = _read(file)
            (_show_functions if rows and rows[0].kind == KIND else _show)(rows, file)
    except RowsError as error:
        raise click.ClickException(str(error)) from error


@cli.command(name="compare")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
def compare_command(old: Path, new: Path) -> None:
    """Compare two files of rows; exit status 1 if a row vanished, became invalid, or finds fewer faults."""
    before, after = _read(old), _read(new)
    console = _console()
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
    console = _console()
    console.print(tables.scenario_table(SCENARIOS))
    console.print(tables.method_table((*ENGINES, *PEERS)))


@cli.command(name="phases")
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Processes per example.")
def phases_command(runs: int) -> None:
    """Wall time of a whole check, and how much of it is importing, compiling and computing."""
    from benchmarks.phases import phases

    _console().print(phases(runs))


@cli.command(name="promises")
@click.option("--draws", type=click.IntRange(min=1), default=8, show_default=True, help="Of each of 27 networks.")
def promises_command(draws: int) -> None:
    """Error bars exceeded, false alarms, and errors of 1e-6 and 1e-8 found, over random networks."""
    from benchmarks.promises import promises

    _console().print(promises(draws))


@cli.command(name="limit")
def limit_command() -> None:
    """How near the structured engine comes to what the machine can do."""
    from benchmarks.limit import limit_table

    _console().print(limit_table())


@cli.command(name="detection")
def detection_command() -> None:
    """Planted faults in the shipped examples: which are found, and whether the right tensor is named."""
    from benchmarks.detection import detection

    _console().print(detection())


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _prepared(out: Path | None, name: str) -> Path:
    out = out or _FOLDER / name
    out.parent.mkdir(parents=True, exist_ok=True)
    return out


_COUNT = click.IntRange(min=1)
_OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Rows go here.")


@cli.command(name="breadth")
@click.option("--quick", is_flag=True, help="One function in twelve, three faults in each (JAX: one).")
@click.option("--every", type=_COUNT, default=1, show_default=True, help="One function in so many.")
@click.option("--jax-faults", type=_COUNT, default=3, show_default=True, help="At most, in each function of JAX.")
@_OUT
def breadth_command(quick: bool, every: int, jax_faults: int, out: Path | None) -> None:
    """Planted faults found, and right gradients rejected, in ordinary functions of three frameworks.

    Exit status 1 if xcheck itself rejects a right gradient.
    """
    from benchmarks.breadth import QUICK as QUICK_BREADTH
    from benchmarks.breadth import full, measure_breadth

    path, rows = _prepared(out, "breadth-cpu.jsonl"), []
    plan = QUICK_BREADTH if quick else full(every, jax_faults)
    with path.open("w", encoding="utf-8") as file:
        for row in measure_breadth(plan, environment("cpu"), _tell):
            print(row.to_json(), file=file, flush=True)
            rows.append(row)
    _show_breadth(rows, path)
    sys.exit(1 if any(row.rejected for row in rows if row.method == "xcheck") else 0)


def _show_breadth(rows: Sequence[breadth_rows.BreadthRow], path: Path) -> None:
    console = _console()
    console.print(breadth_rows.breadth_table(rows))
    console.print(f"wrote {path}", soft_wrap=True)


def _functions(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[FunctionCase, ...]:
    known = {case.name: case for case in FUNCTIONS}
    names = list(known) if value is None else [name.strip() for name in value.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise click.BadParameter(f"unknown function {', '.join(unknown)}; known: {', '.join(known)}")
    return tuple(known[name] for name in names)


@cli.command(name="functions")
@click.option("--quick", is_flag=True, help="The functions of 100 parameters only, three samples.")
@click.option("--functions", "cases", callback=_functions, help="Names with commas.")
@click.option("--rounds", type=_COUNT, default=5, show_default=True, help="Samples of each method.")
@_OUT
def functions_command(quick: bool, cases: tuple[FunctionCase, ...], rounds: int, out: Path | None) -> None:
    """Time `xcheck.check` on functions, beside gradcheck; exit status 1 if xcheck does not agree."""
    path, rows = _prepared(out, "functions-cpu.jsonl"), []
    chosen = [case for case in cases if not (quick and case.large)]
    with path.open("w", encoding="utf-8") as file:
        for row in measure_functions(chosen, min(rounds, 3) if quick else rounds, environment("cpu"), _tell):
            print(row.to_json(), file=file, flush=True)
            rows.append(row)
    _show_functions(rows, path)
    sys.exit(1 if any(not row.valid for row in rows if row.method == "xcheck") else 0)


def _show_functions(rows: Sequence[Row], path: Path) -> None:
    console = _console()
    console.print(function_table(rows))
    console.print(tables.environment_lines(rows), soft_wrap=True)
    console.print(f"wrote {path}", soft_wrap=True)


@cli.command(name="readme")
def readme_command() -> None:
    """Write the tables of the README anew, from the rows that are kept in benchmarks/results."""
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    cli()
