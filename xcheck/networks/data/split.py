"""Split: training, validation and test part of one dataset, all of them from one distribution.

Rows are drawn at random. Where targets are classes, every part gets its share of each class (a stratified split); of a
class with fewer rows than parts the training part gets the first. "Make sure that all data splits are coming from the
same distribution."

Source: lecture notes, "Train/ val/ test" and "Mismatched train/test distribution".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector
from xcheck.networks.data.dataset import Dataset

# "70/15/15 or 60/20/20 splits if you have a small amount of data 100-10000"; with millions "(1-2) % splits".
SMALL, LARGE = (0.6, 0.2, 0.2), (0.98, 0.01, 0.01)
# From so many rows on, the large split: the notes name 10,000 and millions, and this lies between.
_MANY = 100_000
# With more distinct targets than this they are taken for no classes, such as vectors of probabilities. A guess, chosen
# so that the largest common set of classes, the 1000 of ImageNet, is still stratified.
_MOST_CLASSES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A dataset in parts.

    Attributes:
        training: what θ is fitted to; it gives μ and σ to all parts.
        validation: what models are compared on.
        test: what the last of them is judged by; there need not be one.
        originals: the first so many rows of the training part are in the file, the others are copies made by
            augmentation; None if there are none.
    """

    training: Dataset
    validation: Dataset
    test: Dataset | None = None
    originals: int | None = None

    @property
    def fitted(self) -> Dataset:
        """The rows of the training part that are in the file."""
        return self.training.rows(np.arange(len(self.training.inputs))[: self.originals])

    def normalized(self) -> "Parts":
        """Return all parts on the scale of the training part."""
        like = self.training
        test = None if self.test is None else self.test.normalized(like)
        return replace(self, training=like.normalized(), validation=self.validation.normalized(like), test=test)


def split_into_parts(
    dataset: Dataset, fractions: Sequence[float] | None, rng: np.random.Generator, *, classes: bool
) -> Parts:
    """Split a dataset; two fractions leave no test part, None takes those of `usual_split`."""
    training, validation, *test = split(dataset, fractions or usual_split(len(dataset.inputs)), rng, classes=classes)
    return Parts(training=training, validation=validation, test=test[0] if test else None)


def usual_split(rows: int) -> tuple[float, float, float]:
    """Return the fractions that the lecture notes recommend for so many rows.

    >>> usual_split(500), usual_split(10**6)
    ((0.6, 0.2, 0.2), (0.98, 0.01, 0.01))
    """
    return SMALL if rows < _MANY else LARGE


def split(dataset: Dataset, fractions: Sequence[float], rng: np.random.Generator, *, classes: bool) -> list[Dataset]:
    """Return the parts, rows in the order of the file.

    Args:
        dataset: all rows.
        fractions: of each part; they sum to one.
        rng: draws the rows.
        classes: whether targets are classes, of which every part is to get its share.
    """
    groups = _group_by_class(dataset.targets) if classes else [np.arange(len(dataset.targets))]
    parts: list[list[NDArray[np.intp]]] = [[] for _ in fractions]
    owed = np.zeros(len(fractions))
    for rows in groups:
        shuffled = rng.permutation(rows)
        owed += len(rows) * np.asarray(fractions)
        counts = _share_out(len(rows), np.asarray(fractions), owed)
        owed -= counts
        for part, drawn in zip(parts, np.split(shuffled, np.cumsum(counts)[:-1]), strict=True):
            part.append(drawn)
    return [dataset.rows(np.sort(np.concatenate(part))) for part in parts]


def _share_out(rows: int, fractions: Vector, owed: Vector) -> NDArray[np.intp]:
    """Return how many rows of a class each part gets: its share, rounded down or up, and if possible at least one.

    Args:
        rows: number of rows of the class.
        fractions: fraction of each part.
        owed: how many rows each part should have got of this class and those before, less what it has got before; the
            part that is owed most is rounded up, so that roundings of many small classes do not add up.
    """
    counts = np.floor(rows * fractions).astype(np.intp)
    for place in np.argsort(counts - owed, kind="stable")[: rows - int(counts.sum())]:
        counts[place] += 1
    # The first part is trained on: a class that is not in it is never learnt.
    needed = (np.arange(len(counts)) < rows).astype(np.intp)
    while (counts < needed).any():
        counts[np.argmax(counts - needed)] -= 1
        counts[np.argmax(counts < needed)] += 1
    return counts


def _group_by_class(targets: Vector) -> list[NDArray[np.intp]]:
    """Return the rows of each class; all rows as one group where there are more classes than `_MOST_CLASSES`."""
    _, labels = np.unique(targets, axis=0, return_inverse=True)
    labels = labels.reshape(-1)
    if labels.max(initial=0) >= _MOST_CLASSES:
        return [np.arange(len(targets))]
    return [np.flatnonzero(labels == label) for label in range(labels.max(initial=-1) + 1)]
