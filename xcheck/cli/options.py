"""Options that `check`, `explain` and `selftest` have in common: how a MODEL is checked, and how that is shown."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_BACKEND = "A witness; repeat for several. In Python: only the functions of this framework, or with this label."
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_ENGINES = ["auto", "loop", "batched", "structured", "node"]
_SCOPES = ["auto", "all", "sample", "directions", "jacobian"]


def keep_compiled(ctx: click.Context, param: click.Parameter, folder: Path | None) -> None:
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


def _epsilon(ctx: click.Context, param: click.Parameter, value: str | None) -> float | str | None:
    if value is None or value == "auto":
        return value
    try:
        return float(value)
    except ValueError as error:
        raise click.BadParameter("expected auto or a number") from error


_HOW = (
    click.option("--backend", "backends", multiple=True, metavar="NAME", help=_BACKEND),
    click.option("--epsilon", callback=_epsilon, metavar="auto|STEP", help="Step of the differences."),
    click.option("--difference", type=click.Choice(["central", "forward"]), help="TOML: kind of difference."),
    click.option("--tolerance", type=float, help="Relative, per component, on top of the error bar."),
    click.option(
        "--dtype", type=click.Choice(["float64", "float32", "bfloat16"]), help="TOML: what the backends compute in."
    ),
    click.option("--device", type=click.Choice(["cpu", "gpu"]), help="Where everything is computed."),
    click.option("--engine", type=click.Choice(_ENGINES), help="TOML: how losses are evaluated, from direct to fast."),
    click.option("--budget", type=float, metavar="SECONDS", help="For auto: how long the differences may take."),
    click.option("--cache", type=_FOLDER, expose_value=False, callback=keep_compiled, help="Keep compiled code here."),
    click.option("--seed", type=int, help="Of all random draws."),
    click.option("--examples", type=int, help="TOML: rows of the data to use."),
    click.option("--weights", type=_FILE, metavar="FILE", help="TOML: θ, in place of the definition's."),
    click.option("--dropout", type=click.Choice(["pinned", "off"]), help="TOML: masks drawn once, or none."),
    click.option("--scope", type=click.Choice(_SCOPES), help="Python: which components, or every output."),
)
_SHOWN = (
    click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True),
    click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report here."),
)
_COLOR = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)


def how_to_check(command: Command) -> Command:
    """Add the options that say how a MODEL is checked; their values are the settings of the check."""
    for option in reversed(_HOW):
        command = option(command)
    return command


def how_to_show(command: Command) -> Command:
    """Add the options that say what a report looks like and where it goes."""
    for option in reversed(_SHOWN):
        command = option(command)
    return command


def in_color(command: Command) -> Command:
    """Add the option that says whether there are colours."""
    return _COLOR(command)
