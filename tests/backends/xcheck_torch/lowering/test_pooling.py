"""Pooling, with windows that reach over the edges."""

from collections.abc import Callable
from typing import Any

import pytest
import torch.nn.functional as F

from tests.backends.xcheck_torch.traced import assert_traced, randn

POOLING: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "largest": (lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True), (1, 2, 5, 4)),
    "dilated": (lambda x: F.max_pool2d(x, 2, 1, 0, 2), (1, 1, 4, 4)),
    "largest on one axis": (lambda x: F.max_pool1d(x, 3, 2, 1), (1, 2, 6)),
    "largest on three axes": (lambda x: F.max_pool3d(x, 2), (1, 1, 2, 2, 4)),
    "mean": (lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), (1, 2, 5, 4)),
    "mean without padding": (lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), (1, 1, 5, 4)),
    "divided": (lambda x: F.avg_pool2d(x, 2, divisor_override=3), (1, 1, 4, 4)),
    "mean on one axis": (lambda x: F.avg_pool1d(x, 2), (1, 2, 6)),
    "mean on three axes": (lambda x: F.avg_pool3d(x, 2), (1, 1, 2, 2, 4)),
    "powers": (lambda x: F.lp_pool2d(x, 2, 2), (1, 1, 4, 4)),
    "adaptive, largest": (lambda x: F.adaptive_max_pool2d(x, (2, 3)), (1, 2, 5, 4)),
    "adaptive, largest, three axes": (lambda x: F.adaptive_max_pool3d(x, 2), (1, 1, 3, 2, 5)),
    "adaptive": (lambda x: F.adaptive_avg_pool2d(x, (2, 3)) + F.adaptive_avg_pool2d(x, 1), (1, 1, 5, 5)),
}


@pytest.mark.parametrize("name", POOLING)
def test_pooling(name: str) -> None:
    """As reductions of windows; their backward passes, too."""
    function, shape = POOLING[name]
    assert_traced(lambda x: function(x).sin().sum(), randn(*shape))
