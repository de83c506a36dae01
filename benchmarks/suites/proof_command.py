"""The command `proof`: what proofs cost and see; whether right gradients stay right; which functions can be proved."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.measure.environment import environment
from benchmarks.publish.console import wide_console
from benchmarks.suites.commands import FOLDER, keep_rows
from benchmarks.suites.proof_rows import ProofRow, proof_table

_FAMILIES = ("catalogue", "compositions", "networks")
_QUICK_SEEDS = 5
_QUICK_EVERY = 12


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _cases(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    from benchmarks.suites.proof_models import BY_NAME

    names = None if value is None else tuple(name.strip() for name in value.split(","))
    if unknown := [name for name in names or () if name not in BY_NAME]:
        raise click.BadParameter(f"unknown loss {', '.join(unknown)}; known: {', '.join(BY_NAME)}")
    return names


@click.command(name="proof")
@click.option(
    "--quick",
    is_flag=True,
    help="The small losses; with --validate five networks and compositions; with --coverage one function in 12.",
)
@click.option("--losses", "names", callback=_cases, help="Names with commas.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Samples of each time.")
@click.option("--validate", is_flag=True, help="Ask right functions instead: are any called wrong?")
@click.option("--coverage", is_flag=True, help="Ask the functions of the tests instead: which can be proved?")
@click.option("--seeds", type=click.IntRange(min=1), default=100, show_default=True, help="Functions of each family.")
@click.option("--first", type=click.IntRange(min=0), default=0, show_default=True, help="The first seed.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Rows go here, the plot beside it.")
def proof_command(
    quick: bool,
    names: tuple[str, ...] | None,
    rounds: int,
    validate: bool,
    coverage: bool,
    seeds: int,
    first: int,
    out: Path | None,
) -> None:
    """Slopes with proved bounds: time, memory, and the smallest error seen, beside differences.

    Exit status 1 if a gradient in float64 that is right is called wrong.
    """
    kind = "-validation" * validate or "-coverage" * coverage
    path = out or FOLDER / f"proof{kind}-cpu.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    if coverage and not validate:
        _cover(_QUICK_EVERY if quick else 1, path)
        return
    if validate:
        _validate(range(first, first + (_QUICK_SEEDS if quick else seeds)), _FAMILIES[quick:], path)
    from benchmarks.suites.proof import measure_proofs
    from benchmarks.suites.proof_models import CASES

    chosen = [case for case in CASES if (case.quick or not quick) and (names is None or case.name in names)]
    rows = keep_rows(measure_proofs(chosen, rounds, environment("cpu"), _tell), path)
    show_proofs(rows, path)
    sys.exit(1 if any(row.claim == "wrong" for row in rows) else 0)


def show_proofs(rows: Sequence[ProofRow], path: Path) -> None:
    """Print the table of a file of rows, and draw its picture anew."""
    from benchmarks.publish.proof_plot import write_proof_plot

    console = wide_console()
    console.print(proof_table(rows))
    for written in (path, write_proof_plot(rows, path)):
        if written is not None:
            console.print(f"wrote {written}", soft_wrap=True)


def _cover(every: int, path: Path) -> None:
    from benchmarks.suites.proof_coverage import measure_coverage
    from benchmarks.suites.proof_coverage_rows import coverage_table

    rows = keep_rows(measure_coverage(every, environment("cpu"), _tell), path)
    console = wide_console()
    console.print(coverage_table(rows))
    console.print(f"wrote {path}", soft_wrap=True)


def _validate(seeds: Sequence[int], families: Sequence[str], path: Path) -> None:
    from benchmarks.suites.proof_validation import validate
    from benchmarks.suites.proof_validation_rows import validation_table

    rows = keep_rows(validate(families, seeds, environment("cpu"), _tell), path)
    console = wide_console()
    console.print(validation_table(rows))
    console.print(f"wrote {path}", soft_wrap=True)
    sys.exit(1 if any(row.dtype == "float64" and row.claims.get("wrong") for row in rows) else 0)
