"""Fourier transforms as what they are made of: transforms along one axis, `dft`, of both parts.

X_k = Σ x_j e^(-2πi jk/n) for k = 0, ..., n-1; the inverse has the other sign. A transform along several axes is one
along each of them. Of real numbers X_(n-k) is the conjugate of X_k, so that half of them are kept, or read; source: the
documentation of `numpy.fft`, https://numpy.org/doc/stable/reference/routines.fft.html.
"""

import math
from typing import Any

import numpy as np

from xcheck.trace.model import Array, Constant, Operation, Source, Value
from xcheck.trace.parts.writer import Parts, Writer, dtype_of, number, shape_of


def transform(w: Writer, operation: Operation, z: Parts) -> Parts | Source:
    """Return a transform: of complex numbers (fft, ifft), from real ones (rfft) or to them (irfft)."""
    attributes = operation.attributes
    kind, axes, length = attributes["kind"], tuple(attributes["axes"]), attributes["length"]
    last, inverse = axes[-1], kind in ("ifft", "irfft")
    if kind == "irfft":
        # What is only half there comes last, and what is only half kept first.
        for axis in axes[:-1]:
            z = _along(w, z, axis, inverse=inverse)
        z = _along(w, _whole(w, z, last, length), last, inverse=inverse)
    else:
        for axis in reversed(axes):
            z = _along(w, z, axis, inverse=inverse)
            z = _half(w, z, axis) if kind == "rfft" and axis == last else z
    count = math.prod(length if axis == last else shape_of(z.re)[axis] for axis in axes)
    if kind == "irfft":
        return _scaled(w, z.re, attributes["norm"], count)
    return Parts(*(_scaled(w, part, attributes["norm"], count) for part in z))


def _scaled(w: Writer, x: Source, norm: str, count: int) -> Source:
    """Divide by the number of points, or by its root: exactly, where programs multiply by a rounded one."""
    if norm == "none" or not count:
        return x
    divisor: Source = number(float(count), x)
    if norm == "root":
        divisor = w.apply("sqrt", divisor)
    return w.apply("div", x, divisor)


def _along(w: Writer, z: Parts, axis: int, *, inverse: bool) -> Parts:
    """Return the transform along one axis, not scaled."""
    shape, dtype = shape_of(z.re), dtype_of(z.re)
    turned = tuple(np.moveaxis(np.empty(shape, bool), axis, -1).shape)
    rows = (math.prod(turned[:-1]), turned[-1])

    def arrange(a: Array) -> Array:
        return np.moveaxis(a, axis, -1).reshape(rows)

    def back(a: Array) -> Array:
        return np.moveaxis(a.reshape(turned), -1, axis)

    given = [w.move(arrange, [part], rows) for part in z]
    outputs = [Value(rows, dtype), Value(rows, dtype)]
    found = w.emit("dft", lambda re, im: _carry_out(re, im, inverse=inverse), given, outputs, inverse=inverse)
    return Parts(*(w.move(back, [part], shape) for part in found))


def _carry_out(re: Array, im: Array, *, inverse: bool) -> tuple[Array, Array]:
    if not re.size:
        return re, im
    z = np.asarray(re) + 1j * np.asarray(im)
    found: Any = np.fft.ifft(z, norm="forward") if inverse else np.fft.fft(z)
    return found.real, found.imag


def _half(w: Writer, z: Parts, axis: int) -> Parts:
    """Return the first half: of real numbers the other one is its conjugate, and real where both halves meet."""
    shape = shape_of(z.re)
    length = shape[axis]
    kept = tuple(length // 2 + 1 if place == axis else width for place, width in enumerate(shape))
    re, im = (w.move(lambda a: np.take(a, range(length // 2 + 1), axis), [part], kept) for part in z)
    return Parts(re, _without(w, im, axis, _real_places(length)))


def _real_places(length: int) -> list[int]:
    """Return the k at which the transform of so many real numbers is real: 0, and the middle of an even number."""
    return [0, length // 2] if length % 2 == 0 else [0]


def _without(w: Writer, x: Source, axis: int, places: list[int]) -> Source:
    """Return x with exactly 0 at some places along an axis."""
    at = np.zeros(shape_of(x), bool)
    at[(slice(None),) * axis + (places,)] = True
    return w.select(Constant(at), x, number(0.0, x))


def _whole(w: Writer, z: Parts, axis: int, length: int) -> Parts:
    """Return all of a transform of real numbers, of its first half; what should be real is read as real."""
    shape = tuple(length if place == axis else width for place, width in enumerate(shape_of(z.re)))
    places = np.arange(length)
    mirrored = places > length // 2
    order = np.where(mirrored, length - places, places)
    im = _without(w, z.im, axis, _real_places(length))
    re, im = (w.move(lambda a: np.take(a, order, axis), [part], shape) for part in (z.re, im))
    signs = np.where(mirrored, -1.0, 1.0).reshape([-1 if place == axis else 1 for place in range(len(shape))])
    return Parts(re, w.apply("mul", im, Constant(np.broadcast_to(signs, shape).astype(dtype_of(im)))))
