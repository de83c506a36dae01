"""Targets Y that fit the loss: 0/1, one-hot, or numbers; and targets drawn for synthetic inputs."""

import numpy as np

from xcheck.errors import Complaint, DefinitionError
from xcheck.layout import Vector
from xcheck.networks.data.dataset import Dataset, Labels, Table
from xcheck.networks.network import LossName
from xcheck.text import listed, quoted

# How far the probabilities of a row may be from summing to one. Where they do not, frameworks compute different losses;
# the difference is of the size of this, and a check sees 1e-7 (the default tolerance).
_SLACK = 1e-9


def encode(table: Table, loss: LossName, outputs: int) -> Dataset:
    """Turn the labels into targets Y that fit the loss and the number of outputs.

    binary_cross_entropy: 0/1 columns, or one column of two words (in alphabetical order 0, 1).
    softmax_cross_entropy: one column of classes (words in alphabetical order, or 0, 1, ...), or one row of
    probabilities per example. mean_squared_error: numbers.

    Raises:
        DefinitionError: the labels do not fit the loss, or the outputs do not fit the labels.
    """
    match loss:
        case "binary_cross_entropy":
            targets = _encode_binary(table.labels)
        case "softmax_cross_entropy":
            targets = _encode_one_hot(table.labels, outputs)
        case "mean_squared_error":
            targets = _encode_numbers(table.labels)
    if targets.shape[1] != outputs:
        columns = targets.shape[1]
        raise _wrong_units(f"the last layer has {_count(outputs, 'unit')}, the target has {_count(columns, 'column')}")
    return Dataset(inputs=table.inputs, targets=targets, features=table.features)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _wrong_units(text: str) -> DefinitionError:
    # How many layers there are is not known here: `build` makes a number of the −1.
    return DefinitionError(Complaint(text, key=("network", "layers", -1, "units")))


def _wrong_target(text: str) -> DefinitionError:
    return DefinitionError(Complaint(text, key=("data", "target")))


def _encode_numbers(labels: Labels) -> Vector:
    if labels.dtype.kind == "U":
        raise _wrong_target(f"mean_squared_error needs numbers, the target holds words: {quoted(str(labels[0, 0]))}")
    return labels.astype(np.float64)


def _encode_binary(labels: Labels) -> Vector:
    if labels.dtype.kind == "U":
        return _encode_two_words(labels)
    odd = labels[(labels != 0) & (labels != 1)]
    if len(odd):
        raise _wrong_target(f"binary_cross_entropy needs targets 0 or 1, found {odd[0]:g}")
    return labels.astype(np.float64)


def _encode_two_words(labels: Labels) -> Vector:
    if labels.shape[1] != 1:
        raise _wrong_target("binary_cross_entropy takes one column of two words, or columns of 0 and 1")
    classes = np.unique(labels)
    if len(classes) != 2:
        hint = "; softmax_cross_entropy takes more" if len(classes) > 2 else ""
        text = f"binary_cross_entropy needs two classes, the target has {len(classes)}: {listed(classes.tolist())}"
        raise _wrong_target(text + hint)
    # `unique` sorts: the second word in alphabetical order is 1.
    return (labels == classes[1]).astype(np.float64)


def _encode_one_hot(labels: Labels, outputs: int) -> Vector:
    if labels.shape[1] > 1:
        return _check_probabilities(labels)
    if labels.dtype.kind == "U":
        # In alphabetical order, so that the numbers of classes do not depend on the order of the rows.
        column = np.unique(labels[:, 0], return_inverse=True)[1].astype(np.float64)
    else:
        column = _check_class_numbers(labels[:, 0].astype(np.float64))
    if column.max() >= outputs:
        # Classes 1 to k for k units: the most likely slip.
        hint = "; count the classes from 0, not from 1" if column.min() >= 1 and column.max() == outputs else ""
        raise _wrong_units(
            f"the target has {column.max() + 1:g} classes, the last layer has {_count(outputs, 'unit')}; "
            f"softmax_cross_entropy needs one unit per class{hint}"
        )
    targets = np.zeros((len(column), outputs))
    targets[np.arange(len(column)), column.astype(np.intp)] = 1.0
    return targets


def _check_class_numbers(column: Vector) -> Vector:
    odd = column[(column < 0) | (column != np.floor(column))]
    if len(odd):
        raise _wrong_target(f"class numbers are 0, 1, 2, ...; found {odd[0]:g}")
    return column


def _check_probabilities(labels: Labels) -> Vector:
    if labels.dtype.kind == "U":
        raise _wrong_target("softmax_cross_entropy takes one column of classes, or numeric columns that sum to one")
    rows = labels.astype(np.float64)
    text = "with several target columns softmax_cross_entropy needs probabilities; row {} "
    # Negative entries could sum to one as well.
    outside = np.argwhere((rows < 0) | (rows > 1))
    if len(outside):
        row, column = outside[0]
        raise _wrong_target(text.format(row + 1) + f"holds {rows[row, column]:g}")
    bad = np.flatnonzero(np.abs(rows.sum(axis=1) - 1) > _SLACK)
    if len(bad):
        raise _wrong_target(
            text.format(bad[0] + 1) + f"sums to {rows[bad[0]].sum():.12g}; divide it by its sum, in float64"
        )
    return rows


def synthesize(inputs: int, examples: int, loss: LossName, outputs: int, rng: np.random.Generator) -> Dataset:
    """Draw gaussian inputs and targets that fit the loss: 0/1, classes, or gaussian."""
    match loss:
        case "binary_cross_entropy":
            targets = rng.integers(0, 2, (examples, outputs)).astype(np.float64)
        case "softmax_cross_entropy":
            # Compared with 0, 1, ... along a second axis, a class becomes a one-hot row.
            targets = (rng.integers(0, outputs, (examples, 1)) == np.arange(outputs)).astype(np.float64)
        case "mean_squared_error":
            targets = rng.standard_normal((examples, outputs))
    names = tuple(f"x[{column}]" for column in range(inputs))
    return Dataset(inputs=rng.standard_normal((examples, inputs)), targets=targets, features=names)
