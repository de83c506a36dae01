"""`np.fft`, `scipy.fft`: transforms along axes, of arrays cut off or filled with zeros to the lengths asked for."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.fft

from xcheck_numpy.tracing.moves import recorder_of
from xcheck_numpy.tracing.recorded import cast, emit
from xcheck_numpy.tracing.reductions import write_out
from xcheck_numpy.tracing.tracer import FUNCTIONS, lift

# What a transform forwards divides by, and an inverse one.
_NORMS = {None: ("none", "n"), "backward": ("none", "n"), "ortho": ("root", "root"), "forward": ("n", "none")}


def _resized(x: Any, axis: int, length: int) -> Any:
    """Return x with an axis of this length."""
    missing = length - x.shape[axis]
    if missing > 0:
        return np.pad(x, [(0, missing if number == axis else 0) for number in range(x.ndim)])
    return x[(slice(None),) * axis + (slice(length),)] if missing else x


def _transform(kind: str, x: Any, lengths: Sequence[int | None] | None, axes: Sequence[int], norm: Any) -> Any:
    """Return a transform over axes; of those that are half the last one is."""
    x = lift(recorder_of(x), x)
    axes = [axis % x.ndim for axis in axes]
    if norm not in _NORMS or len(set(axes)) != len(axes):
        raise x.recorder.refuse("a Fourier transform with these arguments")
    asked = [None] * len(axes) if lengths is None else list(lengths)
    counts = [x.shape[axis] if one in (None, -1) else int(one) for axis, one in zip(axes, asked, strict=True)]
    last = counts[-1]
    if kind == "irfft":
        last = 2 * (x.shape[axes[-1]] - 1) if asked[-1] is None else last
        counts[-1] = last // 2 + 1
    x = cast(x, np.result_type(x.dtype, np.float64 if kind == "rfft" else np.complex128))
    for axis, count in zip(axes, counts, strict=True):
        x = _resized(x, axis, count)
    inverse = kind in ("ifft", "irfft")
    function = getattr(np.fft, f"{kind}n")

    def run(array: Any) -> Any:
        # NumPy has other words for who divides by what, and these mean the same for every transform.
        return (function(array, s=[*counts[:-1], last], axes=axes, norm=norm),)

    divisor = _NORMS[norm][inverse]
    return emit("fft", [x], run, kind=kind, axes=tuple(axes), length=last, norm=divisor)[0]


def _along_one(kind: str) -> Callable[..., Any]:
    def apply(a: Any, n: int | None = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
        return write_out(_transform(kind, a, [n], [axis], norm), out)

    return apply


def _along_two(kind: str) -> Callable[..., Any]:
    def apply(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
        return write_out(_transform(kind, a, s, axes, norm), out)

    return apply


def _along_several(kind: str) -> Callable[..., Any]:
    def apply(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
        if axes is None:
            axes = range(-len(s), 0) if s is not None else range(np.ndim(a))
        return write_out(_transform(kind, a, s, list(axes), norm), out)

    return apply


# What NumPy computes by the other transform, with the norm the other way round.
_TURNED = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _hermitian(a: Any, n: int | None = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    """Return `hfft`: the inverse transform to real numbers, of the conjugate."""
    return _along_one("irfft")(np.conj(a), n, axis, _TURNED.get(norm, norm), out)


def _inverse_hermitian(a: Any, n: int | None = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    return write_out(np.conj(_along_one("rfft")(a, n, axis, _TURNED.get(norm, norm))), out)


def _shift(direction: int) -> Callable[..., Any]:
    """Return what puts frequency 0 into the middle, or back."""

    def apply(x: Any, axes: Any = None) -> Any:
        x = lift(recorder_of(x), x)
        axes = range(x.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
        return np.roll(x, [direction * (x.shape[axis] // 2) for axis in axes], list(axes))

    return apply


for _kind in ("fft", "ifft", "rfft", "irfft"):
    FUNCTIONS[f"fft.{_kind}"] = _along_one(_kind)
    FUNCTIONS[f"fft.{_kind}2"] = _along_two(_kind)
    FUNCTIONS[f"fft.{_kind}n"] = _along_several(_kind)
FUNCTIONS.update(
    {"fft.hfft": _hermitian, "fft.ihfft": _inverse_hermitian, "fft.fftshift": _shift(1), "fft.ifftshift": _shift(-1)}
)

_SETTINGS = frozenset({"n", "s", "axis", "axes", "norm"})


def _as_in_numpy(name: str) -> Callable[..., Any]:
    """Return SciPy's transform of a name: NumPy's, but for arguments that say how it is computed."""
    function = getattr(np.fft, name)

    def apply(x: Any, *args: Any, **kwargs: Any) -> Any:
        return function(x, *args[:3], **{key: value for key, value in kwargs.items() if key in _SETTINGS})

    return apply


# Function of SciPy -> what stands for it.
IN_SCIPY: dict[Any, Callable[..., Any]] = {
    getattr(scipy.fft, name.removeprefix("fft.")): _as_in_numpy(name.removeprefix("fft."))
    for name in list(FUNCTIONS)
    if name.startswith("fft.")
}
