"""The command `init`: it writes an example, a commented definition with its data, into the current folder."""

from importlib.resources import files
from pathlib import Path

import click

# What each example is made of; the first file is the MODEL.
_EXAMPLES = {
    "breast_cancer": ("breast_cancer.toml", "breast_cancer.csv"),
    "logistic_regression": ("logistic_regression.toml", "breast_cancer.csv"),
    "digits": ("digits.toml", "digits.csv"),
    "digits_images": ("digits_images.toml", "digits.csv"),
    "iris": ("iris.toml", "iris.csv"),
    "diabetes": ("diabetes.toml", "diabetes.csv"),
    "training": ("training.toml", "breast_cancer.csv"),
    "exploding": ("exploding.toml", "exploding.npz"),
    "vanishing": ("vanishing.toml", "vanishing.npz"),
    "python": ("model.py",),
}


@click.command(short_help="Write an example into the current folder.")
@click.argument("example", metavar="[EXAMPLE]", default="breast_cancer", type=click.Choice(list(_EXAMPLES)))
@click.option("--force", is_flag=True, help="Overwrite files that are there already.")
def init(example: str, force: bool) -> None:
    """Write a commented example into the current folder: a definition and its data, or Python.

    EXAMPLE is one of breast_cancer (the default), logistic_regression, digits, digits_images, iris, diabetes, training,
    exploding and vanishing, which are definitions, or python, a file with functions in NumPy and JAX.
    """
    names = _EXAMPLES[example]
    contents = {name: files("xcheck").joinpath("examples", name).read_bytes() for name in names}
    # Two examples share a data file: a file that is there already, to the byte, is no conflict.
    changed = [name for name in names if Path(name).exists() and Path(name).read_bytes() != contents[name]]
    if changed and not force:
        # Nothing has been written yet: an example is there as a whole, or not at all.
        raise click.ClickException(f"{' and '.join(changed)} would be overwritten; --force overwrites")
    for name, content in contents.items():
        Path(name).write_bytes(content)
        click.echo(f"wrote {name}")
    click.echo(f"now run: python -m xcheck {names[0]}")
