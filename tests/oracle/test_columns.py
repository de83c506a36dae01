"""Columns: whatever belongs to a component moves with it, in every class that is made of columns."""

from dataclasses import fields
from typing import Any, get_type_hints

import numpy as np
import pytest

from xcheck.oracle import Estimate
from xcheck.oracle.columns import TOTAL, Columns, finite_numbers
from xcheck.oracle.engines.base import Spans
from xcheck.oracle.estimators.central import Measurement
from xcheck.oracle.estimators.polynomials import FittedSlopes
from xcheck.oracle.estimators.rounding import Rounding
from xcheck.oracle.estimators.sides import OneSidedGradient, Sides

CLASSES = [Spans, Measurement, Rounding, Sides, OneSidedGradient, Estimate, FittedSlopes]
# Components in the last axis, whatever else there is.
TWO_AXES = {"conventions"}


def filled(kind: type[Columns], size: int, start: int) -> Any:
    """An instance with other numbers in every field."""
    values: dict[str, Any] = {}
    for number, (name, hint) in enumerate(get_type_hints(kind).items()):
        first = 1000 * (start + number)
        if isinstance(hint, type) and issubclass(hint, Columns):
            values[name] = filled(hint, size, start + 20 * (number + 1))
        elif kind is Spans or "ndarray" in str(hint).lower():
            columns = np.arange(first, first + size, dtype=np.float64)
            values[name] = np.stack([columns, -columns]) if name in TWO_AXES else columns
        else:
            values[name] = first if hint in (int, float) else name
    return kind(**values)


def columns_of(whole: Columns) -> list[Any]:
    """All arrays, those of the parts included."""
    found = []
    for each in fields(whole):
        value = getattr(whole, each.name)
        found += columns_of(value) if isinstance(value, Columns) else [value] * isinstance(value, np.ndarray)
    return found


def totals_of(whole: Columns) -> list[Any]:
    """All numbers that add up, those of the parts included."""
    found = []
    for each in fields(whole):
        value = getattr(whole, each.name)
        found += totals_of(value) if isinstance(value, Columns) else [value] * (each.metadata == TOTAL)
    return found


def test_all_classes_are_looked_at() -> None:
    """A new one has to be named here."""
    # By name: a class with slots is made twice.
    assert {kind.__name__ for kind in CLASSES} == {kind.__name__ for kind in Columns.__subclasses__()}


@pytest.mark.parametrize(("kind", "arrays"), list(zip(CLASSES, [5, 8, 1, 14, 13, 10, 4], strict=True)))
def test_every_array_moves_along(kind: type[Columns], arrays: int) -> None:
    """Taken, put and joined: none stays behind, and none is written to."""
    one, other = filled(kind, 5, 1), filled(kind, 3, 500)
    before = [array.copy() for array in columns_of(one)]
    assert len(before) == arrays
    rows = np.array([4, 0, 2])
    taken, put, joined = one.take(rows), one.put(rows, other), kind.concatenate([one, other])
    for was, new, took, has, both in zip(before, *map(columns_of, (other, taken, put, joined)), strict=True):
        np.testing.assert_array_equal(took, was[..., rows])
        np.testing.assert_array_equal(has[..., rows], new)
        np.testing.assert_array_equal(has[..., [1, 3]], was[..., [1, 3]])
        np.testing.assert_array_equal(both, np.concatenate([was, new], axis=-1))
    for was, now in zip(before, columns_of(one), strict=True):
        np.testing.assert_array_equal(now, was)


def test_counts_of_losses_add_up() -> None:
    """Whatever is counted, or summed like J; names and the like are those of the first."""
    one, other = filled(Estimate, 2, 1), filled(Estimate, 3, 500)
    joined = Estimate.concatenate([one, other])
    assert totals_of(joined) == [a + b for a, b in zip(totals_of(one), totals_of(other), strict=True)]
    assert (joined.evaluations, joined.seconds) == (one.evaluations + other.evaluations, one.seconds + other.seconds)
    assert joined.refereed == one.refereed


def test_one_value_for_all_variants_is_put_into_each() -> None:
    """As after a measurement that has found no kink."""
    one, other = filled(Measurement, 4, 1), filled(Measurement, 1, 500)
    single = Measurement(
        **{each.name: getattr(other, each.name) for each in fields(other)} | {"conventions": np.ones((1, 1))}
    )
    np.testing.assert_array_equal(one.put(np.array([2]), single).conventions[:, 2], [1.0, 1.0])


def test_numbers_that_are_not_finite_are_replaced() -> None:
    """As NumPy does it; what is finite is the array itself."""
    values, rough = np.array([1.0, -2.0]), np.array([np.nan, np.inf, -np.inf, 1.0])
    assert finite_numbers(values) is values
    for infinite in (None, 0.0, np.inf):
        assert np.array_equal(finite_numbers(rough, infinite), np.nan_to_num(rough, posinf=infinite))
