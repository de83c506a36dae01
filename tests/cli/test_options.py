"""Options that several commands share."""

import json
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from tests.cli.test_main import run
from xcheck.checks.settings import Scope
from xcheck.cli.accuracy import accuracy
from xcheck.cli.check import check
from xcheck.oracle.engines.base import EngineName
from xcheck.oracle.estimators.central import DifferenceName


def test_flags_override_the_definition(folder: Path) -> None:
    """Every flag of [check] reaches the report."""
    flags = ["--seed", "7", "--epsilon", "1e-6", "--difference", "forward", "--examples", "5", "--dtype", "float64"]
    done = run("model.toml", *flags, "--tolerance", "1e-4", "--dropout", "off", "--format", "json", folder=folder)
    content = json.loads(done.stdout)
    assert (content["seed"], content["oracle"]["epsilon"], content["oracle"]["difference"]) == (7, 1e-6, "forward")
    assert "5 examples" in content["summary"]


def test_cache_keeps_what_is_compiled(folder: Path) -> None:
    """In the folder that is named, which is made if it is not there; nothing else changes."""
    done = run("model.toml", "--cache", "kept/compiled", folder=folder)
    assert done.returncode == 0, done.stderr
    assert list((folder / "kept" / "compiled").iterdir())


def test_a_cache_that_cannot_be_written_is_a_mistake(folder: Path) -> None:
    """Said at once, with the reason, and not by JAX in the middle of the work; nothing is checked."""
    (folder / "file").write_text("in the way")
    done = run("model.toml", "--cache", "file/compiled", folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Invalid value for '--cache': cannot write to file/compiled: Not a directory" in done.stderr


@pytest.mark.parametrize(
    ("engine", "auditors"), [("loop", []), ("structured", ["loop"]), ("node", ["structured", "loop"])]
)
def test_engines_by_name(folder: Path, engine: str, auditors: list[str]) -> None:
    """The JSON says which engine it was and who audited it; nothing was predicted for an engine that was named."""
    done = run("model.toml", "--engine", engine, "--format", "json", folder=folder)
    oracle = json.loads(done.stdout)["oracle"]
    assert (oracle["engine"], oracle["predicted"], oracle["refereed"]) == (engine, {}, 0)
    assert [audit["by"] for audit in oracle["audits"]] == auditors
    assert all(audit["worst"] <= 1 for audit in oracle["audits"])


@pytest.mark.parametrize(
    ("option", "names"), [("engine", EngineName), ("scope", Scope), ("difference", DifferenceName)]
)
def test_choices_are_those_of_the_settings(option: str, names: Any) -> None:
    """The command line writes them out, so that its help need not import the oracle."""
    (choice,) = (param.type for param in check.params if param.name == option)
    assert isinstance(choice, click.Choice)
    assert set(choice.choices) == set(get_args(names))


def test_where_no_differences_are_taken_their_options_are_not_offered() -> None:
    """Everything else is as in a check."""
    of_check, of_accuracy = ({param.name for param in command.params} for command in (check, accuracy))
    assert {"epsilon", "difference", "tolerance", "engine", "proof", "scope"} <= of_check - of_accuracy
    assert {"backends", "dtype", "budget", "seed", "examples", "inputs", "form", "most"} <= of_accuracy
