"""Programs of five networks in NumPy, PyTorch and JAX that compute the same in different steps; lines have tags.

A tag is what stands behind `# @` at the end of a line. The same tag is on the lines of all three that do the same.
"""

from collections.abc import Callable, Mapping

import numpy as np

from tests.forward.in_jax import JAX
from tests.forward.in_numpy import NUMPY
from tests.forward.in_torch import TORCH
from xcheck.trace.model import Array

Draw = Callable[[], tuple[dict[str, Array], tuple[Array, ...]]]


def _normal(seed: int, **shapes: tuple[int, ...]) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {name: 0.5 * random.standard_normal(shape) for name, shape in shapes.items()}


def _mlp() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(
        1, w1=(4, 6), b1=(6,), w2=(6, 6), b2=(6,), w3=(6, 6), b3=(6,), w4=(6, 2), b4=(2,), x=(5, 4), y=(5, 2)
    )
    return parts, (parts.pop("x"), parts.pop("y"))


def _cnn() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(2, k1=(3, 2, 3, 3), c1=(3,), k2=(4, 3, 3, 3), c2=(4,), w=(4, 2), b=(2,), x=(2, 2, 9, 9), y=(2, 2))
    return parts, (parts.pop("x"), parts.pop("y"))


def _lstm() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(3, wx=(3, 16), wh=(4, 16), b=(16,), wo=(4, 2), bo=(2,), x=(4, 5, 3), y=(5, 2))
    return parts, (parts.pop("x"), parts.pop("y"))


def _transformer() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(
        4,
        wi=(3, 8),
        g1=(8,),
        n1=(8,),
        wq=(8, 8),
        wk=(8, 8),
        wv=(8, 8),
        wo=(8, 8),
        bo=(8,),
        g2=(8,),
        n2=(8,),
        wu=(8, 12),
        bu=(12,),
        wd=(12, 8),
        bd=(8,),
        x=(2, 5, 3),
        y=(2, 5, 3),
    )
    return parts, (parts.pop("x"), parts.pop("y"))


def _classifier() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(5, e=(7, 5), g=(5,), n=(5,), w=(5, 5), b=(5,))
    labels = np.array([0, 3, 6, 2])
    return parts, (np.array([[0, 1, 2], [3, 4, 5], [6, 0, 1], [2, 2, 4]]), labels)


DRAWS: Mapping[str, Draw] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "lstm": _lstm,
    "transformer": _transformer,
    "classifier": _classifier,
}

PROGRAMS: Mapping[str, Mapping[str, str]] = {"numpy": NUMPY, "torch": TORCH, "jax": JAX}
