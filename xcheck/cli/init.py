"""The command `init`: it writes an example, a commented definition with its data, into the folder."""

from importlib.resources import files
from pathlib import Path

import click

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
