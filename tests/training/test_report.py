"""The report of a training as a value: verdict, headline, warnings of its checks, precision."""

import re
from typing import Any

import numpy as np

from tests.fakes import Wrapped
from tests.training.trainings import definition, late, plain, trained
from xcheck.api import train
from xcheck.networks.problem import Problem
from xcheck.report.training import render
from xcheck.testing import Fault, Planted
from xcheck_numpy import NumpyBackend


def test_precision_is_told_per_tensor_and_witness() -> None:
    """In float32, at its worst on the way: within rounding, or more."""

    class Coarse(NumpyBackend):
        name = "coarse"

    def change(gradient: dict[str, Any], problem: Problem) -> None:
        gradient["W2"][...] = gradient["W2"].astype(np.float16)

    report = train(definition(), backends=["numpy", Planted(Coarse(), Fault("float16", "", change))], dtype="float32")
    assert set(report.precision) == {
        (name, tensor) for name in ("numpy", "coarse") for tensor in ("W1", "b1", "W2", "b2")
    }
    assert [key for key, row in report.precision.items() if not row.within_rounding] == [("coarse", "W2")]
    text = " ".join(render(report).split())
    assert "float32: the largest error at any checkpoint, in units of what rounding may cause" in text
    assert re.search(r"W2 \S+ within \S+ more", text)
    assert re.search(r"W1 \S+ within \S+ within", text)
    assert trained().precision == {}


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


def test_it_says_that_it_stopped_early() -> None:
    """In the headline, and, with the reason, below it; so is the step that was promised and not reached."""
    report = trained(steps=4000, learning_rate=2.0, early_stopping={"patience": 60}, check_at=[0, 4000])
    assert report.stopped_early
    assert report.headline.startswith(f"trained by numpy, stopped early after step {report.steps}: all agree at 2 ")
    ending = f"; it did not reach step 4000, so the last check was made at step {report.steps}"
    assert report.ending == report.stopped + ending
    assert report.ending in plain(report)
    whole = trained()
    assert (whole.stopped_early, whole.ending) == (False, "")


def test_the_failure_that_is_shown_is_the_worst() -> None:
    """Undecided first and wrong later: what is wrong is named."""
    report = trained("numpy", Wrapped("late", late), check_at=[0, 40], divergence=False)
    assert [str(checkpoint.report.verdict) for checkpoint in report.checkpoints] == ["UNDECIDED", "DISAGREE"]
    assert report.headline.startswith("trained by numpy: at step 40: late disagrees")
