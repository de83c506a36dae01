"""How a training ends: numbers that run away, witnesses and files that fail; what was checked is never lost."""

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.fakes import Answer, Says, Wrapped
from tests.training.test_course import definition, trained
from xcheck.api import train
from xcheck.errors import BackendError, DefinitionError
from xcheck.layout import Vector
from xcheck.report.training import render
from xcheck.training.report import TrainingReport

if TYPE_CHECKING:
    from xcheck.training import Checkpoint


def failing(answer: Says) -> Says:
    """Right, until it is asked about a θ far enough from the start."""

    def failing(theta: Vector) -> Answer:
        if theta[-1] != 0:
            raise ValueError("no such luck")
        return answer(theta)

    return failing


def nan(answer: Says) -> Says:
    """Right at the start, and nan afterwards."""

    def nan(theta: Vector) -> Answer:
        loss, gradient = answer(theta)
        return loss, gradient * (np.nan if theta[-1] != 0 else 1.0)

    return nan


def late(answer: Says) -> Says:
    """At the start another loss at every call, which leaves it undecided; wrong afterwards."""
    calls = count(1)

    def late(theta: Vector) -> Answer:
        loss, gradient = answer(theta)
        return (loss + next(calls), gradient) if theta[-1] == 0 else (loss, gradient * 2.0)

    return late


def linear(**training: Any) -> dict[str, Any]:
    """Linear regression, which runs away when steps are too long."""
    return {
        "data": {"synthetic": {"inputs": 4, "examples": 60}},
        "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
        "training": {"steps": 400, "learning_rate": 20.0, **training},
    }


def plain(report: TrainingReport, width: int = 80) -> str:
    """The report, without line breaks."""
    return " ".join(render(report, width=width).split())


@pytest.mark.parametrize("backends", [["numpy"], ["numpy", "torch", "jax"]])
def test_a_theta_that_runs_away_is_nobodys_fault(backends: list[str]) -> None:
    """No witness is wrong, nothing is decided where nothing was checked, and the curve is drawn as far as it goes."""
    report = train(linear(), backends=backends)
    assert report.verdict == "UNDECIDED"
    assert [checkpoint.step for checkpoint in report.checkpoints] == [0]
    assert report.missed == (400,)
    assert f"θ is not finite after step {report.steps + 1}, so step 400 could not be checked" in report.headline
    assert {"XC429", "XC431"} == {warning.code for warning in report.warnings}
    assert "the learning rate 20 is too large" in plain(report)
    assert json.loads(report.to_json())["missed"] == [400]


def test_what_was_to_be_checked_was_checked() -> None:
    """A training that runs away after its last checkpoint proves what it has proved."""
    assert train(linear(check_at=[0]), backends=["numpy", "torch"]).verdict == "AGREE"


@pytest.mark.parametrize("steps", [4, 20, 230])
def test_a_check_where_numbers_end_is_undecided(steps: int) -> None:
    """Losses of 1e300, inf and float32's 1e38, on every witness."""
    for dtype in ("float64", "float32"):
        model = linear(steps=steps, check_at=list(range(0, steps + 1, max(1, steps // 4))))
        report = train(model, backends=["numpy", "torch", "jax"], dtype=dtype)
        assert report.verdict in ("AGREE", "UNDECIDED")


def test_a_gradient_that_is_nan_at_an_ordinary_place_is_told_apart_from_a_learning_rate() -> None:
    """θ was 1 in size, and not 1e300."""
    report = trained(Wrapped("nan", nan))
    assert report.steps == 1
    assert "the gradient of nan is not finite there, or the learning rate 0.3 is too large" in plain(report)


def test_a_witness_that_fails_fails_alone() -> None:
    """Training goes on; the verdict is an error, and what happened is quoted."""
    report = trained("numpy", Wrapped("failing", failing), check_at=[0, 20, 40])
    assert [checkpoint.step for checkpoint in report.checkpoints if not checkpoint.batch] == [0, 20, 40]
    assert report.verdict == "ERROR"
    (finding,) = report.findings
    assert finding.code == "XC104"
    assert "failing: step 2" in finding.text
    assert "no such luck" in finding.text
    assert finding.text in plain(report, width=300)


def test_a_driving_witness_that_fails_leaves_what_was_checked() -> None:
    """The checks before; an error all the same."""
    report = trained(Wrapped("failing", failing), check_at=[0, 20, 40])
    assert [checkpoint.step for checkpoint in report.checkpoints][:1] == [0]
    assert report.verdict == "ERROR"
    assert report.stopped == "failing failed after step 1"


def test_a_driving_witness_that_fails_at_once_is_an_exception() -> None:
    """There is nothing to keep."""
    with pytest.raises(BackendError, match="no such luck"):
        trained(Wrapped("failing", failing), check_at=[40])


def test_a_file_that_cannot_be_written_loses_nothing(tmp_path: Path) -> None:
    """A folder is in the way of the second checkpoint."""
    (tmp_path / "theta-20.npz").mkdir()
    report = train(definition(check_at=[0, 20, 40]), backends=["numpy"], save_weights=tmp_path / "theta.npz")
    assert report.verdict == "ERROR"
    assert [finding.code for finding in report.findings] == ["XC115"]
    assert [checkpoint.saved is None for checkpoint in report.checkpoints] == [False, True, False]


@pytest.mark.parametrize(
    ("name", "said"), [("nowhere/w.npz", "no folder that can be written to"), ("w.txt", "weights go to .npz or ")]
)
def test_a_place_that_cannot_be_written_is_told_before(name: str, said: str, tmp_path: Path) -> None:
    """Before the work begins."""
    seen: list[Checkpoint] = []
    with pytest.raises(DefinitionError, match=said):
        train(definition(), backends=["numpy"], save_weights=tmp_path / name, tell=seen.append)
    assert seen == []


def test_suffixes_in_capitals_are_what_was_asked_for(tmp_path: Path) -> None:
    """The file that is told of is the one that is there."""
    report = train(definition(), backends=["numpy"], save_weights=tmp_path / "THETA.NPZ")
    assert all(Path(str(checkpoint.saved)).is_file() for checkpoint in report.checkpoints)


def test_early_stopping_saves_the_best(tmp_path: Path) -> None:
    """θ of the least validation loss, beside that of the checkpoints."""
    model = definition(steps=4000, learning_rate=2.0, early_stopping={"patience": 60}, check_at=[0])
    report = train(model, backends=["numpy"], save_weights=tmp_path / "w.npz")
    best = min(report.looks, key=lambda look: look.validation_loss)
    assert report.stopped.endswith(f"whose θ is in {tmp_path / f'w-{best.step}.npz'}")
    assert (tmp_path / f"w-{best.step}.npz").is_file()


def test_when_it_stops_does_not_depend_on_where_it_is_checked() -> None:
    """Looks that are not due are not counted."""
    ends = {
        train(
            definition(steps=4000, learning_rate=2.0, early_stopping={"patience": 60}, check_at=check_at),
            backends=["numpy"],
        ).steps
        for check_at in ([0, 4000], list(range(60)))
    }
    assert len(ends) == 1


def test_two_witnesses_have_two_names() -> None:
    """Otherwise one would hide the other."""
    with pytest.raises(DefinitionError, match="two witnesses are called 'failing'"):
        trained(Wrapped("failing", failing), Wrapped("failing", failing))


def test_what_a_check_does_not_prove_is_in_the_first_line() -> None:
    """And its warnings in the report, once, with the steps."""
    model = definition(steps=0)
    model["network"]["layers"] = [{"units": 6, "activation": "tanh", "initializer": "zeros"}] * 2
    model["network"]["layers"].append({"units": 3, "initializer": "zeros"})
    report = train(model, backends=["numpy"])
    assert report.verdict == "AGREE"
    proved = "at step 0, numpy agrees with the oracle on 3 of 93 parameters; W1, b1, W2, b2, W3 prove nothing"
    assert proved in report.headline
    assert "warning XC408 at step 0: zero gradient" in plain(report)


def test_the_failure_that_is_shown_is_the_worst() -> None:
    """Undecided first and wrong later: what is wrong is named."""
    report = trained("numpy", Wrapped("late", late), check_at=[0, 40], divergence=False)
    assert [str(checkpoint.report.verdict) for checkpoint in report.checkpoints] == ["UNDECIDED", "DISAGREE"]
    assert report.headline.startswith("trained by numpy: at step 40: late disagrees")


def test_mini_batches_that_nobody_else_saw_are_told_of() -> None:
    """One witness has nobody to be held against on the way."""
    assert "only one witness was trained" in plain(trained("numpy", batch=12))
    assert "only one witness was trained" not in plain(trained("numpy"))
    assert "only one witness was trained" not in plain(trained("numpy", "torch", batch=12))


def test_many_checkpoints_fit_the_page() -> None:
    """Sizes of some of them, rows of all."""
    report = trained("numpy", check_at=list(range(18)))
    for width in (40, 80):
        lines = render(report, width=width).splitlines()
        assert max(len(line) for line in lines) <= width
        assert sum(line.split()[1:] != [] and line.split()[0] == "W1" for line in lines) == 1
    assert len(json.loads(report.to_json())["checkpoints"]) == 18


def test_a_penalty_of_absolute_values_chatters() -> None:
    """With l1, J goes up and down by a little for ever: no warning; a learning rate that is too large is one."""
    model = linear(steps=1500, learning_rate=0.05)
    model["network"]["l1"] = 4.0
    assert train(model, backends=["numpy"]).warnings == ()


def test_rounding_of_a_small_loss_is_no_rise() -> None:
    """In float32, at the bottom."""
    model = linear(steps=1500, learning_rate=0.1)
    report = train(model, backends=["numpy"], dtype="float32")
    assert "XC429" not in {warning.code for warning in report.warnings}


def test_the_file_that_is_read_is_not_written(tmp_path: Path) -> None:
    """Going on from the weights of a checkpoint, under the same name."""
    first = train(definition(), backends=["numpy"], save_weights=tmp_path / "w.npz")
    last = Path(str(first.checkpoints[-1].saved))
    kept = last.read_bytes()
    with pytest.raises(DefinitionError, match="might overwrite"):
        train(definition(), backends=["numpy"], weights=last, save_weights=tmp_path / "w.npz")
    late = train(definition(), backends=["numpy"], weights=last, save_weights=tmp_path / "again.npz")
    assert late.verdict == "AGREE"
    assert last.read_bytes() == kept


def test_copies_of_images_are_trained_on_and_not_counted() -> None:
    """Errors and losses are those of the rows in the file; J, which falls, is that of all."""
    model = definition(augment={"copies": 2, "distort": 0.4}, steps=3)
    model["data"]["image"] = [2, 2]
    report = train(model, backends=["numpy"])
    assert "108 for training (36 and copies)" in report.plan
    assert report.bias_variance.counted == (36, 12)
    wrong = [look.training_error * 36 for look in report.looks]
    assert wrong == pytest.approx(np.round(wrong))


def test_what_to_try_is_not_said_of_a_training_that_went_wrong() -> None:
    """A bigger network is no remedy for a learning rate that is too large."""
    assert "mend XC431 first" in plain(train(linear(), backends=["numpy"]))
    assert "bigger network" not in plain(train(linear(), backends=["numpy"]))


def test_errors_are_those_of_the_last_theta() -> None:
    """Wherever it ended."""
    report = trained("numpy", check_at=[0], steps=399)
    assert report.looks[-1].step == 399
    assert "at step 399: training error" in plain(report)


def test_an_interruption_saves_where_it_was(tmp_path: Path) -> None:
    """The steps since the last checkpoint are not lost."""

    def interrupt(done: int, planned: int, cost: float) -> None:
        if done == 20:
            raise KeyboardInterrupt

    train(definition(), backends=["numpy"], progress=interrupt, save_weights=tmp_path / "w.npz")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["w-0.npz", "w-20.npz"]


def test_what_l1_does_is_shown() -> None:
    """The share of small weights, with and without it."""
    model = definition(steps=800, learning_rate=0.05)
    model["network"].update(l1=2.0, l2=0.0)
    assert "small W1" in plain(train(model, backends=["numpy"]))
    assert "small W1" not in plain(trained("numpy"))
