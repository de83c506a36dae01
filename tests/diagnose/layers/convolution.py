"""Convolutions of one and of two axes, with stride and padding, in which the kernel is not flipped."""

from itertools import product
from typing import Any

import numpy as np

from tests.diagnose.layers.layer import Array, Data, Layer, Params, sizes, slope, squared

# Reversed along an axis, shifted along it, transposed, a factor.
_REVERSED, _SHIFTED, _TRANSPOSED, _FACTOR = "XC222", "XC225", "XC221", "XC201"
# A sum that is not whole, a use that is left out.
_AXIS, _BRANCH = "XC239", "XC244"

MISTAKES: dict[str, str] = {
    "kernel's gradient flipped": _REVERSED,
    "kernel's gradient shifted by one": _SHIFTED,
    "kernel flipped on the way to the input": "",
    "kernel's channels transposed": f"{_TRANSPOSED} {_REVERSED}",
    "input's gradient shifted by one": _SHIFTED,
    "padding not cut off": _SHIFTED,
    "stride forgotten for the kernel": "",
    "stride forgotten for the input": "",
    "last window missing": _BRANCH,
    "last tap of the kernel missing": "XC232",
    "windows assigned, not added": "",
    "b averaged, not summed": _FACTOR,
    "b of the first example": _AXIS,
    "b summed over the examples only": f"{_AXIS} {_BRANCH}",
    "kernel averaged over positions": _FACTOR,
}


def _windows(
    shape: tuple[int, ...], kernel: tuple[int, ...], stride: int
) -> list[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Return each place of the output with the part of the padded input that it is made of."""
    counts = [(n - k) // stride + 1 for n, k in zip(shape, kernel, strict=True)]
    return [
        (place, tuple(slice(stride * i, stride * i + k) for i, k in zip(place, kernel, strict=True)))
        for place in product(*map(range, counts))
    ]


def _at(place: tuple[int | slice, ...]) -> Any:
    """Return the index of a place in all examples and channels."""
    return slice(None), slice(None), *place


def _pad(x: Array, padding: int) -> Array:
    return np.pad(x, [(0, 0), (0, 0), *[(padding, padding)] * (x.ndim - 2)])


def _convolve(p: Params, stride: int, padding: int) -> Array:
    x, K = _pad(p["x"], padding), p["K"]
    windows = _windows(x.shape[2:], K.shape[2:], stride)
    counts = [last + 1 for last in windows[-1][0]]
    y = np.zeros((len(x), len(K), *counts))
    axes = (list(range(1, x.ndim)), list(range(1, x.ndim)))
    for place, part in windows:
        y[_at(place)] = np.tensordot(x[_at(part)], K, axes) + p["b"]
    return y


def convolution_loss(p: Params, target: Array, stride: int, padding: int) -> float:
    """The output has a target."""
    return squared(_convolve(p, stride, padding), target)


def convolution_gradient(p: Params, target: Array, stride: int, padding: int, *, made: str = "") -> Params:
    """Its gradient, window by window."""
    x, K = _pad(p["x"], padding), p["K"]
    spatial = tuple(range(2, x.ndim))
    dy = slope(_convolve(p, stride, padding), target)
    dK, dx = np.zeros_like(K), np.zeros_like(x)
    seen = np.flip(K, spatial) if made == "kernel flipped on the way to the input" else K
    windows = _windows(x.shape[2:], K.shape[2:], stride)
    for place, part in windows[:-1] if made == "last window missing" else windows:
        d = dy[_at(place)]
        near = tuple(slice(i, i + k) for i, k in zip(place, K.shape[2:], strict=True))
        of_kernel = near if made == "stride forgotten for the kernel" else part
        of_input = near if made == "stride forgotten for the input" else part
        dK += np.tensordot(d, x[_at(of_kernel)], (0, 0))
        update = np.tensordot(d, seen, (1, 0))
        if made == "windows assigned, not added":
            dx[_at(of_input)] = update
        else:
            dx[_at(of_input)] += update
    return {
        "x": _input(dx, p["x"].shape, padding, made),
        "K": _kernel(dK, spatial, len(windows), made),
        "b": _bias(dy, spatial, made),
    }


def _input(dx: Array, shape: tuple[int, ...], padding: int, made: str) -> Array:
    start = {"padding not cut off": 0, "input's gradient shifted by one": padding - 1}.get(made, padding)
    return dx[_at(tuple(slice(start, start + n) for n in shape[2:]))]


def _kernel(dK: Array, spatial: tuple[int, ...], windows: int, made: str) -> Array:
    match made:
        case "kernel's gradient flipped":
            return np.flip(dK, spatial)
        case "kernel's gradient shifted by one":
            shifted = np.zeros_like(dK)
            shifted[..., 1:] = dK[..., :-1]
            return shifted
        case "kernel's channels transposed":
            return np.swapaxes(dK, 0, 1).reshape(dK.shape)
        case "last tap of the kernel missing":
            dK[..., -1] = 0
        case "kernel averaged over positions":
            return dK / windows
    return dK


def _bias(dy: Array, spatial: tuple[int, ...], made: str) -> Array:
    match made:
        case "b averaged, not summed":
            return np.asarray(dy.mean(axis=(0, *spatial)))
        case "b of the first example":
            return np.asarray(dy[0].reshape(dy.shape[1], -1).sum(axis=1))
        case "b summed over the examples only":
            return np.asarray(dy.sum(axis=0).reshape(dy.shape[1], -1)[:, 0])
    return np.asarray(dy.sum(axis=(0, *spatial)))


def _convolution(name: str, kernel: tuple[int, ...], spread: tuple[tuple[int, int], ...]) -> Layer:
    def make(rng: np.random.Generator) -> tuple[Params, Data]:
        examples, inside, outside = sizes(rng, (3, 4), (2, 3), (2, 4))
        stride, padding = 2, int(rng.integers(1, 3))
        p = {
            "x": rng.standard_normal((examples, inside, *(int(rng.integers(a, b + 1)) for a, b in spread))),
            "K": 0.5 * rng.standard_normal((outside, inside, *kernel)),
            "b": rng.standard_normal(outside),
        }
        return p, (rng.standard_normal(_convolve(p, stride, padding).shape), stride, padding)

    return Layer(name, make, convolution_loss, convolution_gradient, MISTAKES)


CONVOLUTIONS = (
    _convolution("convolution of one axis", (3,), ((7, 10),)),
    _convolution("convolution of two axes", (3, 2), ((4, 5), (4, 6))),
)
