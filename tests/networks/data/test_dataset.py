"""Normalising inputs and drawing examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcheck.networks.data import Dataset


def dataset(*columns: list[float]) -> Dataset:
    """Return a dataset of these features, with the row number as target."""
    inputs = np.array(columns, dtype=np.float64).T
    names = tuple(f"f{place}" for place in range(len(columns)))
    return Dataset(inputs=inputs, targets=np.arange(len(inputs), dtype=np.float64)[:, None], features=names)


def test_normalized_by_hand() -> None:
    """With mean 5 and deviation 2 (over m, not m − 1), each value x becomes (x − 5) / 2."""
    values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
    assert dataset(values).normalized().inputs[:, 0].tolist() == [-1.5, -0.5, -0.5, -0.5, 0.0, 0.0, 1.0, 2.0]


def test_each_feature_is_normalized_on_its_own() -> None:
    """A feature's scale does not matter to the others."""
    normal = dataset([1, 2, 3], [100, 300, 500]).normalized().inputs
    assert normal[:, 0] == pytest.approx(normal[:, 1])


def test_a_constant_feature_is_only_centred() -> None:
    """A constant feature becomes exactly 0, although the mean of 0.1 is not exactly 0.1; its name is kept."""
    normal = dataset([0.1] * 10, list(range(10)), [0.0] * 10).normalized()
    assert normal.constant == ("f0", "f2")
    assert not normal.inputs[:, [0, 2]].any()


def test_nothing_is_constant_before_it_is_normalized() -> None:
    """Constant features are a matter of normalising."""
    assert dataset([1, 1, 1]).constant == ()


def test_one_row_is_constant() -> None:
    """A single row has no deviation: everything is constant."""
    assert dataset([3.0], [4.0]).normalized().constant == ("f0", "f1")


EXTREMES = {
    "squares overflow": [1e200, -1e200, 0.0],
    "differences overflow": [1.7e308, -1.7e308, 0.0],
    "squares vanish": [1e-200, -1e-200, 0.0],
    "subnormal": [5e-324, -5e-324, 0.0],
}


@pytest.mark.parametrize("values", EXTREMES.values(), ids=EXTREMES.keys())
def test_scale_does_not_matter(values: list[float]) -> None:
    """Neither huge nor tiny values become nan, inf or a false 0."""
    assert dataset(values).normalized().inputs[:, 0] == pytest.approx([np.sqrt(1.5), -np.sqrt(1.5), 0.0])


def test_one_last_bit_is_a_deviation() -> None:
    """A feature that differs in one last bit is not constant."""
    normal = dataset([1.0, np.nextafter(1.0, 2.0)]).normalized()
    assert normal.constant == ()
    assert np.isfinite(normal.inputs).all()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_normalized_is_finite(values: list[float]) -> None:
    """Whatever finite numbers a file holds, a normalised value of m rows is at most √m."""
    normal = dataset(values).normalized().inputs
    assert (np.abs(normal) <= np.sqrt(len(values)) * (1 + 1e-6)).all()


def test_normalizing_leaves_the_original() -> None:
    """The dataset that was read is not changed."""
    original = dataset([1, 2, 3])
    original.normalized()
    assert original.inputs[:, 0].tolist() == [1, 2, 3]


def test_draw() -> None:
    """Rows are drawn once each, with their targets, in the order of the file."""
    drawn = dataset(list(range(100, 200))).draw(30, np.random.default_rng(0))
    rows = drawn.targets[:, 0]
    assert len(rows) == 30
    assert (np.diff(rows) > 0).all()
    assert (drawn.inputs[:, 0] == rows + 100).all()


def test_draw_everything() -> None:
    """All rows are the file as it is."""
    whole = dataset([3, 1, 2])
    assert whole.draw(3, np.random.default_rng(0)).inputs.tolist() == whole.inputs.tolist()
