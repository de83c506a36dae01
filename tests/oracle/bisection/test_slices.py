"""Slices: a wrong row or column is told as a whole, whatever its errors are, and nothing else is."""

from collections.abc import Sequence

import numpy as np
import pytest

from xcheck.decoding import Row, Whole
from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.slices import find_slice

LAYOUT = Layout.of({"W": (30, 20), "b": (30,), "k": (4, 5, 6), "s": ()})


class Measurements:
    """An error that is seen with a little noise; counts what is measured."""

    at_once, is_exhausted = 1, False

    def __init__(self, error: Vector, noise: float = 1e-9) -> None:
        self.error, self.noise, self.random = error, noise, np.random.default_rng(0)
        self.named: dict[int, float] = {}
        self.count = 0

    def whole(self, values: Vector) -> Whole:
        """Along random numbers, which are known already."""
        values = np.random.default_rng(1).standard_normal(len(values))
        return Whole(values, float(values @ self.error), self.noise, several=True)

    def along(self, rows: Sequence[Row], needs: Sequence[float]) -> tuple[Vector, Vector]:
        """What a direction shows is off by the noise at most."""
        self.count += len(rows)
        seen = np.array([row.values @ self.error[row.at] for row in rows])
        return seen + self.noise * self.random.uniform(-1, 1, len(rows)), np.full(len(needs), self.noise)

    def confirm(self, places: Sequence[int]) -> None:
        """Components are asked for by nobody here."""
        raise AssertionError(places)

    def finish(self) -> bool:
        """Nor is this."""
        raise AssertionError


def planted(tensor: str, index: tuple[int | slice, ...], seed: int = 0) -> Vector:
    """Errors of all sizes in a part of a tensor."""
    error = np.zeros(LAYOUT.size)
    part = error[LAYOUT[tensor].span].reshape(LAYOUT[tensor].shape)
    part[index] = np.random.default_rng(seed).standard_normal(part[index].shape)
    return error


ALL = slice(None)


@pytest.mark.parametrize(
    ("name", "tensor", "index"),
    [
        ("W[7]", "W", (7,)),
        ("W[:, 13]", "W", (ALL, 13)),
        ("k[2]", "k", (2,)),
        ("k[:, 0, :]", "k", (ALL, 0, ALL)),
        ("k[:, :, 5]", "k", (ALL, ALL, 5)),
    ],
)
def test_slices_are_told(name: str, tensor: str, index: tuple[int | slice, ...]) -> None:
    """Along every axis, in some measurements."""
    error = planted(tensor, index)
    measurements = Measurements(error)
    found = find_slice(measurements, LAYOUT)
    assert found is not None
    assert found.name == name
    assert found.places.tolist() == np.flatnonzero(error).tolist()
    assert measurements.count <= 8


@pytest.mark.parametrize(
    "error",
    [
        planted("W", (7,)) + planted("W", (8,)),
        planted("W", (7,)) + planted("k", (2,)),
        planted("W", (ALL,)),
        planted("b", (ALL,)),
        np.random.default_rng(0).standard_normal(LAYOUT.size),
    ],
    ids=["two rows", "two tensors", "a tensor", "a vector", "everything"],
)
def test_what_is_no_slice_is_not_called_one(error: Vector) -> None:
    """A few measurements, and nothing is told."""
    measurements = Measurements(error)
    assert find_slice(measurements, LAYOUT) is None
    assert measurements.count <= 8


def test_noise_tells_nothing() -> None:
    """A ratio that may be anything is no index."""
    assert find_slice(Measurements(planted("W", (7,)), noise=0.1), LAYOUT) is None
