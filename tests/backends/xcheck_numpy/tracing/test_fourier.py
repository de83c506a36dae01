"""Fourier transforms are followed with every kind of argument."""

from typing import Any

import numpy as np
import pytest
import scipy.fft
from scipy import fft

from tests.backends.xcheck_numpy.following import assert_followed, trace_of
from xcheck.trace import UntraceableError

X = np.random.default_rng(0).normal(size=(4, 5))


def parts(z: Any) -> Any:
    """Both parts of what a transform gives."""
    return np.concatenate([np.ravel(z.real), np.ravel(z.imag)])


@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_along_one_axis(name: str, norm: Any) -> None:
    """Of a length that is shorter, longer, or the array's own."""
    function = getattr(np.fft, name)
    for length in (None, 3, 8):
        assert_followed(lambda x, n=length: parts(function(x, n, axis=0, norm=norm)), X)
    assert_followed(lambda x: parts(function(x, norm=norm)), X)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft"])
def test_along_several_axes(name: str) -> None:
    """Two, some, or all, in an order of their own."""
    two, several = getattr(np.fft, f"{name}2"), getattr(np.fft, f"{name}n")
    assert_followed(lambda x: parts(two(x)), X)
    assert_followed(lambda x: parts(two(x, (3, 6), norm="ortho")), X)
    assert_followed(lambda x: parts(several(x)), X)
    assert_followed(lambda x: parts(several(x, axes=(1, 0), norm="forward")), X)
    assert_followed(lambda x: parts(several(x, (6,), axes=(1,))), X)


def test_frequencies_are_shifted_and_back() -> None:
    """Along one axis, some, or all; of odd and even lengths."""
    assert_followed(lambda x: parts(np.fft.fftshift(x + 1j * x**2)), X)
    assert_followed(lambda x: parts(np.fft.ifftshift(np.fft.fftshift(x + 1j * x**2, axes=1), axes=(0, -1))), X)


def test_results_are_written_where_they_are_wanted() -> None:
    """Into an array that is followed."""

    def transformed(x: Any) -> Any:
        out = np.zeros_like(x, dtype=complex)
        np.fft.fft(x, out=out)
        return parts(out)

    assert_followed(transformed, X)


def test_what_is_not_followed_is_refused() -> None:
    """An axis twice."""
    with pytest.raises(UntraceableError, match="a Fourier transform with these arguments"):
        trace_of(lambda x: np.fft.fftn(x, axes=(0, 0)).real.sum(), X)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_those_of_scipy(name: str) -> None:
    """By the module or by their own name, with arguments that only say how they are computed."""
    function = getattr(scipy.fft, name)
    assert_followed(lambda x: parts(function(x, 6, 0, "ortho", True, workers=1)), X)
    assert_followed(lambda x: parts(scipy.fft.fft2(x, norm="forward", overwrite_x=False)), X)
    assert_followed(lambda x: parts(fft.fftshift(fft.rfftn(x, axes=(0, 1)), axes=0)), X)
