"""Targets that fit the loss and the outputs, from numbers and from words."""

from typing import Any

import numpy as np
import pytest

from xcheck.errors import DefinitionError
from xcheck.networks.data import Dataset, Table, encode, synthesize
from xcheck.networks.network import LOSSES, LossName

BINARY: LossName = "binary_cross_entropy"
SOFTMAX: LossName = "softmax_cross_entropy"
SQUARED: LossName = "mean_squared_error"


def encoded(labels: list[list[Any]], loss: LossName, outputs: int) -> Dataset:
    """Encode labels whose inputs do not matter."""
    table = Table(inputs=np.zeros((len(labels), 1)), labels=np.array(labels), features=("a",))
    return encode(table, loss, outputs)


FITTING: dict[str, tuple[list[list[Any]], LossName, int, list[list[float]]]] = {
    "binary numbers": ([[0], [1], [1]], BINARY, 1, [[0], [1], [1]]),
    "binary columns": ([[0, 1], [1, 1]], BINARY, 2, [[0, 1], [1, 1]]),
    "binary of one kind": ([[0], [0]], BINARY, 1, [[0], [0]]),
    "binary words": ([["no"], ["yes"], ["no"]], BINARY, 1, [[0], [1], [0]]),
    "binary booleans as words": ([["True"], ["False"]], BINARY, 1, [[1], [0]]),
    "class numbers": ([[2], [0], [1]], SOFTMAX, 3, [[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    "class words": ([["b"], ["c"], ["a"], ["b"]], SOFTMAX, 3, [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    "fewer classes than outputs": ([[0], [1]], SOFTMAX, 3, [[1, 0, 0], [0, 1, 0]]),
    "probabilities": ([[0.25, 0.75], [1, 0]], SOFTMAX, 2, [[0.25, 0.75], [1, 0]]),
    "numbers": ([[1.5], [-2]], SQUARED, 1, [[1.5], [-2]]),
    "columns of numbers": ([[1.5, 3], [-2, 0]], SQUARED, 2, [[1.5, 3], [-2, 0]]),
}


@pytest.mark.parametrize(("labels", "loss", "outputs", "expected"), FITTING.values(), ids=FITTING.keys())
def test_fitting_labels(labels: list[list[Any]], loss: LossName, outputs: int, expected: list[list[float]]) -> None:
    """Labels become float64 targets of shape (rows, outputs)."""
    targets = encoded(labels, loss, outputs).targets
    assert targets.dtype == np.float64
    assert targets.tolist() == expected


TARGET, UNITS = "data.target: ", "network.layers[-1].units: "
PROBABILITIES = f"{TARGET}with several target columns softmax_cross_entropy needs probabilities; "
UNFIT: dict[str, tuple[list[list[Any]], LossName, int, str]] = {
    "binary 2": ([[1], [2]], BINARY, 1, f"{TARGET}binary_cross_entropy needs targets 0 or 1, found 2"),
    "binary fraction": ([[0], [0.5]], BINARY, 1, f"{TARGET}binary_cross_entropy needs targets 0 or 1, found 0.5"),
    "one word": ([["a"], ["a"]], BINARY, 1, f"{TARGET}binary_cross_entropy needs two classes, the target has 1: 'a'"),
    "ten words": (
        [[word] for word in "abcdefghij"],
        BINARY,
        1,
        (
            f"{TARGET}binary_cross_entropy needs two classes, the target has 10: 'a', 'b', 'c', 'd', 'e', 'f', 'g', "
            "'h', ...; softmax_cross_entropy takes more"
        ),
    ),
    "two columns of words": (
        [["a", "c"], ["b", "d"]],
        BINARY,
        2,
        f"{TARGET}binary_cross_entropy takes one column of two words, or columns of 0 and 1",
    ),
    "binary columns and units": (
        [[0, 1]],
        BINARY,
        1,
        f"{UNITS}the last layer has 1 unit, the target has 2 columns",
    ),
    "class below zero": ([[0], [-1]], SOFTMAX, 2, f"{TARGET}class numbers are 0, 1, 2, ...; found -1"),
    "fractional class": ([[0], [1.5]], SOFTMAX, 2, f"{TARGET}class numbers are 0, 1, 2, ...; found 1.5"),
    "more classes than outputs": (
        [[0], [3]],
        SOFTMAX,
        2,
        f"{UNITS}the target has 4 classes, the last layer has 2 units; softmax_cross_entropy needs one unit per class",
    ),
    "more words than outputs": (
        [["a"], ["b"], ["c"]],
        SOFTMAX,
        2,
        f"{UNITS}the target has 3 classes, the last layer has 2 units; softmax_cross_entropy needs one unit per class",
    ),
    "classes from 1": (
        [[1], [2]],
        SOFTMAX,
        2,
        (
            f"{UNITS}the target has 3 classes, the last layer has 2 units; softmax_cross_entropy needs one unit per "
            "class; count the classes from 0, not from 1"
        ),
    ),
    "class beyond all integers": (
        [[0], [1e300]],
        SOFTMAX,
        2,
        (
            f"{UNITS}the target has 1e+300 classes, the last layer has 2 units; "
            "softmax_cross_entropy needs one unit per class"
        ),
    ),
    "columns of words": (
        [["a", "b"]],
        SOFTMAX,
        2,
        f"{TARGET}softmax_cross_entropy takes one column of classes, or numeric columns that sum to one",
    ),
    "sum above one": (
        [[0.5, 0.5], [0.5, 0.6]],
        SOFTMAX,
        2,
        f"{PROBABILITIES}row 2 sums to 1.1; divide it by its sum, in float64",
    ),
    "sum rounded to float32": (
        [[float(np.float32(0.1)), 0.9]],
        SOFTMAX,
        2,
        f"{PROBABILITIES}row 1 sums to 1.00000000149; divide it by its sum, in float64",
    ),
    "probability below zero": ([[-0.5, 1.5]], SOFTMAX, 2, f"{PROBABILITIES}row 1 holds -0.5"),
    "probabilities beyond float64": ([[1e308, 1e308]], SOFTMAX, 2, f"{PROBABILITIES}row 1 holds 1e+308"),
    "probabilities and units": (
        [[0.5, 0.5]],
        SOFTMAX,
        3,
        f"{UNITS}the last layer has 3 units, the target has 2 columns",
    ),
    "words for numbers": (
        [["cat"], ["dog"]],
        SQUARED,
        1,
        f"{TARGET}mean_squared_error needs numbers, the target holds words: 'cat'",
    ),
    "numbers and units": ([[1.0]], SQUARED, 2, f"{UNITS}the last layer has 2 units, the target has 1 column"),
}


@pytest.mark.parametrize(("labels", "loss", "outputs", "expected"), UNFIT.values(), ids=UNFIT.keys())
def test_labels_that_do_not_fit(labels: list[list[Any]], loss: LossName, outputs: int, expected: str) -> None:
    """Labels that do not fit the loss are a matter of the target, those that do not fit the outputs of the layers."""
    with pytest.raises(DefinitionError) as caught:
        encoded(labels, loss, outputs)
    assert str(caught.value) == expected


def test_many_outputs_need_no_square_of_them() -> None:
    """One example among 100,000 classes takes 100,000 numbers, not their square."""
    assert encoded([[99_999]], SOFTMAX, 100_000).targets.nonzero()[1].tolist() == [99_999]


@pytest.mark.parametrize("loss", LOSSES)
def test_synthetic_targets_fit_their_loss(loss: LossName) -> None:
    """What is drawn for a loss would be accepted from a file."""
    drawn = synthesize(3, 40, loss, 4, np.random.default_rng(0))
    assert drawn.features == ("x[0]", "x[1]", "x[2]")
    table = Table(inputs=drawn.inputs, labels=drawn.targets, features=drawn.features)
    assert encode(table, loss, 4).targets.tolist() == drawn.targets.tolist()
