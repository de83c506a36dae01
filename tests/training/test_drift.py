"""Drift: how far the trajectories of two witnesses part, beside what rounding explains."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import Answer, Answering, Fake, Says, Wrapped, numpy_answer
from xcheck.api import train
from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.report.training import render
from xcheck.testing import Fault, Planted
from xcheck.training import TrainingReport
from xcheck.training.drift import build_drift, relative_distance
from xcheck_numpy import NumpyBackend


class Other(NumpyBackend):
    """Hand-written backpropagation under another name."""

    name = "other"


class Tied(Fake):
    """A witness whose relu has a slope of its own at exactly 0, where 0, 1 and ½ are chosen by somebody."""

    name = "tied"

    def __init__(self, slope: float) -> None:
        self._slope = slope

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        answer = numpy_answer(problem, dtype)

        def tied(theta: Vector) -> tuple[float, Vector]:
            loss, gradient = answer(theta)
            bumped = theta.copy()
            bias = problem.layout["b1"].span
            if not theta[bias].any():
                bumped[bias] = 1e-12
                gradient = gradient + self._slope * (answer(bumped)[1] - gradient)
            return loss, gradient

        return Answering(self.name, problem.layout.size, tied)


def scaled(size: float) -> Fault:
    """Everything off by a factor."""

    def change(gradient: dict[str, Any], problem: Problem) -> None:
        for array in gradient.values():
            np.multiply(array, 1 + size, out=array)

    return Fault("scaled", "", change)


def tied_data(folder: Path) -> dict[str, Any]:
    """Data of which every second example is nothing but zeros: z = 0 at θ₀, for all units."""
    X = np.random.default_rng(0).standard_normal((60, 4))
    X[::2] = 0
    np.savez(folder / "data.npz", x=X, y=np.arange(60) % 3)
    return {"file": str(folder / "data.npz"), "normalize": False}


def trained(*backends: Any, activation: str = "tanh", **settings: Any) -> TrainingReport:
    """A small network."""
    layers = [{"units": 6, "activation": activation}, {"units": 3}]
    definition = {
        "data": settings.pop("data", {"synthetic": {"inputs": 4, "examples": 60}}),
        "network": {"layers": layers, "loss": "softmax_cross_entropy", "l2": 0.5},
        "training": {"steps": 50, "learning_rate": 0.3, **settings.pop("training", {})},
        "check": {"seed": 1, **settings},
    }
    return train(definition, backends=backends)


@pytest.mark.parametrize("size", [1e-8, 1e-10])
def test_drift_sees_what_the_tolerance_of_a_check_hides(size: float) -> None:
    """An error of a hundredth or less of what a check decides."""
    report = trained("numpy", Planted(Other(), scaled(size)))
    assert report.ok
    (warning,) = report.warnings
    assert warning.code == "XC430"
    assert "trained with the gradient of other" in warning.text
    assert "by less than the check on the batch of that step can see" in warning.text
    assert warning.value is not None
    assert 1e-2 * size < warning.value < size
    assert report.headline.endswith("; but trajectories part by more than rounding")


def test_drift_sees_what_a_check_leaves_undecided(tmp_path: Path) -> None:
    """A slope at a kink that no framework chooses: a subgradient, so not wrong, but θ goes another way."""
    report = trained("numpy", Tied(0.3), activation="relu", data=tied_data(tmp_path))
    assert [str(checkpoint.report.verdict) for checkpoint in report.checkpoints] == ["UNDECIDED", "UNDECIDED", "AGREE"]
    drift = [warning for warning in report.warnings if warning.code == "XC430"]
    assert "gradient of tied" in drift[0].text
    assert "after step 1," in drift[0].text
    assert "leaves it undecided" in drift[0].text


def test_another_convention_at_a_kink_is_nobodys_fault(tmp_path: Path) -> None:
    """All slopes that frameworks choose are right; the report says where trajectories part, and warns of the kink."""
    report = trained("numpy", Tied(1.0), activation="relu", data=tied_data(tmp_path))
    assert report.verdict == "AGREE"
    assert "XC430" not in {warning.code for warning in report.warnings}
    assert [(parting.step, parting.reason.name) for parting in report.drift.partings] == [(1, "KINK")]  # type: ignore[union-attr]
    text = " ".join(render(report).split())
    assert "tied leaves the trajectory of numpy at step 1: θ is at a kink there" in text
    assert "warning XC404 at step 0, 0 (its batch)" in text
    assert "trajectories part" not in report.headline


def test_at_a_kink_equal_witnesses_go_together(tmp_path: Path) -> None:
    """Roundings do not take θ off a kink that it sits on because of zeros."""
    report = trained("numpy", Other(), activation="relu", data=tied_data(tmp_path))
    assert report.warnings == ()
    assert report.drift is not None
    assert max(report.drift.rounding) < 1e-12


def test_a_fault_of_one_batch_alone_is_caught_and_named() -> None:
    """The last one of an epoch is smaller: no check of other examples sees it; the one on that batch does."""

    def change(gradient: dict[str, Any], problem: Problem) -> None:
        if problem.examples == 4:  # 36 rows in batches of 16
            gradient["W2"][1, 2] *= 1.5

    wrong = Planted(Other(), Fault("last", "", change))
    report = trained("numpy", wrong, "jax", training={"batch": 16})
    assert report.verdict == "DISAGREE"
    assert [(each.step, each.batch, str(each.report.verdict)) for each in report.checkpoints] == [
        (0, False, "AGREE"),
        (2, True, "DISAGREE"),
        (50, False, "AGREE"),
    ]
    assert "at step 2 (its batch), after agreeing at step 0: other disagrees: W2[1, 2] is 1.5 x" in report.headline
    (warning,) = report.warnings
    assert "says what is wrong; other stands alone" in warning.text


def test_the_driving_witness_may_be_the_one_that_stands_alone() -> None:
    """Two others go together; with one other, nobody is named."""
    wrong = Planted(Other(), scaled(1e-9))
    assert all("other stands alone" in warning.text for warning in trained(wrong, "numpy", "torch").warnings)
    assert all("stands alone" not in warning.text for warning in trained(wrong, "numpy").warnings)
    assert len(trained(wrong, "numpy", "torch").warnings) == 2


def test_in_float32_kinks_part_trajectories() -> None:
    """A unit is soon on one side for one witness and on the other for another: nothing is told where kinks are."""
    off = Planted(Other(), scaled(0.05))
    assert "XC430" in {warning.code for warning in trained("numpy", off, dtype="float32").warnings}
    warnings = trained("numpy", off, dtype="float32", activation="relu").warnings
    assert "XC430" not in {warning.code for warning in warnings}


def test_it_is_measured_along_the_whole_way() -> None:
    """Not at the checks alone, and to the end."""
    report = trained("numpy", Other())
    assert report.drift is not None
    assert report.drift.steps == tuple(range(51))
    assert report.drift.of == {"other": (0.0,) * 51}
    assert all(distance > 0 for distance in report.drift.rounding)


def test_a_trajectory_that_leaves_the_numbers_has_parted() -> None:
    """nan is further away than anything."""

    def change(gradient: dict[str, Any], problem: Problem) -> None:
        gradient["b1"][0] = np.nan

    report = trained("numpy", Planted(Other(), Fault("nan", "", change)))
    assert "XC430" in {warning.code for warning in report.warnings}
    assert report.drift is not None
    assert report.drift.of["other"][1] == float("inf")
    assert report.verdict == "DISAGREE"


def test_distances_are_relative() -> None:
    """To θ of the driving witness."""
    theta = np.array([3.0, 4.0])
    assert relative_distance(theta, theta) == 0
    assert relative_distance(theta, np.array([3.0, 4.5])) == pytest.approx(0.1)
    assert relative_distance(np.zeros(2), theta) == 5.0
    assert relative_distance(theta, np.array([np.nan, 4.0])) == float("inf")


def test_nothing_is_measured_where_nobody_else_trains() -> None:
    """One witness."""
    assert build_drift([], [], []) is None
    assert trained("numpy").drift is None


def stale(answer: Says) -> Says:
    """Answers with the gradient of the call before."""
    last: list[Vector] = []

    def stale(theta: Vector) -> Answer:
        loss, gradient = answer(theta)
        last.append(gradient)
        return loss, last[-2] if len(last) > 1 else gradient

    return stale


def test_a_gradient_that_is_another_one_when_asked_again_is_wrong() -> None:
    """The check on the batch agrees, but θ has moved further than a gradient that agrees can lead."""
    report = trained("numpy", Wrapped("stale", stale), "torch")
    assert report.verdict == "DISAGREE"
    (finding,) = report.findings
    assert finding.code == "XC108"
    assert finding.text.startswith("stale: after step 2, the trajectories of stale and numpy are ")
    assert "the gradient that the step used differs from" in report.headline
    assert trained("numpy", Wrapped("stale", stale)).findings[0].text.startswith("stale or numpy: ")


def test_a_kink_or_a_tolerated_error_hides_nothing_that_comes_later(tmp_path: Path) -> None:
    """Trajectories that have parted for such a reason go on together."""

    def change(gradient: dict[str, Any], problem: Problem) -> None:
        if problem.examples == 4:
            gradient["b2"][2] *= 1.5

    tied = Planted(Tied(1.0), Fault("last", "", change))
    report = trained("numpy", tied, training={"batch": 16}, activation="relu", data=tied_data(tmp_path))
    assert "at step 2 (its batch), after agreeing at step 0, 0 (its batch)" in report.headline

    def both(gradient: dict[str, Any], problem: Problem) -> None:
        scaled(1e-9).change(gradient, problem)
        change(gradient, problem)

    report = trained("numpy", Planted(Other(), Fault("both", "", both)), training={"batch": 16})
    assert "at step 2 (its batch)" in report.headline
    assert "other disagrees: b2[2] is 1.5 x" in report.headline


def test_a_driving_witness_that_becomes_nan_on_one_batch_is_named() -> None:
    """θ is at an ordinary place: the gradient of that step is checked."""

    def change(gradient: dict[str, Any], problem: Problem) -> None:
        if problem.examples == 4:
            gradient["W1"][0, 1] = np.nan

    report = trained(Planted(Other(), Fault("nan", "", change)), "numpy", training={"batch": 16, "check_at": [0]})
    assert report.verdict == "DISAGREE"
    assert "at step 2 (its batch), after agreeing at step 0: other disagrees: W1[0, 1] is nan" in report.headline


@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
def test_gradients_that_are_nothing_but_rounding_are_nobodys_fault(activation: str, tmp_path: Path) -> None:
    """Weights of zero and balanced classes: sums that cancel, each witness to another 1e-17."""
    X = np.random.default_rng(0).standard_normal((60, 4))
    np.savez(tmp_path / "even.npz", x=X, y=np.arange(60) % 3)
    layers = [{"units": 6, "activation": activation, "initializer": "zeros"}, {"units": 3, "initializer": "zeros"}]
    definition = {
        "data": {"file": str(tmp_path / "even.npz")},
        "network": {"layers": layers, "loss": "softmax_cross_entropy"},
        "training": {"steps": 20, "learning_rate": 0.3},
    }
    report = train(definition, backends=["numpy", "torch", "jax"])
    assert "XC430" not in {warning.code for warning in report.warnings}
    assert report.verdict != "DISAGREE"
