"""Parts of a dataset: the fractions asked for, every class its share, all on the scale of what is trained on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcheck.networks.data import Dataset, split_into_parts
from xcheck.networks.data.split import split


def dataset(rows: int, classes: int = 3, seed: int = 0) -> Dataset:
    """Rows that know their number, in classes of different sizes."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, rows, p=np.arange(1, classes + 1) / sum(range(1, classes + 1)))
    inputs = np.column_stack([np.arange(rows), rng.standard_normal(rows)])
    return Dataset(inputs=inputs.astype(float), targets=np.eye(classes)[labels], features=("number", "noise"))


def test_the_parts_are_the_whole() -> None:
    """Every row is in one part, in the order of the file."""
    parts = split(dataset(100), (0.6, 0.2, 0.2), np.random.default_rng(0), classes=True)
    assert [len(part.inputs) for part in parts] == [60, 20, 20]
    numbers = [part.inputs[:, 0] for part in parts]
    assert sorted(np.concatenate(numbers).tolist()) == list(range(100))
    assert all((np.diff(own) > 0).all() for own in numbers)


def test_every_class_has_its_share() -> None:
    """Stratified: within one row of the fraction."""
    whole = dataset(500)
    for part, fraction in zip(
        split(whole, (0.6, 0.2, 0.2), np.random.default_rng(1), classes=True), (0.6, 0.2, 0.2), strict=True
    ):
        assert np.abs(part.targets.sum(0) - fraction * whole.targets.sum(0)).max() <= 1.5


def test_a_rare_class_is_in_the_training_part() -> None:
    """One row of a class cannot be in all parts: it is trained on."""
    rare = Dataset(inputs=np.arange(20.0)[:, None], targets=np.eye(2)[[1] + [0] * 19], features=("x",))
    assert (
        split_into_parts(rare, (0.6, 0.2, 0.2), np.random.default_rng(0), classes=True).training.targets[:, 1].sum()
        == 1
    )


@pytest.mark.parametrize("fractions", [(0.6, 0.2, 0.2), (0.7, 0.15, 0.15), (0.98, 0.01, 0.01), (0.8, 0.2)])
@pytest.mark.parametrize("seed", range(20))
def test_no_part_misses_a_class_that_there_are_rows_of(fractions: tuple[float, ...], seed: int) -> None:
    """One row of each in every part, the training part first where there are fewer."""
    rng = np.random.default_rng(seed)
    sizes = rng.choice([1, 2, 3, 4, 5, 7, 10, 50], 8)
    labels = np.repeat(np.arange(8), sizes)
    whole = Dataset(inputs=labels[:, None].astype(float), targets=np.eye(8)[labels], features=("x",))
    for place, part in enumerate(split(whole, fractions, rng, classes=True)):
        assert (part.targets.sum(axis=0)[sizes > place] >= 1).all()


@given(st.integers(3, 300), st.integers(1, 5), st.integers(0, 10))
def test_any_split_is_a_partition(rows: int, classes: int, seed: int) -> None:
    """No row is lost and none is twice, whatever the classes; a part is larger by a row of each rare one at most."""
    whole = dataset(rows, classes, seed)
    parts = split(whole, (0.7, 0.3), np.random.default_rng(seed), classes=True)
    numbers = np.concatenate([part.inputs[:, 0] for part in parts])
    assert sorted(numbers.tolist()) == list(range(rows))
    rare = int((whole.targets.sum(axis=0) < 4).sum())  # of which 0.3 is no whole row
    assert abs(len(parts[0].inputs) - 0.7 * rows) <= 1 + rare


def test_all_parts_are_on_the_scale_of_the_training_part() -> None:
    """μ and σ come from what is trained on: equations (11) to (13) of the notes, not separately for each part."""
    parts = split_into_parts(dataset(100), (0.6, 0.4), np.random.default_rng(0), classes=True)
    mean, deviation = parts.training.inputs.mean(axis=0), parts.training.inputs.std(axis=0)
    normal = parts.normalized()
    np.testing.assert_allclose(normal.training.inputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(normal.training.inputs.std(axis=0), 1, rtol=1e-12)
    np.testing.assert_allclose(normal.validation.inputs, (parts.validation.inputs - mean) / deviation, rtol=1e-12)


def test_the_same_seed_draws_the_same_parts() -> None:
    """And another seed others."""
    parts = [
        split_into_parts(dataset(50), None, np.random.default_rng(seed), classes=True).training.inputs
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(parts[0], parts[1])
    assert not np.array_equal(parts[0], parts[2])


@pytest.mark.parametrize(("rows", "share"), [(100, 0.6), (10_000, 0.6), (200_000, 0.98)])
def test_the_usual_split_depends_on_the_size(rows: int, share: float) -> None:
    """60/20/20 of a small dataset, 98/1/1 of a large one."""
    large = Dataset(inputs=np.zeros((rows, 1)), targets=np.zeros((rows, 1)), features=("x",))
    parts = split_into_parts(large, None, np.random.default_rng(0), classes=False)
    assert len(parts.training.inputs) == round(share * rows)
    assert parts.test is not None
