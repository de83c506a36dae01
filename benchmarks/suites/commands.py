"""The commands of the suites on functions: `breadth`, `functions`, `jobs` and `scales`."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

import click
from rich.table import Table

from benchmarks.measure.environment import environment
from benchmarks.measure.rows import Row
from benchmarks.publish import tables
from benchmarks.publish.console import wide_console
from benchmarks.suites.breadth_rows import BreadthRow, breadth_table
from benchmarks.suites.function_cases import FUNCTIONS, FunctionCase
from benchmarks.suites.functions import function_table, measure_functions
from benchmarks.suites.jobs import CHECKS, JOBS, QUICK_CHECKS, Job, job_table, measure_jobs
from benchmarks.suites.proof_coverage_rows import CoverageRow
from benchmarks.suites.proof_rows import ProofRow
from benchmarks.suites.proof_validation_rows import ValidationRow

FOLDER = Path("build", "benchmarks")
Choice = TypeVar("Choice")
AnyRow = TypeVar("AnyRow", Row, BreadthRow, ProofRow, ValidationRow, CoverageRow)


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _prepared(out: Path | None, name: str) -> Path:
    out = out or FOLDER / name
    out.parent.mkdir(parents=True, exist_ok=True)
    return out


_COUNT = click.IntRange(min=1)
_OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Rows go here.")


def _chosen(value: str | None, known: Mapping[str, Choice], what: str) -> tuple[Choice, ...]:
    """Return what is named, with commas between the names; everything that is known by default."""
    names = list(known) if value is None else [name.strip() for name in value.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise click.BadParameter(f"unknown {what} {', '.join(unknown)}; known: {', '.join(known)}")
    return tuple(known[name] for name in names)


def keep_rows(rows: Iterable[AnyRow], path: Path) -> list[AnyRow]:
    """Write rows into a file as they come, so that a run that is interrupted keeps them, and return them."""
    kept = []
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            print(row.to_json(), file=file, flush=True)
            kept.append(row)
    return kept


def _show(table: Table, rows: Sequence[Row], path: Path) -> None:
    console = wide_console()
    console.print(table)
    console.print(tables.environment_lines(rows), soft_wrap=True)
    console.print(f"wrote {path}", soft_wrap=True)


def _exit_unless_valid(rows: Sequence[Row]) -> NoReturn:
    sys.exit(1 if any(not row.valid for row in rows if row.method == "xcheck") else 0)


@click.command(name="breadth")
@click.option("--quick", is_flag=True, help="One function in twelve, three faults in each (JAX: one).")
@click.option("--every", type=_COUNT, default=1, show_default=True, help="One function in so many.")
@click.option("--jax-faults", type=_COUNT, default=3, show_default=True, help="At most, in each function of JAX.")
@_OUT
def breadth_command(quick: bool, every: int, jax_faults: int, out: Path | None) -> None:
    """Planted faults found, and right gradients rejected, in ordinary functions of three frameworks.

    Exit status 1 if xcheck itself rejects a right gradient.
    """
    from benchmarks.suites.breadth import QUICK as QUICK_BREADTH
    from benchmarks.suites.breadth import full, measure_breadth

    path = _prepared(out, "breadth-cpu.jsonl")
    plan = QUICK_BREADTH if quick else full(every, jax_faults)
    rows = keep_rows(measure_breadth(plan, environment("cpu"), _tell), path)
    show_breadth(rows, path)
    sys.exit(1 if any(row.rejected for row in rows if row.method == "xcheck") else 0)


def show_breadth(rows: Sequence[BreadthRow], path: Path) -> None:
    """Print the table of a file of rows."""
    console = wide_console()
    console.print(breadth_table(rows))
    console.print(f"wrote {path}", soft_wrap=True)


def _functions(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[FunctionCase, ...]:
    return _chosen(value, {case.name: case for case in FUNCTIONS}, "function")


@click.command(name="functions")
@click.option("--quick", is_flag=True, help="The functions of 100 parameters only, three samples.")
@click.option("--functions", "cases", callback=_functions, help="Names with commas.")
@click.option("--rounds", type=_COUNT, default=5, show_default=True, help="Samples of each method.")
@_OUT
def functions_command(quick: bool, cases: tuple[FunctionCase, ...], rounds: int, out: Path | None) -> None:
    """Time `xcheck.check` on functions, beside gradcheck; exit status 1 if xcheck does not agree."""
    path = _prepared(out, "functions-cpu.jsonl")
    chosen = [case for case in cases if not (quick and case.large)]
    samples = min(rounds, 3) if quick else rounds
    rows = keep_rows(measure_functions(chosen, samples, environment("cpu"), _tell), path)
    show_functions(rows, path)
    _exit_unless_valid(rows)


def show_functions(rows: Sequence[Row], path: Path) -> None:
    """Print the table of a file of rows."""
    _show(function_table(rows), rows, path)


@click.command(name="scales")
@click.option("--seeds", type=_COUNT, default=4, show_default=True, help="Cases of each kind and framework.")
@click.option("--first", type=click.IntRange(min=0), default=0, show_default=True, help="The first seed.")
def scales_command(seeds: int, first: int) -> None:
    """Undecided, called wrong, and missed: functions whose slopes are hard to measure, and stationary points.

    Exit status 1 if xcheck calls a right gradient wrong, or agrees with a wrong one.
    """
    from benchmarks.suites.scales import EVERY_KIND, is_false, measure_scales, scale_table

    rows = list(measure_scales(EVERY_KIND, range(first, first + seeds), _tell))
    wide_console().print(scale_table(rows))
    sys.exit(1 if any(map(is_false, rows)) else 0)


def _jobs(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[Job, ...]:
    return _chosen(value, {job.name: job for job in JOBS}, "job")


@click.command(name="jobs")
@click.option("--quick", is_flag=True, help=f"{QUICK_CHECKS} checks a job, one sample.")
@click.option("--jobs", "jobs", callback=_jobs, help="Names with commas.")
@click.option("--checks", type=_COUNT, default=CHECKS, show_default=True, help="Checks in a job.")
@click.option("--rounds", type=_COUNT, default=3, show_default=True, help="Samples of each method.")
@_OUT
def jobs_command(quick: bool, jobs: tuple[Job, ...], checks: int, rounds: int, out: Path | None) -> None:
    """Time what test suites ask for, beside gradcheck, check_grads and scipy; exit status 1 if xcheck disagrees."""
    path = _prepared(out, "jobs-cpu.jsonl")
    count, samples = (min(checks, QUICK_CHECKS), 1) if quick else (checks, rounds)
    rows = keep_rows(measure_jobs(jobs, count, samples, environment("cpu"), _tell), path)
    show_jobs(rows, path)
    _exit_unless_valid(rows)


def show_jobs(rows: Sequence[Row], path: Path) -> None:
    """Print the table of a file of rows."""
    _show(job_table(rows), rows, path)
