"""Windows of an array."""

import torch
import torch.nn.functional as F

from tests.backends.xcheck_torch.traced import assert_traced, randn
from xcheck_torch.lowering.windows import Windows


def test_windows_of_a_line() -> None:
    """Two wide, every second, of five numbers with one more on each side."""
    how = Windows((2,), (2,), (1,), (1,), (1,), (1,))
    assert how.cut(torch.arange(1.0, 6), -1.0).tolist() == [[-1, 1], [2, 3], [4, 5]]
    assert how.counts([5]) == (3,)


def test_numbers_of_elements_are_filled_in_with_0() -> None:
    """Whatever stands outside; and between, where the array is spread."""
    how = Windows((2,), (1,), (1,), (0,), (1,), (2,))
    assert how.cut(torch.arange(1, 3), 7.0).tolist() == [[0, 1], [1, 0], [0, 2]]
    assert how.counts([2]) == (3,)


def test_fewer_than_no_elements_are_cut_off() -> None:
    """As for a transposed convolution with more padding than kernel."""
    how = Windows((1,), (1,), (-1,), (-1,), (1,), (1,))
    assert how.cut(torch.arange(5.0), 0.0).tolist() == [[1], [2], [3]]


def test_windows_as_columns() -> None:
    """unfold and fold."""
    assert_traced(
        lambda x: F.fold(F.unfold(x[None, None], 2, padding=1).sin(), (3, 4), 2, padding=1).exp().sum(), randn(3, 4)
    )
