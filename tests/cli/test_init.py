"""The command `init`."""

from pathlib import Path

import pytest

from tests.cli.test_main import run
from xcheck.cli.init import init


def test_examples_that_share_data_can_share_a_folder(tmp_path: Path) -> None:
    """The same csv twice is no conflict."""
    assert run("init", "breast_cancer", folder=tmp_path).returncode == 0
    assert run("init", "logistic_regression", folder=tmp_path).returncode == 0


@pytest.mark.parametrize("example", ["breast_cancer", "logistic_regression", "digits", "iris", "diabetes"])
def test_init_writes_an_example_that_runs(example: str, tmp_path: Path) -> None:
    """Definition and data land in the folder, and the check there agrees."""
    done = run("init", example, folder=tmp_path)
    assert done.returncode == 0
    assert done.stdout.endswith(f"now run: python -m xcheck {example}.toml\n")
    assert run("-q", f"{example}.toml", folder=tmp_path).stdout.startswith(f"AGREE  {example}.toml: numpy, torch, jax")


def test_init_overwrites_nothing(folder: Path) -> None:
    """What is there stays, unless --force is given."""
    (folder / "iris.toml").write_text("mine")
    done = run("init", "iris", folder=folder)
    assert done.returncode == 2
    assert "iris.toml would be overwritten; --force overwrites" in done.stderr
    assert (folder / "iris.toml").read_text() == "mine"
    assert not (folder / "iris.csv").exists()
    assert run("init", "iris", "--force", folder=folder).returncode == 0


def test_help_names_every_example() -> None:
    """The usage line has no room for them."""
    text = init.help or ""
    assert all(name in text for name in init.params[0].type.choices)  # type: ignore[attr-defined]  # a click.Choice
