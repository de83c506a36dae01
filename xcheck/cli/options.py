"""Options that commands share: how a MODEL is checked, or looked at, and how its report is shown."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar

import click

from xcheck.cli.output import FORMS

Command = TypeVar("Command", bound=Callable[..., Any])

_BACKEND = "Check this backend; repeat for several. Python: check only functions of this framework, or with this label."
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
# Written out, for importing the oracle to list them would take seconds that `--help` does not have;
# test_choices_are_those_of_the_settings holds them.
_ENGINES = ["auto", "loop", "batched", "structured", "node"]
_SCOPES = ["auto", "all", "sample", "directions", "jacobian"]


def keep_compiled(ctx: click.Context, param: click.Parameter, folder: Path | None) -> None:
    """Turn on JAX's persistent compilation cache for this process, for small functions as well."""
    if folder is None:
        return
    _refuse_unwritable(folder)
    # After the folder was tried: a mistake should not cost the import of JAX.
    import jax

    jax.config.update("jax_compilation_cache_dir", str(folder))
    # By default, functions that compile in less than a second are not kept: most of an oracle's.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _refuse_unwritable(folder: Path) -> None:
    """Complain about a folder in which no file can be made: JAX would only warn, again and again, and keep nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise click.BadParameter(f"cannot write to {folder}: {error.strerror}") from error


def _parse_epsilon(ctx: click.Context, param: click.Parameter, value: str | None) -> float | str | None:
    # None is not "auto": it leaves the choice to the definition.
    if value is None or value == "auto":
        return value
    try:
        return float(value)
    except ValueError as error:
        raise click.BadParameter("expected auto or a number") from error


# By the name of what they set.
_CHECK_OPTIONS = {
    "backends": click.option("--backend", "backends", multiple=True, metavar="NAME", help=_BACKEND),
    "epsilon": click.option(
        "--epsilon", callback=_parse_epsilon, metavar="auto|STEP", help="Step of the differences; auto chooses one."
    ),
    "difference": click.option(
        "--difference", type=click.Choice(["central", "forward"]), help="TOML: kind of the differences of the loss."
    ),
    "tolerance": click.option(
        "--tolerance", type=float, help="Relative error allowed in a component, on top of its error bar."
    ),
    "dtype": click.option(
        "--dtype",
        type=click.Choice(["float64", "float32", "bfloat16"]),
        help="TOML: precision in which the backends compute.",
    ),
    "device": click.option(
        "--device", type=click.Choice(["cpu", "gpu"]), help="Where the backends and the oracle compute."
    ),
    "engine": click.option("--engine", type=click.Choice(_ENGINES), help="TOML: how the oracle evaluates losses."),
    "budget": click.option(
        "--budget",
        type=float,
        metavar="SECONDS",
        help="Time for the check, a proof included; engines, scopes and samples that xcheck chooses fit it.",
    ),
    "proof": click.option(
        "--proof",
        is_flag=True,
        default=None,
        help="Also hold gradients against slopes with proved bounds; needs python-flint.",
    ),
    "cache": click.option(
        "--cache",
        type=_FOLDER,
        expose_value=False,
        callback=keep_compiled,
        help="Keep JAX's compiled code in this folder.",
    ),
    "seed": click.option("--seed", type=int, help="Seed of all random numbers."),
    "examples": click.option("--examples", type=int, help="TOML: how many rows of the data to use."),
    "weights": click.option(
        "--weights", type=_FILE, metavar="FILE", help="TOML: read θ from this file; .npz or .safetensors."
    ),
    "dropout": click.option(
        "--dropout", type=click.Choice(["pinned", "off"]), help="TOML: pinned draws the masks once, off uses none."
    ),
    "scope": click.option(
        "--scope", type=click.Choice(_SCOPES), help="Python: which components to check; jacobian checks every output."
    ),
    "inputs": click.option(
        "--inputs",
        is_flag=True,
        default=None,
        help="Python: also check the gradient of the floating data; of a module, of what it takes.",
    ),
}
# What only differences of the loss have a use for.
_OF_DIFFERENCES = frozenset({"epsilon", "difference", "tolerance", "engine", "proof", "scope"})
_REPORT_OPTIONS = (
    click.option(
        "--format",
        "form",
        type=click.Choice(FORMS),
        default="text",
        show_default=True,
        help="Form of the report.",
    ),
    click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to this file."),
)
_COLOR = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Whether to use colours; auto does on a terminal.",
)


def add_check_options(command: Command) -> Command:
    """Add the options that decide how a MODEL is checked; their values are the settings of the check."""
    # Decorators are applied from the inside out; `--help` should keep the order above.
    for option in reversed(list(_CHECK_OPTIONS.values())):
        command = option(command)
    return command


def add_point_options(command: Command) -> Command:
    """Add those options of a check that have a meaning where no differences are taken."""
    for option in reversed([option for name, option in _CHECK_OPTIONS.items() if name not in _OF_DIFFERENCES]):
        command = option(command)
    return command


def add_report_options(command: Command) -> Command:
    """Add the options that decide the form of a report and where it goes."""
    for option in reversed(_REPORT_OPTIONS):
        command = option(command)
    return command


def add_color_option(command: Command) -> Command:
    """Add the option that decides whether there are colours."""
    return _COLOR(command)
