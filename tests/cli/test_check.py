"""The command `check`."""

import json
from pathlib import Path

from tests.cli.test_main import SPOILED, run
from tests.commands import SMALL
from tests.conftest import Plugins


def test_all_mistakes_of_all_definitions_are_said_at_once(folder: Path) -> None:
    """Nothing is checked before everything can be read."""
    (folder / "one.toml").write_text(SMALL.replace("units = 4", "unit = 4"))
    (folder / "two.toml").write_text(SMALL.replace("mean_squared_error", "mean_square_error"))
    done = run("one.toml", "model.toml", "two.toml", folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "one.toml:5:11: network.layers[0].units: missing",
        "one.toml:5:13: network.layers[0].unit: unknown key; did you mean 'units'?",
        "two.toml:6:1: network.loss: unknown loss 'mean_square_error'; did you mean 'mean_squared_error'?",
    ]


def test_json_is_one_line_per_model(folder: Path) -> None:
    """JSON Lines on standard output, with the command that was typed."""
    done = run("model.toml", "model.toml", "--format", "json", folder=folder)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["model"], line["verdict"], line["exit"]) for line in lines] == [("model.toml", "AGREE", 0)] * 2
    assert lines[0]["command"] == ["python", "-m", "xcheck", "model.toml", "model.toml", "--format", "json"]


def test_worst_limits_the_components(folder: Path, plugins: Plugins) -> None:
    """The mismatch table is cut, and says how much is left."""
    plugins.add("spoiled", SPOILED)
    done = run("model.toml", "--backend", "spoiled", "--worst", "1", folder=folder)
    assert "... 3 more" in done.stdout


def test_output_goes_to_a_file(folder: Path) -> None:
    """--output takes the report, and standard output stays empty."""
    done = run("model.toml", "--output", "report.txt", folder=folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert (folder / "report.txt").read_text().startswith("AGREE  model.toml")


def test_a_typo_does_not_empty_the_last_report(folder: Path) -> None:
    """The file is opened after the definitions are read."""
    (folder / "report.txt").write_text("precious")
    (folder / "model.toml").write_text(SMALL.replace("units", "unit"))
    assert run("model.toml", "--output", "report.txt", folder=folder).returncode == 2
    assert (folder / "report.txt").read_text() == "precious"


def test_verbose_shows_every_tensor_and_the_time(folder: Path) -> None:
    """-v names W1, b1, W2, b2 and where the time went."""
    done = run("model.toml", "-v", folder=folder)
    for word in ("W1", "b1", "W2", "b2", "time: numpy", "jaxlib"):
        assert word in done.stdout
