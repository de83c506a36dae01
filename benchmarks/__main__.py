"""`python -m benchmarks [phases|detection]`: where the time goes, and what is found."""

import click
from rich.console import Console

from benchmarks.detection import detection
from benchmarks.phases import phases


@click.group(invoke_without_command=True)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Measure xcheck on this machine; without a command, everything."""
    if ctx.invoked_subcommand is None:
        for command in cli.commands.values():
            ctx.invoke(command)


@cli.command(name="phases")
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Processes per example.")
def phases_command(runs: int = 5) -> None:
    """Wall time of a whole check, and how much of it is importing, compiling and computing."""
    Console().print(phases(runs))


@cli.command(name="detection")
def detection_command() -> None:
    """Planted faults: which are found, and whether the right tensor is named."""
    Console().print(detection())


if __name__ == "__main__":
    cli()
