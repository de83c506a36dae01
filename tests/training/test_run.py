"""Training with checks along the way: rows, the first failure, curves, drift, weights, and what stops it."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import Answer, Fake, Says, Wrapped
from xcheck.api import train
from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.errors import BackendError, DefinitionError
from xcheck.layout import Layout, Vector
from xcheck.networks.definition import read_weights
from xcheck.networks.problem import Problem
from xcheck.report.training import render
from xcheck.testing import Fault, Planted
from xcheck.training import TrainingReport
from xcheck_numpy import NumpyBackend


def definition(**training: Any) -> dict[str, Any]:
    """A small network on synthetic data."""
    return {
        "data": {"synthetic": {"inputs": 4, "examples": 60}},
        "network": {
            "layers": [{"units": 6, "activation": "tanh"}, {"units": 3}],
            "loss": "softmax_cross_entropy",
            "l2": 0.5,
        },
        "training": {"steps": 40, "learning_rate": 0.3, **training},
        "check": {"seed": 1},
    }


def trained(*backends: Any, **training: Any) -> TrainingReport:
    """The report on it."""
    return train(definition(**training), backends=backends or ["numpy"])


class Turning(Wrapped):
    """A witness that is right at first, and wrong once its weights have grown."""

    def __init__(self, factor: float = 1.01) -> None:
        def wrap(answer: Says) -> Says:
            def turned(theta: Vector) -> Answer:
                loss, gradient = answer(theta)
                moved = float(np.linalg.norm(theta)) > _FAR
                return loss, gradient * (factor if moved else 1.0)

            return turned

        super().__init__("turning", wrap)


_FAR = 4.0  # ‖θ‖, which is 2.7 at the start


def test_there_is_a_row_for_every_checkpoint() -> None:
    """All agree; the loss falls."""
    report = trained(check_at=[0, 10, 40])
    assert report.ok
    assert [checkpoint.step for checkpoint in report.checkpoints] == [0, 10, 40]
    costs = [look.cost for look in report.looks]
    assert costs == sorted(costs, reverse=True)
    assert report.headline == "trained by numpy: all agree at 3 checkpoints (step 0, 10, 40)"
    assert (report.steps, report.stopped, report.interrupted) == (40, "", False)


def test_by_default_both_ends_are_checked() -> None:
    """At random initialisation, and after training."""
    assert [checkpoint.step for checkpoint in trained().checkpoints] == [0, 40]


def test_every_check_is_a_full_one() -> None:
    """All components, at the θ of that step."""
    report = trained("numpy", "torch")
    assert [checkpoint.report.components for checkpoint in report.checkpoints] == [51, 51]
    losses = [checkpoint.report.losses["numpy"] for checkpoint in report.checkpoints]
    assert losses[1] < losses[0]


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


def test_a_wrong_gradient_drifts() -> None:
    """By more than rounding, which is measured."""
    report = trained("numpy", Turning(1.01), check_at=[0, 400], steps=400, learning_rate=1.0)
    assert [warning.code for warning in report.warnings] == ["XC430"]
    assert report.drift is not None
    assert report.drift.of["turning"][-1] > 1e3 * report.drift.rounding[-1]


def test_right_gradients_part_by_rounding() -> None:
    """Two frameworks, mini-batches."""
    report = trained("numpy", "torch", batch=10)
    assert report.warnings == ()
    assert report.drift is not None
    assert max(report.drift.of["torch"]) < 1e-12


def test_early_stopping() -> None:
    """When the validation loss has not improved for so many steps; it is looked at ten times in them, or more."""
    report = trained(steps=4000, learning_rate=2.0, early_stopping={"patience": 60}, check_at=[0])
    assert report.steps < 4000
    best = min(report.looks, key=lambda look: look.validation_loss)
    told = f"stopped early after step {report.steps}: the validation loss was least at step {best.step}"
    assert report.stopped == told
    assert 60 <= report.steps - best.step <= 66
    assert [checkpoint.step for checkpoint in report.checkpoints] == [0, report.steps]


def test_a_loss_that_rises_is_a_warning() -> None:
    """On the full batch without dropout, with the step."""
    report = train(
        {
            "data": {"synthetic": {"inputs": 4, "examples": 60}},
            "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
            "training": {"steps": 20, "learning_rate": 1.9},
        },
        backends=["numpy"],
    )
    assert "XC429" in {warning.code for warning in report.warnings}


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


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_weights_are_saved_at_every_checkpoint(suffix: str, tmp_path: Path) -> None:
    """With the step in the name; they can be read again."""
    report = train(definition(), backends=["numpy"], save_weights=tmp_path / f"theta{suffix}")
    files = [Path(str(checkpoint.saved)) for checkpoint in report.checkpoints]
    assert [file.name for file in files] == [f"theta-0{suffix}", f"theta-40{suffix}"]
    layout = Layout.of({"W1": (6, 4), "b1": (6,), "W2": (3, 6), "b2": (3,)})
    first, last = (read_weights(file, layout) for file in files)
    assert not np.array_equal(first, last)
    again = definition()
    del again["training"]
    again["network"]["weights"] = str(files[1])


def test_an_interruption_keeps_what_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle."""

    def interrupt(done: int, planned: int, cost: float) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    report = train(definition(check_at=[0, 10, 40]), backends=["numpy"], progress=interrupt)
    assert report.interrupted
    assert [checkpoint.step for checkpoint in report.checkpoints] == [0, 10]
    assert report.stopped.startswith("interrupted after step")


def test_the_report_holds_everything() -> None:
    """In text at any width, and in JSON."""
    report = trained("numpy", "torch")
    for width in (40, 80):
        lines = render(report, width=width).splitlines()
        assert max(len(line) for line in lines) <= width
    content = json.loads(report.to_json())
    assert [each["step"] for each in content["checkpoints"]] == [0, 40]
    assert content["bias_variance"]["case"] == report.bias_variance.case
    assert len(content["looks"]) == len(report.looks)
    assert content["checkpoints"][0]["report"]["verdict"] == "AGREE"


def test_larger_penalties_make_smaller_weights_and_smaller_z() -> None:
    """What λ does: "your model weights will be smaller, and consequently z will be relatively smaller"."""
    sizes = []
    for l2 in (0.0, 20.0):
        model = definition(steps=300, learning_rate=0.5)
        model["network"]["l2"] = l2
        last = train(model, backends=["numpy"]).checkpoints[-1]
        sizes.append(last)
    free, held = sizes
    assert all(small < large for small, large in zip(held.sizes.weights, free.sizes.weights, strict=True))
    assert all(small < large for small, large in zip(held.sizes.inputs, free.sizes.inputs, strict=True))
    assert free.unpenalised is None
    assert held.unpenalised == free.sizes


@pytest.mark.parametrize(
    ("training", "said"),
    [
        ({"steps": -1}, "steps"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"split": [0.5, 0.4]}, "sum to 0.9, not 1"),
        ({"check_at": [50]}, "training.check_at: a check at 50, but training ends after 40 steps"),
        ({"early_stopping": {}}, "patience: missing"),
        ({"optimizer": "adam"}, "unknown key"),
        ({"backend": "torch"}, "'torch' is none of the witnesses (numpy)"),
        ({"backend": "nmpy"}, "training.backend: unknown backend 'nmpy'; did you mean 'numpy'?"),
        ({"split": [0.2, 0.2, 0.2, 0.2, 0.2]}, "training.split: at most 3 entries, got 5"),
    ],
)
def test_mistakes_are_told(training: dict[str, Any], said: str) -> None:
    """In the words of the definition."""
    with pytest.raises(DefinitionError) as caught:
        trained(**training)
    assert said in str(caught.value)


def test_there_must_be_something_to_train() -> None:
    """Without [training]."""
    plain = definition()
    del plain["training"]
    with pytest.raises(DefinitionError, match="nothing to train"):
        train(plain, backends=["numpy"])


def test_too_few_rows_cannot_be_split() -> None:
    """Each part needs one."""
    few = definition()
    few["data"]["synthetic"]["examples"] = 2
    with pytest.raises(DefinitionError, match="too few to split"):
        train(few, backends=["numpy"])


def test_the_witness_that_drives_must_be_there() -> None:
    """One that is not installed cannot."""

    class Missing(Fake):
        name = "missing"

        def available(self) -> str | None:
            return "it is not installed"

        def network_objective(
            self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64"
        ) -> Objective:
            raise NotImplementedError

    with pytest.raises(BackendError, match="not installed"):
        trained("numpy", Missing(), backend="missing")


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
    assert "float32: the largest error at any checkpoint, in units of what rounding may do" in text
    assert re.search(r"W2 \S+ within \S+ more", text)
    assert re.search(r"W1 \S+ within \S+ within", text)
    assert trained().precision == {}
