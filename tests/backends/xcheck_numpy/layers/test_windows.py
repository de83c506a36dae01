"""Windows, and the way back from them."""

from typing import Any

import numpy as np

from xcheck_numpy.layers.windows import crop, pad, parts, slide


def test_parts_are_what_stands_in_the_windows() -> None:
    """The numbers at one place of all windows, whether taken from the windows or from x."""
    x = np.arange(2.0 * 3 * 7 * 5).reshape(2, 3, 7, 5)
    windows = slide(x, (3, 2), (2, 3))
    for inside, index in parts((3, 2), (2, 3), windows.shape[2:4]):
        there: tuple[Any, ...] = (..., *inside)
        assert np.array_equal(x[index], windows[there])


def test_what_is_padded_can_be_cropped() -> None:
    """Zeros at both ends."""
    x = np.ones((1, 1, 2, 3))
    padded = pad(x, (1, 0))
    assert padded.shape == (1, 1, 4, 3)
    assert padded.sum() == x.sum()
    assert np.array_equal(crop(padded, (1, 0)), x)
