"""Convolutions with strides, padding, dilation and groups, and transposed ones."""

from collections.abc import Callable
from typing import Any

import pytest
import torch.nn.functional as F

from tests.backends.xcheck_torch.traced import assert_traced, randn

Shapes = tuple[tuple[int, ...], ...]
CONVOLUTIONS: dict[str, tuple[Callable[..., Any], Shapes]] = {
    "plain": (lambda x, w, b: F.conv2d(x, w, b, 2, 1, 2, 2), ((1, 4, 6, 7), (4, 2, 3, 2), (4,))),
    "one axis": (lambda x, w: F.conv1d(x, w, padding="same"), ((2, 2, 5), (3, 2, 3))),
    "three axes": (F.conv3d, ((1, 2, 3, 3, 2), (2, 2, 2, 2, 2))),
    "one example": (lambda x, w: F.conv2d(x, w, padding=(2, 0)), ((2, 3, 4), (2, 2, 2, 3))),
    "transposed": (
        lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1, 1, 2, 2),
        ((1, 4, 3, 2), (4, 2, 3, 2), (4,)),
    ),
    "transposed on one axis": (lambda x, w: F.conv_transpose1d(x, w, stride=3), ((2, 3, 3), (3, 2, 2))),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name: str) -> None:
    """As products of kernels with windows; their backward passes, too."""
    function, shapes = CONVOLUTIONS[name]
    params = {f"p{number}": randn(*shape, seed=number) for number, shape in enumerate(shapes)}
    assert_traced(lambda p: function(*p.values()).sin().sum(), params)
