"""Decoding: few measurements with errors of their own name wrong components, and never a right one."""

from collections.abc import Sequence

import numpy as np
import pytest

from xcheck.decoding import Row, Whole, decode
from xcheck.layout import Vector


class Measurements:
    """An error that is seen with a noise of at most a promised size; counts what is measured."""

    is_exhausted = False

    def __init__(self, error: Vector, noise: float, seed: int, at_once: int = 16) -> None:
        self.left, self.noise, self.random = error.copy(), noise, np.random.default_rng(seed)
        self.at_once = at_once
        self.named: dict[int, float] = {}
        self.count = 0

    def whole(self, values: Vector) -> Whole:
        """Along the numbers that are given."""
        seen, allowed = self.along([Row(np.arange(len(values)), values)], [np.inf])
        return Whole(values, float(seen[0]), float(allowed[0]), several=False)

    def finish(self) -> bool:
        """Something else has shown that nothing is left."""
        return not self.left.any()

    def along(self, rows: Sequence[Row], needs: Sequence[float]) -> tuple[Vector, Vector]:
        """What a direction shows is off by the noise at most."""
        assert len(needs) == len(rows)
        assert all(np.linalg.norm(row.values) > 0 for row in rows)
        self.count += len(rows)
        seen = np.array([row.values @ self.left[row.at] for row in rows])
        return seen + self.noise * self.random.uniform(-1, 1, len(rows)), np.full(len(rows), self.noise)

    def confirm(self, places: Sequence[int]) -> None:
        """What is above the noise is wrong."""
        self.count += len(places)
        found = {place: float(self.left[place]) for place in places if abs(self.left[place]) > self.noise}
        self.left[list(found)] = 0.0
        self.named |= found


def planted(size: int, wrong: int, seed: int) -> Vector:
    """Errors of sizes from 1 to 10."""
    random, error = np.random.default_rng(seed), np.zeros(size)
    error[random.choice(size, wrong, replace=False)] = random.choice([-1, 1], wrong) * 10 ** random.uniform(0, 1, wrong)
    return error


@pytest.mark.parametrize(
    ("size", "wrong", "noise", "most"),
    [(101_770, 1, 1e-7, 3), (101_770, 1, 1e-4, 5), (101_770, 3, 1e-7, 20), (10**6, 10, 1e-8, 90)],
)
@pytest.mark.parametrize("at_once", [1, 16])
def test_all_are_named(size: int, wrong: int, noise: float, most: int, at_once: int) -> None:
    """One by a ratio, or by two where the noise leaves a part of the index; ten among a million."""
    for seed in range(5):
        error = planted(size, wrong, seed)
        measurements = Measurements(error, noise, seed, at_once)
        assert decode(size, measurements)
        assert sorted(measurements.named) == np.flatnonzero(error).tolist()
        assert measurements.count <= most


@pytest.mark.parametrize("block", range(10))
def test_nothing_is_falsely_named(block: int) -> None:
    """In a thousand draws of sizes, numbers and noise, up to errors that are hardly seen."""
    for seed in range(100 * block, 100 * (block + 1)):
        random = np.random.default_rng(seed)
        size, wrong = int(random.integers(1, 400)), int(random.integers(0, 6))
        error = planted(size, min(size, wrong), seed)
        measurements = Measurements(error, 10.0 ** random.uniform(-8, 1), seed, int(4 ** random.integers(0, 3)))
        decode(size, measurements)
        assert set(measurements.named) <= set(np.flatnonzero(error).tolist())


def test_equal_errors_do_not_hide() -> None:
    """Two components that were exchanged are off by the same amount, with opposite signs."""
    for seed in range(20):
        error = np.zeros(1000)
        error[np.random.default_rng(seed).choice(1000, 2, replace=False)] = [1.0, -1.0]
        measurements = Measurements(error, 1e-9, seed)
        assert decode(1000, measurements)
        assert len(measurements.named) == 2


@pytest.mark.parametrize("size", [1, 2, 3, 17])
def test_few_components_all_wrong(size: int) -> None:
    """Where each has a bucket of its own, none is one of many; from 16 on they are."""
    measurements = Measurements(np.ones(size), 1e-9, 0)
    assert decode(size, measurements) == (size < 16)
    assert len(measurements.named) == (size if size < 16 else 0)


def test_dense_errors_are_given_up_soon() -> None:
    """Sixteen buckets show that they are all wrong; no component is."""
    measurements = Measurements(planted(10_000, 5_000, 0), 1e-9, 0)
    assert not decode(10_000, measurements)
    assert not measurements.named
    assert measurements.count < 20


def test_what_is_exhausted_is_asked_no_more() -> None:
    """Neither another ratio nor another bucket."""
    measurements = Measurements(planted(10_000, 30, 0), 1e-9, 0)
    measurements.is_exhausted = True
    assert not decode(10_000, measurements)
    assert measurements.count <= 3
