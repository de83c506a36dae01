"""Naming: k wrong components among n from few exact directions, and never a right one."""

from collections.abc import Callable

import numpy as np
import pytest

from xcheck.certificates.naming import name_wrong
from xcheck.layout import Vector

# What rounding does to g·v in these tests, for a gradient whose norm is about √n.
ROUNDING = 1e-15


class Exact:
    """Errors of a gradient beside exact slopes, with the rounding of the gradient's components; counts directions."""

    def __init__(self, slopes: Vector, seed: int) -> None:
        self.slopes = slopes
        self.rounding = ROUNDING * np.random.default_rng(seed).normal(size=slopes.size) / 8
        self.directions = 0

    def __call__(self, gradient: Vector, directions: Vector) -> tuple[Vector, Vector]:
        """The error, and what is allowed."""
        self.directions += len(directions)
        error = gradient - self.slopes
        # What the gradient says is rounded once; what was put in its place is not.
        return directions @ (error + self.rounding), ROUNDING * np.linalg.norm(directions, axis=1)


def planted(
    size: int, wrong: int, seed: int, error: Callable[[np.random.Generator, int], Vector]
) -> tuple[Vector, Exact, list[int]]:
    """A gradient with wrong components, what finds them, and which they are."""
    random = np.random.default_rng(seed)
    slopes = random.normal(size=size)
    places = np.sort(random.choice(size, wrong, replace=False))
    gradient = slopes.copy()
    gradient[places] += error(random, wrong)
    return gradient, Exact(slopes, seed), places.tolist()


def signed(scale: float) -> Callable[[np.random.Generator, int], Vector]:
    """Errors of about one size."""
    return lambda random, count: scale * random.choice([-1.0, 1.0], count) * random.uniform(0.5, 2, count)


@pytest.mark.parametrize(
    ("size", "wrong", "scale", "most"),
    [
        (101_770, 1, 1e-3, 6),
        (101_770, 1, 1e-9, 8),
        (101_770, 3, 1e-3, 60),
        (1_000, 1, 3e-13, 20),
        (50_000, 10, 1e-6, 300),
    ],
)
def test_all_are_named_with_few_directions(size: int, wrong: int, scale: float, most: int) -> None:
    """Large errors by a ratio or two, small ones digit by digit."""
    gradient, errors, places = planted(size, wrong, 3, signed(scale))
    named, whole = name_wrong(gradient, errors)
    assert [one.flat for one in named] == places
    assert whole
    assert errors.directions <= most
    for one in named:
        assert one.slope == pytest.approx(errors.slopes[one.flat], abs=1e-14)


@pytest.mark.parametrize("block", range(10))
def test_nothing_is_falsely_named(block: int) -> None:
    """In a thousand draws of sizes, numbers and errors, some of which hide in the rounding."""
    for seed in range(100 * block, 100 * (block + 1)):
        random = np.random.default_rng(seed)
        size, wrong = int(random.integers(1, 400)), int(random.integers(0, 6))
        scale = 10.0 ** random.uniform(-15, 0)
        gradient, errors, places = planted(size, min(size, wrong), seed, signed(scale))
        named, whole = name_wrong(gradient, errors)
        assert {one.flat for one in named} <= set(places)
        # What is clearly above the rounding of all components is named if it is said that nothing is left.
        if whole and scale > 1e2 * ROUNDING * np.sqrt(size):
            assert [one.flat for one in named] == places


def test_dense_errors_are_given_up_soon() -> None:
    """Nobody waits for a thousand names."""
    gradient, errors, _ = planted(10_000, 10_000, 1, signed(1e-3))
    named, whole = name_wrong(gradient, errors)
    assert not whole
    assert len(named) < 30
    assert errors.directions < 200


def test_a_right_gradient_has_nothing_to_name() -> None:
    """One direction shows it."""
    gradient, errors, _ = planted(1_000, 0, 1, signed(1.0))
    assert name_wrong(gradient, errors) == ([], True)
    assert errors.directions == 1
