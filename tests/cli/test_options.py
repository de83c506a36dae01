"""Options that several commands share."""

import json
from pathlib import Path

import pytest

from tests.cli.test_main import run


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
