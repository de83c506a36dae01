"""Commands beside the check: `init` writes an example, `backends` says what there is."""

from importlib.resources import files
from pathlib import Path

import click

from xcheck.backend import registry
from xcheck.errors import BackendError, DefinitionError

# What each example is made of; the first file is the MODEL.
_EXAMPLES = {
    "breast_cancer": ("breast_cancer.toml", "breast_cancer.csv"),
    "logistic_regression": ("logistic_regression.toml", "breast_cancer.csv"),
    "digits": ("digits.toml", "digits.csv"),
    "iris": ("iris.toml", "iris.csv"),
    "diabetes": ("diabetes.toml", "diabetes.csv"),
    "training": ("training.toml", "breast_cancer.csv"),
    "exploding": ("exploding.toml", "exploding.npz"),
    "vanishing": ("vanishing.toml", "vanishing.npz"),
    "python": ("model.py",),
}


@click.command()
@click.argument("example", default="breast_cancer", type=click.Choice(list(_EXAMPLES)))
@click.option("--force", is_flag=True, help="Overwrite files that are there already.")
def init(example: str, force: bool) -> None:
    """Write a commented example into the current folder.

    A definition and its data; `python` writes functions of your own, in NumPy and JAX.
    """
    names = _EXAMPLES[example]
    contents = {name: files("xcheck").joinpath("examples", name).read_bytes() for name in names}
    # Two examples share a data file: what is there already, to the byte, is no conflict.
    there = [name for name in names if Path(name).exists() and Path(name).read_bytes() != contents[name]]
    if there and not force:
        raise click.ClickException(f"{' and '.join(there)} would be overwritten; --force does it")
    for name, content in contents.items():
        Path(name).write_bytes(content)
        click.echo(f"wrote {name}")
    click.echo(f"now run: python -m xcheck {names[0]}")


@click.command()
def backends() -> None:
    """List the backends: versions, devices, and why one is not available."""
    for name in registry.names():
        click.echo(f"{name}: {_described(name)}")
    from xcheck.oracle.engines.network import find_device

    devices = []
    for device in ("cpu", "gpu"):
        try:
            devices.append(f"{device} ({find_device(device).device_kind})")
        except DefinitionError:
            continue
    click.echo(f"oracle: jax, float64; {', '.join(devices)}")


def _described(name: str) -> str:
    try:
        backend = registry.get(name)
        why_not = backend.available()
        if why_not is not None:
            return f"not available: {why_not}; to install it: {backend.install}"
        versions = ", ".join(f"{what} {version}" for what, version in backend.versions().items())
        return f"{versions}; {', '.join(backend.devices())}"
    except BackendError as error:
        return f"broken: {error.text}"
    except Exception as error:  # noqa: BLE001 - listing must go on past a framework that does not even import
        return f"broken: {type(error).__name__}: {error}"
