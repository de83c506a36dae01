"""Drift: how far the trajectories of two witnesses part, beside what rounding explains."""

from typing import Any

import numpy as np
import pytest

from tests.fakes import Answering, Fake, numpy_answer
from xcheck.backend import Objective
from xcheck.parameters import Vector
from xcheck.problem import DtypeName, Problem
from xcheck.testing import Fault, Planted
from xcheck.training import TrainingReport, train
from xcheck.training.drift import Drift, apart, drift_of, drifts
from xcheck_numpy import NumpyBackend


class Other(NumpyBackend):
    """Hand-written backpropagation under another name."""

    name = "other"


class Tied(Fake):
    """A witness whose relu has the slope 0.3 at exactly 0, where only 0, 1 and ½ are chosen by anybody."""

    name = "tied"

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        answer = numpy_answer(problem, dtype)

        def tied(theta: Vector) -> tuple[float, Vector]:
            loss, gradient = answer(theta)
            bumped = theta.copy()
            bias = problem.layout["b1"].span
            if not theta[bias].any():
                bumped[bias] = 1e-12
                gradient = gradient + 0.3 * (answer(bumped)[1] - gradient)
            return loss, gradient

        return Answering(self.name, problem.layout.size, tied)


def scaled(size: float) -> Fault:
    """Everything off by a factor."""

    def change(gradient: dict[str, Any], problem: Problem) -> None:
        for array in gradient.values():
            np.multiply(array, 1 + size, out=array)

    return Fault("scaled", "", change)


def trained(*backends: Any, activation: str = "tanh", **settings: Any) -> TrainingReport:
    """A small network."""
    layers = [{"units": 6, "activation": activation}, {"units": 3}]
    definition = {
        "data": settings.pop("data", {"synthetic": {"inputs": 4, "examples": 60}}),
        "network": {"layers": layers, "loss": "softmax_cross_entropy", "l2": 0.5},
        "training": {"steps": 50, "learning_rate": 0.3},
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
    assert warning.value is not None
    assert 1e-2 * size < warning.value < size


def test_drift_sees_what_a_check_leaves_undecided(tmp_path: Any) -> None:
    """A slope at a kink that no framework chooses: a subgradient, so not wrong, but θ goes another way."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    X[::2] = 0  # z = 0 at θ₀, for all units, in every second example
    np.savez(tmp_path / "data.npz", x=X, y=np.arange(60) % 3)
    data = {"file": str(tmp_path / "data.npz"), "normalize": False}
    report = trained("numpy", Tied(), activation="relu", data=data)
    assert [str(checkpoint.report.verdict) for checkpoint in report.checkpoints] == ["UNDECIDED", "AGREE"]
    drift = [warning for warning in report.warnings if warning.code == "XC430"]
    assert "gradient of tied" in drift[0].text
    assert "by step 1," in drift[0].text
    assert trained("numpy", Other(), activation="relu", data=data).warnings == ()


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


def test_distances_are_relative() -> None:
    """To θ of the driving witness."""
    theta = np.array([3.0, 4.0])
    assert apart(theta, theta) == 0
    assert apart(theta, np.array([3.0, 4.5])) == pytest.approx(0.1)
    assert apart(np.zeros(2), theta) == 5.0
    assert apart(theta, np.array([np.nan, 4.0])) == float("inf")


def test_trajectories_that_met_again_were_apart() -> None:
    """What rounding explains never shrinks, so that a witness that meets the others later is not blamed."""
    drift = drift_of(["a"], [(0, [0.0, 1e-16]), (1, [0.0, 1e-9]), (2, [1e-7, 1e-16])])
    assert drift is not None
    assert drift.bars(2.0**-53)[1:] == pytest.approx([1e-6, 1e-6])
    assert drifts(drift, "numpy", 2.0**-53, {}) == []


def test_where_rounding_alone_leads_anywhere_nothing_is_told() -> None:
    """A trajectory that a rounding sends out of the numbers there are explains all others."""
    drift = Drift(steps=(0, 1), of={"a": (0.0, 1.0)}, rounding=(1e-16, float("inf")))
    assert drifts(drift, "numpy", 2.0**-53, {}) == []


def test_nothing_is_measured_where_nobody_else_trains() -> None:
    """One witness."""
    assert drift_of([], []) is None
    assert trained("numpy").drift is None
