"""Training on the command line."""

import json
from pathlib import Path

import pytest

from tests.commands import SMALL, Typist

TRAINING = (
    SMALL.replace("examples = 8", "examples = 40")
    + """
[training]
steps = 20
learning_rate = 0.1
check_at = [0, 20]
"""
)


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typist:
    """A folder with a definition that is trained, and one that is not."""
    (tmp_path / "model.toml").write_text(TRAINING)
    (tmp_path / "plain.toml").write_text(SMALL)
    return Typist(tmp_path, monkeypatch, capsys)


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


def test_a_check_without_training_stays_what_it_is(typed: Typist) -> None:
    """Both kinds on one command line."""
    done = typed("plain.toml", "model.toml", "-q")
    first, second = done.out.splitlines()
    assert "trained" not in first
    assert "trained by numpy" in second
