"""The command line: `python -m xcheck MODEL...`; beside it `init` and `backends`.

Reports go to standard output; progress, warnings and errors go to standard error. Exit status: 0 AGREE, 1 DISAGREE,
2 usage or definition, 3 UNDECIDED, 4 ERROR, 130 interrupted. What a person's own code prints is no report, and goes to
standard error, too.
"""

import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import click

from xcheck import __version__
from xcheck.commands import backends, init
from xcheck.errors import BackendError, DefinitionError

_FAILED = 4
_INTERRUPTED = 130


class _CheckByDefault(click.Group):
    """A group whose first argument may be left out: `xcheck MODEL` is `xcheck check MODEL`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if args and args[0] not in self.commands and args[0] not in own:
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_CheckByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xcheck")
def cli() -> None:
    """Tell whether a gradient is right, name the component that is wrong, and prove it.

    `xcheck MODEL...` is short for `xcheck check MODEL...`.
    """


cli.add_command(init)
cli.add_command(backends)


# --- check ----------------------------------------------------------------------------------------------------------


def _keep_compiled(ctx: click.Context, param: click.Parameter, folder: Path | None) -> None:
    """Turn on JAX's persistent compilation cache for this process, for the small functions too."""
    if folder is None:
        return
    _must_be_writable(folder)
    import jax

    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _must_be_writable(folder: Path) -> None:
    """Make the folder and a file in it: JAX would only warn, again and again, and keep nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise click.BadParameter(f"cannot write to {folder}: {error.strerror}") from error


_BACKEND = "A witness; repeat for several. In Python: only the functions of this framework, or with this label."
_FOLDER = click.Path(path_type=Path, file_okay=False)
_ENGINES = ["auto", "loop", "batched", "structured", "node"]
_SCOPES = ["auto", "all", "sample", "jacobian", "directions"]


def _epsilon(ctx: click.Context, param: click.Parameter, value: str | None) -> float | str | None:
    if value is None or value == "auto":
        return value
    try:
        return float(value)
    except ValueError as error:
        raise click.BadParameter("expected auto or a number") from error


@cli.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--backend", "backends", multiple=True, metavar="NAME", help=_BACKEND)
@click.option("--epsilon", callback=_epsilon, metavar="auto|STEP", help="Step of the differences.")
@click.option("--difference", type=click.Choice(["central", "forward"]), help="TOML: kind of difference.")
@click.option("--tolerance", type=float, help="Relative, per component, on top of the error bar.")
@click.option("--dtype", type=click.Choice(["float64", "float32"]), help="TOML: what the backends compute in.")
@click.option("--device", type=click.Choice(["cpu", "gpu"]), help="Where everything is computed.")
@click.option("--engine", type=click.Choice(_ENGINES), help="TOML: how losses are evaluated, from direct to fast.")
@click.option("--budget", type=float, metavar="SECONDS", help="For auto: how long the differences may take.")
@click.option("--cache", type=_FOLDER, expose_value=False, callback=_keep_compiled, help="Keep compiled code here.")
@click.option("--seed", type=int, help="Of all random draws.")
@click.option("--examples", type=int, help="TOML: rows of the data to use.")
@click.option("--dropout", type=click.Choice(["pinned", "off"]), help="TOML: masks drawn once, or none.")
@click.option("--scope", type=click.Choice(_SCOPES), help="Python: which components, or every output.")
@click.option("--order", type=click.IntRange(1, 2), help="Python: 2 checks Hessian-vector products, too.")
@click.option("--worst", type=click.IntRange(min=1), help="Components to name; by default 10.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report here.")
@click.option("-q", "--quiet", is_flag=True, help="One line per MODEL.")
@click.option("-v", "--verbose", is_flag=True, help="Layers, every tensor of every pair, and where the time went.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def check(
    models: Sequence[Path],
    backends: Sequence[str],
    worst: int | None,
    form: str,
    output: Path | None,
    quiet: bool,
    verbose: bool,
    color: str,
    **settings: Any,
) -> None:
    """Check the gradients of each MODEL; the worst verdict decides the exit status.

    A MODEL is a TOML definition, or Python that offers xcheck.Case objects or functions marked by @xcheck.case:
    model.py, model.py::name for one of several, or package.module:name. Checking a Python MODEL runs its code.
    """
    from xcheck.models import jobs_of
    from xcheck.verdict import Verdict

    with redirect_stdout(sys.stderr):
        jobs = jobs_of(models, backends, worst, settings)
    # Opened before the work begins, so that it is not in vain, and after the definitions are read, so that a typo in
    # one of them does not empty the last report.
    stream = _opened(output) if output else sys.stdout
    show = _printer(form, stream, color, quiet=quiet, verbose=verbose)
    verdicts = []
    interrupts = _remembered_interrupts()
    for job in jobs:
        with redirect_stdout(sys.stderr), _progress(job.name, color) as progress:
            report = replace(job.run(progress), command=_command())
        if interrupts:
            raise KeyboardInterrupt
        _warn(report, color, form)
        show(report)
        verdicts.append(report.verdict)
    sys.exit(Verdict.worst(verdicts).exit_status)


def _remembered_interrupts() -> list[int]:
    """Return a list that every Ctrl-C is noted in, beside raising KeyboardInterrupt.

    JAX has a callback in the garbage collector; an exception that falls into it is swallowed, and the run goes on.
    """
    seen: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    return seen


def _command() -> tuple[str, ...]:
    """Return what was typed, in a form that can be typed again."""
    return ("python", "-m", "xcheck", *sys.argv[1:])


def _console(color: str, *, file: IO[str]) -> Any:
    from rich.console import Console

    terminal = {"always": True, "never": None, "auto": None}[color]
    # Rich takes 80 columns for a pipe unless COLUMNS says otherwise.
    return Console(file=file, force_terminal=terminal, no_color=True if color == "never" else None, highlight=False)


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error


def _printer(form: str, stream: IO[str], color: str, *, quiet: bool, verbose: bool) -> Any:
    """Return what prints a report in the form asked for."""
    from xcheck.report.terminal import print_line, print_report, render

    if form == "json":
        return lambda report: click.echo(report.to_json(), file=stream)
    console = _console(color, file=stream)
    if quiet:
        return lambda report: print_line(report, console)
    if not console.is_terminal:
        return lambda report: click.echo(render(report, width=console.width, verbose=verbose), file=stream)
    return lambda report: print_report(report, console, verbose=verbose)


@contextmanager
def _progress(name: str, color: str) -> Iterator[Any]:
    """Show a progress bar on standard error, on a terminal only; it vanishes when it is done."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_console(color, file=sys.stderr), transient=True) as bar:
        task = bar.add_task(f"{name}: differences", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _warn(report: Any, color: str, form: str) -> None:
    """Repeat warnings on standard error when standard output is for machines."""
    if form == "json":
        for warning in report.warnings:
            click.echo(f"{report.model}: warning {warning.code}: {warning.text}", err=True)


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        cli.main(standalone_mode=False)
    except DefinitionError as error:
        for complaint in error.complaints:
            click.echo(str(complaint), err=True)
        sys.exit(2)
    except BackendError as error:
        click.echo(str(error), err=True)
        sys.exit(_FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # The reader has gone (`xcheck ... | head`): what is left must not be flushed into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_FAILED)
    except Exception:  # noqa: BLE001 - Python would exit with 1, and a crash must never look like DISAGREE
        traceback.print_exc()
        sys.exit(_FAILED)
