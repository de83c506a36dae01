"""Fourier transforms of every kind against the sums that define them."""

from typing import Any

import numpy as np
import pytest

from tests.trace.parts.complex_programs import balls_of, program
from xcheck.certificates.balls import in_balls, midpoints
from xcheck.trace import Value, replay

Z = np.random.default_rng(3).normal(size=(4, 5, 12)).view(complex)
NORMS = {"none": "backward", "root": "ortho", "n": "forward"}


def in_numpy(kind: str, z: Any, axes: tuple[int, ...], length: int, norm: str) -> Any:
    """What NumPy computes; a transform without a divisor is that forwards, and the other way round for inverses."""
    name = {"none": "forward", "root": "ortho", "n": "backward"}[norm] if kind in ("ifft", "irfft") else NORMS[norm]
    lengths = [length if axis == axes[-1] else z.shape[axis] for axis in axes]
    return getattr(np.fft, f"{kind}n")(z, s=lengths, axes=axes, norm=name)


@pytest.mark.parametrize("norm", ["none", "root", "n"])
@pytest.mark.parametrize("axes", [(2,), (0,), (2, 0, 1)])
@pytest.mark.parametrize("kind", ["fft", "ifft", "rfft", "irfft"])
def test_transforms_are_numpys(kind: str, axes: tuple[int, ...], norm: str) -> None:
    """Values and slopes, along one axis and along several."""
    given = Z.real if kind == "rfft" else Z
    last = given.shape[axes[-1]]
    for length in (2 * last - 2, 2 * last - 1) if kind == "irfft" else (last,):
        expected = in_numpy(kind, given, axes, length, norm)
        outputs = [Value(expected.shape, "float64" if kind == "irfft" else "complex128")]
        inputs = [Value(given.shape, "float64" if kind == "rfft" else "complex128")]
        trace = program("fft", inputs, outputs, kind=kind, axes=axes, length=length, norm=norm)
        found = balls_of(trace, [given], [[given[::-1]]])
        slopes = in_numpy(kind, given[::-1], axes, length, norm)
        for number, part in enumerate([np.real, np.imag][: len(found)]):
            np.testing.assert_allclose(midpoints(found[number].values), part(expected), atol=1e-13)
            np.testing.assert_allclose(midpoints((found[number].slopes or ())[0]), part(slopes), atol=1e-13)
        carried = replay(trace, [given] if kind == "rfft" else [given.real, given.imag])
        np.testing.assert_allclose(carried[0], np.real(expected), atol=1e-13)


@pytest.mark.parametrize("length", [4, 5])
def test_what_is_real_is_exactly_real(length: int) -> None:
    """Of real numbers X_0, and the middle of an even number, have no imaginary part: no angle is lost there."""
    x = np.arange(1.0, length + 1)
    trace = program(
        "fft",
        [Value((length,), "float64")],
        [Value((length // 2 + 1,), "complex128")],
        kind="rfft",
        axes=(0,),
        length=length,
        norm="none",
    )
    _, im = balls_of(trace, [x], [[x]])
    zero = [bool(one == 0) for one in in_balls(im.values)]
    assert zero == [number in (0, length / 2) for number in range(length // 2 + 1)]


def test_a_transform_of_nothing() -> None:
    """No rows, no numbers."""
    trace = program(
        "fft",
        [Value((0, 3), "complex128")],
        [Value((0, 3), "complex128")],
        kind="fft",
        axes=(1,),
        length=3,
        norm="n",
    )
    assert [one.shape for one in replay(trace, [np.zeros((0, 3))] * 2)] == [(0, 3)] * 2
