"""Augmentation: copies that are like the originals, and labels that stay."""

import numpy as np
import pytest

from xcheck.errors import DefinitionError
from xcheck.networks.data import Dataset, Parts
from xcheck.networks.data.augment import Augmentation, augment
from xcheck.networks.definition import load


def images(rows: int = 3, height: int = 8, width: int = 6) -> Dataset:
    """Smooth images, each with a label of its own."""
    y, x = np.mgrid[0:height, 0:width]
    inputs = np.stack([np.sin(x / (number + 2)) + np.cos(y / (number + 3)) for number in range(rows)])
    return Dataset(
        inputs=inputs.reshape(rows, -1), targets=np.eye(rows), features=tuple(map(str, range(height * width)))
    )


def copies(plan: Augmentation, seed: int = 0) -> np.ndarray:
    """The copies alone, as images."""
    own = images()
    made = augment(own, (8, 6), plan, np.random.default_rng(seed))
    return made.inputs[len(own.inputs) :].reshape(-1, 8, 6)


def test_copies_follow_the_originals() -> None:
    """The originals come first, unchanged; each copy keeps the label."""
    own = images()
    made = augment(own, (8, 6), Augmentation(copies=2, rotate=5), np.random.default_rng(0))
    np.testing.assert_array_equal(made.inputs[:3], own.inputs)
    np.testing.assert_array_equal(made.targets, np.tile(np.eye(3), (3, 1)))
    assert made.inputs.shape == (9, 48)


def test_nothing_changes_nothing() -> None:
    """Neither flip nor angle nor crop nor distortion."""
    np.testing.assert_allclose(copies(Augmentation()), images().inputs.reshape(-1, 8, 6), atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_flip_is_a_mirror(axis: int) -> None:
    """Each copy is the image or its mirror image, and both come up."""
    seen = set()
    for seed in range(8):
        for copy, image in zip(
            copies(Augmentation(flip=(axis,)), seed), images().inputs.reshape(-1, 8, 6), strict=True
        ):
            same, mirrored = np.allclose(copy, image), np.allclose(copy, np.flip(image, axis))
            assert same or mirrored
            seen.add(bool(same))
    assert seen == {True, False}


@pytest.mark.parametrize("plan", [Augmentation(rotate=10), Augmentation(crop=2), Augmentation(distort=0.5)])
def test_changes_are_small(plan: Augmentation) -> None:
    """Something moves, and the image stays what it is."""
    apart = np.abs(copies(plan) - images().inputs.reshape(-1, 8, 6))
    assert 0.01 < apart.max() < 1.0


def test_a_quarter_turn() -> None:
    """Turned by 90 degrees about the middle, a square image has its rows for columns."""
    image = np.arange(25.0).reshape(1, 25)
    square = Dataset(inputs=image, targets=np.eye(1), features=tuple(map(str, range(25))))

    class Always(np.random.Generator):
        def uniform(self, low: object = 0, high: object = 1, size: object = None) -> np.ndarray:  # type: ignore[override] # only this is asked for
            return np.asarray(high, dtype=float)

    made = augment(square, (5, 5), Augmentation(rotate=90), Always(np.random.PCG64(0)))
    turned = made.inputs[1].reshape(5, 5)
    assert any(np.allclose(turned, np.rot90(image.reshape(5, 5), k)) for k in (1, 3))


def test_channels_move_together() -> None:
    """Height, width, channels."""
    gray = images(1).inputs.reshape(8, 6)
    colored = Dataset(
        inputs=np.stack([gray, 2 * gray], axis=-1).reshape(1, -1),
        targets=np.eye(1),
        features=tuple(map(str, range(96))),
    )
    made = augment(colored, (8, 6, 2), Augmentation(rotate=20, distort=1.0), np.random.default_rng(0))
    copy = made.inputs[1].reshape(8, 6, 2)
    np.testing.assert_allclose(copy[..., 1], 2 * copy[..., 0], rtol=1e-12)


def definition(**augment: object) -> dict[str, object]:
    """Digits, trained on copies, too."""
    return {
        "data": {"file": "xcheck/examples/digits.csv", "target": "digit", "image": [8, 8]},
        "network": {"layers": [{"units": 10}], "loss": "softmax_cross_entropy"},
        "training": {"steps": 1, "learning_rate": 0.1, "augment": augment},
    }


def test_only_the_training_part_is_augmented() -> None:
    """Three parts in four of it are copies; the others are as they were."""
    plain = definition()
    del plain["training"]["augment"]  # type: ignore[attr-defined] # a dict
    without, augmented_ = load_parts(plain), load_parts(definition(copies=3, rotate=5))
    assert len(augmented_.training.inputs) == 4 * len(without.training.inputs)
    assert len(augmented_.validation.inputs) == len(without.validation.inputs)


def load_parts(table: dict[str, object]) -> Parts:
    """The parts of a definition."""
    parts = load(table).parts
    assert parts is not None
    return parts


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": [7, 8]}, "images of 64 numbers need image"),
        ({"image": None}, "no shape is given"),
    ],
)
def test_the_shape_must_fit(change: dict[str, object], said: str) -> None:
    """Told with what is needed."""
    table = definition(rotate=5)
    table["data"].update(change)  # type: ignore[attr-defined] # a dict
    if change["image"] is None:
        del table["data"]["image"]  # type: ignore[attr-defined] # a dict
    with pytest.raises(DefinitionError) as caught:
        load(table)
    assert said in str(caught.value)


def test_a_crop_must_leave_something() -> None:
    """Fewer pixels than there are."""
    with pytest.raises(DefinitionError, match="leaves nothing"):
        load(definition(crop=8))
