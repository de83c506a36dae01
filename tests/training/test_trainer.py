"""How a training goes on and ends: failures on the way, numbers that run away, interruptions; nothing is lost."""

import json
from pathlib import Path

import pytest

from tests.fakes import Wrapped
from tests.training.trainings import Turning, definition, failing, linear, nan, plain, trained
from xcheck.api import train
from xcheck.errors import BackendError
from xcheck.report.training import render


def test_the_first_failure_is_named_and_training_goes_on() -> None:
    """A gradient that goes wrong on the way; at the next checkpoint where nobody else is trained."""
    settings = {"check_at": [0, 40, 200, 400], "steps": 400, "learning_rate": 1.0}
    report = trained("numpy", Turning(), **settings, divergence=False)
    assert not report.ok
    verdicts = [str(checkpoint.report.verdict) for checkpoint in report.checkpoints]
    assert verdicts[0] == "AGREE"
    assert verdicts[-1] == "DISAGREE"
    failure = report.first_failure
    assert failure is not None
    assert "at step 200, after agreeing at step 0, 40" in report.headline
    assert "turning disagrees" in report.headline
    assert "the check at step 200" in render(report)


def test_the_step_where_it_goes_wrong_is_found_between_two_checkpoints() -> None:
    """Trajectories part, and the gradients of that step are checked on its batch."""
    report = trained("numpy", Turning(), check_at=[0, 40, 400], steps=400, learning_rate=1.0)
    failure = report.first_failure
    assert failure is not None
    assert failure.batch
    assert 40 < failure.step < 200
    assert f"at step {failure.step} (its batch), after agreeing at step 0, 40: turning disagrees" in report.headline
    assert [(checkpoint.step, checkpoint.batch) for checkpoint in report.checkpoints][-1] == (400, False)


def test_early_stopping() -> None:
    """When the validation loss has not improved for so many steps; it is looked at ten times in them, or more."""
    report = trained(steps=4000, learning_rate=2.0, early_stopping={"patience": 60}, check_at=[0])
    assert report.steps < 4000
    best = min(report.looks, key=lambda look: look.validation_loss)
    told = (
        f"stopped early after step {report.steps}, as [training] early_stopping asks: the validation loss was least at "
        f"step {best.step}"
    )
    assert report.stopped == told
    assert 60 <= report.steps - best.step <= 66
    assert [checkpoint.step for checkpoint in report.checkpoints] == [0, report.steps]


def test_training_that_leaves_the_numbers_ends() -> None:
    """With what was checked before."""
    report = train(
        {
            "data": {"synthetic": {"inputs": 4, "examples": 60}},
            "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
            "training": {"steps": 5000, "learning_rate": 100.0, "check_at": [0, 1, 5000]},
        },
        backends=["numpy"],
    )
    assert "XC431" in {warning.code for warning in report.warnings}
    assert [checkpoint.step for checkpoint in report.checkpoints][:2] == [0, 1]


def test_an_interruption_keeps_what_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle."""

    def interrupt(done: int, planned: int, cost: float) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    report = train(definition(check_at=[0, 10, 40]), backends=["numpy"], progress=interrupt)
    assert report.interrupted
    assert [checkpoint.step for checkpoint in report.checkpoints] == [0, 10]
    assert report.stopped.startswith("interrupted after step")


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
