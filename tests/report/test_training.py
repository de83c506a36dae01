"""The report of a training as text and JSON, at 40 and 80 columns."""

import json

from tests.training.trainings import definition, linear, plain, trained
from xcheck.api import train
from xcheck.report.training import render


def test_the_report_holds_everything() -> None:
    """In text at any width, and in JSON."""
    report = trained("numpy", "torch")
    for width in (40, 80):
        lines = render(report, width=width).splitlines()
        assert max(len(line) for line in lines) <= width
    content = json.loads(report.to_json())
    assert [each["step"] for each in content["checkpoints"]] == [0, 40]
    assert content["bias_variance"]["case"] == report.recipe.case
    assert len(content["looks"]) == len(report.looks)
    assert content["checkpoints"][0]["report"]["verdict"] == "AGREE"


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


def test_what_to_try_is_not_said_of_a_training_that_went_wrong() -> None:
    """A bigger network is no remedy for a learning rate that is too large."""
    assert "mend XC431 first" in plain(train(linear(), backends=["numpy"]))
    assert "bigger network" not in plain(train(linear(), backends=["numpy"]))


def test_what_l1_does_is_shown() -> None:
    """The share of small weights, with and without it."""
    model = definition(steps=800, learning_rate=0.05)
    model["network"].update(l1=2.0, l2=0.0)
    assert "small W1" in plain(train(model, backends=["numpy"]))
    assert "small W1" not in plain(trained("numpy"))
