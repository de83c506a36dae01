"""The command `check`."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_main import SPOILED, run
from tests.commands import SMALL, Typist
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


TRAINING = (
    SMALL.replace("examples = 8", "examples = 40")
    + """
[training]
steps = 20
learning_rate = 0.1
check_at = [0, 20]
"""
)


LATE = """
from dataclasses import replace
import numpy as np
from xcheck.testing import Fault, Planted
from xcheck_numpy import NumpyBackend

class Late(NumpyBackend):
    name = "late"

def change(gradient, problem):
    if problem.theta[-1] != 0:
        gradient["b2"] *= 2

backend = Planted(Late(), Fault("late", "", change))
"""


INTERRUPTED = """
import os, signal
from xcheck.testing import Fault, Planted
from xcheck_numpy import NumpyBackend

class Late(NumpyBackend):
    name = "late"

steps = []

def change(gradient, problem):
    if problem.theta[-1] != 0:
        steps.append(1)
    if len(steps) == 12:
        os.kill(os.getpid(), signal.SIGINT)

backend = Planted(Late(), Fault("late", "", change))
"""


@pytest.fixture
def typed(typist: Typist) -> Typist:
    """A folder with a definition that is trained, and one that is not."""
    (typist.folder / "model.toml").write_text(TRAINING)
    (typist.folder / "plain.toml").write_text(SMALL)
    return typist


def test_a_definition_with_training_is_trained(typed: Typist) -> None:
    """The report has a row for each checkpoint; the exit status is that of the worst."""
    done = typed("model.toml")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("AGREE  model.toml, trained by numpy: all agree at 2 checkpoints (step 0, 20)")
    assert "  again: python -m xcheck model.toml" in done.out


def test_one_line_and_json(typed: Typist) -> None:
    """Other forms of the same."""
    assert typed("model.toml", "-q").out.count("\n") == 1
    content = json.loads(typed("model.toml", "--format", "json").out)
    assert [each["step"] for each in content["checkpoints"]] == [0, 20]


def test_weights_are_saved(typed: Typist) -> None:
    """One file for each checkpoint."""
    assert typed("model.toml", "--save-weights", "w.npz").status == 0
    assert sorted(file.name for file in typed.folder.glob("*.npz")) == ["w-0.npz", "w-20.npz"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plain.toml", "--save-weights", "w.npz"), "--save-weights needs one MODEL with [training]; there are 0"),
        (("model.toml", "--save-weights", "w.txt"), "weights go to .npz or .safetensors, not w.txt"),
        (("model.toml", "--save-weights", "nowhere/w.npz"), "cannot write nowhere"),
    ],
)
def test_weights_that_cannot_be_saved(arguments: tuple[str, ...], said: str, typed: Typist) -> None:
    """Told before, or where it happens; status 2."""
    done = typed(*arguments)
    assert done.status == 2
    assert said in done.err.replace("\n", " ")


def test_a_failure_on_the_way_is_told_at_once_and_again_at_its_theta(typed: Typist, plugins: Plugins) -> None:
    """On standard error as it happens; the report says what to type next, and that shows the same component."""
    plugins.add("late", LATE)
    both = ("--backend", "numpy", "--backend", "late")
    done = typed("model.toml", *both)
    assert done.status == 1
    first, second = done.err.splitlines()
    assert first.startswith("model.toml, step 1 (its batch): late disagrees: b2[0] is 2 x the oracle")
    assert second.startswith("model.toml, step 20: late disagrees: b2[0] is 2 x the oracle")
    assert "at step 1 (its batch), after agreeing at step 0: late disagrees" in " ".join(done.out.split())
    *_, first, second, again = done.out.splitlines()
    assert again == "  again: python -m xcheck model.toml --backend numpy --backend late --seed 0"
    assert first == "  next: python -m xcheck model.toml --backend numpy --backend late --save-weights theta.npz"
    explain = "explain model.toml 'b2[0]' --backend numpy --backend late --weights theta-1.npz"
    assert second == f"  next: python -m xcheck {explain}"
    saving = typed(*shlex.split(first)[4:])
    assert f"next: python -m xcheck {explain}" in saving.out
    close = typed(*shlex.split(explain))
    assert close.out.startswith("DISAGREE  model.toml, b2[0]: late is wrong: 2 x the oracle")


def test_a_check_at_saved_weights_is_the_check_on_the_way(typed: Typist) -> None:
    """Same rows, same scale, same θ: the loss is the same to the last digit."""
    assert typed("model.toml", "--save-weights", "w.npz").status == 0
    content = json.loads(typed("model.toml", "--format", "json").out)
    again = json.loads(typed("model.toml", "--weights", "w-20.npz", "--format", "json").out)
    assert again["checkpoints"][0]["report"]["losses"] == content["checkpoints"][1]["report"]["losses"]


def test_weights_that_cannot_be_read(typed: Typist) -> None:
    """The flag is named, not a line of the definition."""
    (typed.folder / "w.safetensors").write_text("nonsense")
    assert typed("plain.toml", "--weights", "no.npz").err == "weights: cannot read no.npz: No such file or directory\n"
    done = typed("plain.toml", "--weights", "w.safetensors")
    assert done.status == 2
    assert done.err.startswith("weights: ")
    assert "w.safetensors cannot be used" in done.err


def test_an_interruption_shows_what_was_checked(typed: Typist, plugins: Plugins) -> None:
    """A process of its own: Ctrl-C in the middle of training, the report so far, status 130."""
    plugins.add("late", INTERRUPTED)
    command = [sys.executable, "-m", "xcheck", "model.toml", "--backend", "late"]
    done = subprocess.run(command, cwd=typed.folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 130
    headline = "model.toml, trained by late, interrupted after step 12: all agree at one checkpoint (step 0)"
    assert f"AGREE {headline}" in " ".join(done.stdout.split())
    assert done.stderr.strip() == "interrupted"


def test_a_check_without_training_stays_what_it_is(typed: Typist) -> None:
    """Both kinds on one command line."""
    done = typed("plain.toml", "model.toml", "-q")
    first, second = done.out.splitlines()
    assert "trained" not in first
    assert "trained by numpy" in second
