"""Table: inputs and labels as a file holds them. Dataset: inputs and targets as numbers, ready for a network."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector

Labels: TypeAlias = NDArray[np.float64] | NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Inputs and targets as they stand in the file.

    Attributes:
        inputs: shape (rows, features).
        labels: targets, numbers or words, shape (rows, columns).
        features: names of the features.
    """

    inputs: Vector
    labels: Labels
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Inputs and numeric targets, ready for a network.

    Attributes:
        inputs: X, shape (rows, n₀).
        targets: Y, shape (rows, n_L).
        features: names of the features.
        constant: names of the features that have one value only, once `normalized`.
    """

    inputs: Vector
    targets: Vector
    features: tuple[str, ...]
    constant: tuple[str, ...] = ()

    def normalized(self, like: "Dataset | None" = None) -> "Dataset":
        """Return (x − μ)/σ for each feature, with the mean μ and the standard deviation σ of all rows of `like`.

        By default these are the dataset's own. A feature that is constant in `like` is only centred. The training part
        gives μ and σ to all parts: "the training and validation sets must be brought to the same scale".

        Source: lecture notes, equations (11)-(13).
        """
        source = self if like is None else like
        # Squares of 1e200 overflow and those of 1e-200 vanish; scaling by a power of two is exact and cancels.
        _, exponents = np.frexp(np.abs(source.inputs).max(axis=0))
        scaled, own = (np.ldexp(inputs, -exponents) for inputs in (source.inputs, self.inputs))
        mean, deviation = scaled.mean(axis=0), scaled.std(axis=0)
        # The mean of equal numbers is rounded, so a constant feature may show a deviation of a few ulps.
        constant = np.ptp(scaled, axis=0) == 0
        centred = np.where(constant & (own == scaled[0]), 0.0, own - mean)
        back = np.ldexp(np.where(constant, centred, 0.0), exponents)
        inputs = np.where(constant, back, centred / np.where(constant, 1.0, deviation))
        # Named for a warning: their weights get no gradient, and a check of them shows nothing.
        names = tuple(name for name, flat in zip(self.features, constant, strict=True) if flat)
        return replace(self, inputs=inputs, constant=names)

    def rows(self, places: NDArray[np.intp]) -> "Dataset":
        """Return some of the rows."""
        return replace(self, inputs=self.inputs[places], targets=self.targets[places])

    def draw(self, examples: int, rng: np.random.Generator) -> "Dataset":
        """Return `examples` rows drawn without replacement, in the order of the file."""
        # Sorted, so that with all rows drawn the data are those of the file.
        return self.rows(np.sort(rng.choice(len(self.inputs), size=examples, replace=False)))
