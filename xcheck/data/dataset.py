"""Table: what a file holds. Dataset: what a network is given, normalised, some rows of it drawn."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from xcheck.parameters import Vector

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

    def normalized(self) -> "Dataset":
        """Return (x − mean) / standard deviation per feature, over all rows; a constant feature is centred only.

        Source: lecture notes, equations (11)-(13).
        """
        # Squares of 1e200 overflow and those of 1e-200 vanish; scaling by a power of two is exact and cancels.
        _, exponents = np.frexp(np.abs(self.inputs).max(axis=0))
        scaled = np.ldexp(self.inputs, -exponents)
        mean, deviation = scaled.mean(axis=0), scaled.std(axis=0)
        # The mean of equal numbers is rounded, so a constant feature may show a deviation of a few ulps.
        constant = np.ptp(scaled, axis=0) == 0
        inputs = np.where(constant, 0.0, (scaled - mean) / np.where(constant, 1.0, deviation))
        names = tuple(name for name, flat in zip(self.features, constant, strict=True) if flat)
        return replace(self, inputs=inputs, constant=names)

    def draw(self, examples: int, rng: np.random.Generator) -> "Dataset":
        """Return `examples` rows drawn without replacement, in the order of the file."""
        rows = np.sort(rng.choice(len(self.inputs), size=examples, replace=False))
        return replace(self, inputs=self.inputs[rows], targets=self.targets[rows])
