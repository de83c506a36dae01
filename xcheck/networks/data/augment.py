"""Augment: the training part gets changed copies of its own images.

Each copy of an image is flipped with probability ½ along the axes asked for, turned by a random angle, cropped to a
random window that is stretched to the whole again, and distorted by a smooth random displacement. Beyond its border an
image is continued by its outermost pixels. The person chooses changes that leave the label true: a flipped 6 is no 6.

Source: lecture notes, "Data augmentation"; the displacements are those of Simard, Steinkraus & Platt, "Best practices
for convolutional neural networks applied to visual document analysis", 2003.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xcheck.layout import Vector
from xcheck.networks.data.dataset import Dataset

# Standard deviation of the Gaussian that smooths the displacements, as a part of the height. Simard et al. take 4
# pixels of 28, which is 0.14.
_SMOOTH = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """The random changes that make a copy of an image.

    Attributes:
        copies: of every image.
        flip: axes that may be flipped: 0 upside down, 1 left to right.
        rotate: largest angle, degrees.
        crop: how many pixels of height and width are cut off at most.
        distort: size of the displacements, pixels.
    """

    copies: int = 1
    flip: tuple[int, ...] = ()
    rotate: float = 0.0
    crop: int = 0
    distort: float = 0.0


def augment(dataset: Dataset, shape: Sequence[int], plan: Augmentation, rng: np.random.Generator) -> Dataset:
    """Return the rows of a dataset, followed by their copies.

    Args:
        dataset: one image per row, in C-order.
        shape: height and width, and channels if there are any.
        plan: what is done.
        rng: draws everything.
    """
    images = dataset.inputs.reshape(-1, *shape)
    made = [np.stack([_change(image, plan, rng) for image in images]) for _ in range(plan.copies)]
    inputs = np.concatenate([images, *made]).reshape(-1, dataset.inputs.shape[1])
    return replace(dataset, inputs=inputs, targets=np.tile(dataset.targets, (plan.copies + 1, 1)))


def _change(image: Vector, plan: Augmentation, rng: np.random.Generator) -> Vector:
    """Return a changed copy of an image.

    For each pixel of the copy the place in the image is worked out that it comes from. All changes are changes of these
    places, so that the image is interpolated, and blurred by that, only once.
    """
    from scipy.ndimage import map_coordinates

    height, width = image.shape[:2]
    # Turns and flips leave the centre where it is.
    center = np.array([(height - 1) / 2, (width - 1) / 2])[:, None, None]
    places = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij")).astype(float) - center
    places = _crop(places, plan.crop, (height, width), rng)
    places = _turn(places, np.deg2rad(rng.uniform(-plan.rotate, plan.rotate)))
    for axis in plan.flip:
        places[axis] *= rng.choice([-1.0, 1.0])
    places = places + center + _draw_displacements((height, width), plan.distort, rng)
    layers = image.reshape(height, width, -1)
    read = [map_coordinates(layer, places, order=1, mode="nearest") for layer in np.moveaxis(layers, -1, 0)]
    return np.asarray(np.stack(read, axis=-1).reshape(image.shape))


def _crop(places: Vector, most: int, shape: tuple[int, int], rng: np.random.Generator) -> Vector:
    """Return places that lie in a random window, in place of those that fill the image."""
    # Of `cut` pixels a random share is taken from either side.
    cut = rng.integers(0, most + 1, 2) if most else np.zeros(2)
    sizes = np.array(shape) - 1
    scale = (sizes - cut) / np.maximum(sizes, 1)
    shift = rng.uniform(-cut / 2, cut / 2)
    return np.asarray(places * scale[:, None, None] + shift[:, None, None])


def _turn(places: Vector, angle: float) -> Vector:
    """Return places turned about the origin, `angle` in radians."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.tensordot(turn, places, axes=1)


def _draw_displacements(shape: tuple[int, int], size: float, rng: np.random.Generator) -> Vector:
    """Return a smooth random displacement of every pixel, root mean square `size`."""
    from scipy.ndimage import gaussian_filter

    if not size:
        return np.zeros((2, *shape))
    rough = rng.standard_normal((2, *shape))
    smooth = np.stack([gaussian_filter(part, _SMOOTH * shape[0], mode="nearest") for part in rough])
    rms = np.sqrt(np.mean(smooth**2))
    return np.asarray(size * smooth / rms if rms else smooth)
