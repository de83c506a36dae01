"""Targets Y that fit the loss: 0/1, one-hot, or numbers; and targets drawn for synthetic inputs."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from xcheck.data.dataset import Dataset, Labels, Table
from xcheck.errors import Complaint, DefinitionError
from xcheck.network import LossName
from xcheck.parameters import Vector


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
            targets = _binary(table.labels)
        case "softmax_cross_entropy":
            targets = _one_hot(table.labels, outputs)
        case "mean_squared_error":
            targets = _numbers(table.labels)
    if targets.shape[1] != outputs:
        text = f"the last layer has {outputs} units, but the target has {targets.shape[1]} columns"
        raise _misfit(text)
    return Dataset(inputs=table.inputs, targets=targets, features=table.features)


def _misfit(text: str) -> DefinitionError:
    return DefinitionError(Complaint(text, key=("network", "layers", -1, "units")))


def _unfit(text: str) -> DefinitionError:
    return DefinitionError(Complaint(text, key=("data", "target")))


def _numbers(labels: Labels) -> Vector:
    if labels.dtype.kind == "U":
        raise _unfit(f"mean_squared_error needs numbers, the target holds words: '{labels[0, 0]}'")
    return labels.astype(np.float64)


def _binary(labels: Labels) -> Vector:
    if labels.dtype.kind == "U":
        classes = np.unique(labels)
        if len(classes) != 2 or labels.shape[1] != 1:
            raise _unfit(f"binary_cross_entropy needs two classes, the target has {len(classes)}: {_listed(classes)}")
        return (labels == classes[1]).astype(np.float64)
    odd = labels[(labels != 0) & (labels != 1)]
    if len(odd):
        raise _unfit(f"binary_cross_entropy needs targets 0 or 1, found {odd[0]:g}")
    return labels.astype(np.float64)


def _one_hot(labels: Labels, outputs: int) -> Vector:
    if labels.shape[1] > 1:
        return _probabilities(labels)
    if labels.dtype.kind == "U":
        classes, column = np.unique(labels[:, 0], return_inverse=True)
        count = len(classes)
    else:
        column = _class_numbers(labels[:, 0].astype(np.float64))
        count = int(column.max()) + 1
    if count > outputs:
        raise _misfit(
            f"the target has {count} classes, the last layer has {outputs} units; "
            f"softmax_cross_entropy needs one unit per class"
        )
    return np.eye(outputs)[column]


def _class_numbers(column: Vector) -> NDArray[np.intp]:
    odd = column[(column < 0) | (column != np.floor(column))]
    if len(odd):
        raise _unfit(f"class numbers are 0, 1, 2, ...; found {odd[0]:g}")
    return column.astype(np.intp)


def _probabilities(labels: Labels) -> Vector:
    if labels.dtype.kind == "U":
        raise _unfit("softmax_cross_entropy takes one column of classes, or numeric columns that sum to one")
    rows = labels.astype(np.float64)
    bad = np.flatnonzero((np.abs(rows.sum(axis=1) - 1) > 1e-9) | (rows < 0).any(axis=1))
    if len(bad):
        raise _unfit(
            f"with several target columns softmax_cross_entropy needs probabilities; row {bad[0] + 1} "
            f"sums to {rows[bad[0]].sum():g}"
        )
    return rows


def _listed(classes: Iterable[str]) -> str:
    words = [f"'{word}'" for word in classes]
    return ", ".join(words[:6]) + (", ..." if len(words) > 6 else "")


def synthesize(inputs: int, examples: int, loss: LossName, outputs: int, rng: np.random.Generator) -> Dataset:
    """Draw gaussian inputs and targets that fit the loss: 0/1, classes, or gaussian."""
    match loss:
        case "binary_cross_entropy":
            targets = rng.integers(0, 2, (examples, outputs)).astype(np.float64)
        case "softmax_cross_entropy":
            targets = np.eye(outputs)[rng.integers(0, outputs, examples)]
        case "mean_squared_error":
            targets = rng.standard_normal((examples, outputs))
    names = tuple(f"x[{column}]" for column in range(inputs))
    return Dataset(inputs=rng.standard_normal((examples, inputs)), targets=targets, features=names)
