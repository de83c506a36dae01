"""Pooling by the mean and by the largest, after a factor for each channel; windows may overlap."""

import numpy as np

from tests.diagnose.layers.layer import Array, Data, Layer, Params, sizes, slope, squared

_FACTOR, _SHIFTED, _ORDER = "XC201", "XC225", "XC222"
# A sum that is not whole, a use that is left out.
_AXIS, _BRANCH = "XC239", "XC244"


def _make(rng: np.random.Generator) -> tuple[Params, Data]:
    examples, channels, size = sizes(rng, (3, 5), (2, 4), (2, 3))
    overlap = int(rng.integers(0, 2))
    stride = size - overlap
    length = stride * int(rng.integers(3, 5)) + size
    p = {"x": rng.standard_normal((examples, channels, length)), "gamma": rng.uniform(0.5, 2, channels)}
    count = (length - size) // stride + 1
    return p, (rng.standard_normal((examples, channels, count)), size, stride)


def _spread(dy: Array, shares: list[Array], length: int, size: int, stride: int, made: str) -> Array:
    """Bring the gradient of each window to its places: in the shares, each of shape (examples, channels, size)."""
    du = np.zeros((*dy.shape[:2], length))
    for number in range(dy.shape[2] - (made == "last window missing")):
        start = number * (size if made == "size for the stride" else stride)
        start += made == "windows shifted by one"
        part = slice(start, min(start + size, length))
        update = (dy[:, :, number, None] * shares[number])[:, :, : part.stop - part.start]
        if made == "windows assigned, not added":
            du[:, :, part] = update
        else:
            du[:, :, part] += update
    return du


def _rest(p: Params, du: Array, made: str) -> Params:
    gamma = p["gamma"][:, None]
    terms = p["x"] * du
    if made == "factor of the first example":
        terms = terms[:1]
    of_gamma = terms.mean(axis=(0, 2)) if made == "factor averaged, not summed" else terms.sum(axis=(0, 2))
    return {"x": du if made == "factor forgotten" else gamma * du, "gamma": of_gamma}


def mean_loss(p: Params, target: Array, size: int, stride: int) -> float:
    """The mean of each window has a target."""
    u = p["x"] * p["gamma"][:, None]
    parts = [u[:, :, k * stride : k * stride + size].mean(axis=2) for k in range(target.shape[2])]
    return squared(np.stack(parts, axis=2), target)


def mean_gradient(p: Params, target: Array, size: int, stride: int, *, made: str = "") -> Params:
    """Its gradient: each place of a window has the same share."""
    u = p["x"] * p["gamma"][:, None]
    y = np.stack([u[:, :, k * stride : k * stride + size].mean(axis=2) for k in range(target.shape[2])], axis=2)
    share = np.full((*y.shape[:2], size), 1 / {"1/size missing": 1, "1/stride for 1/size": stride}.get(made, size))
    if made == "first place of each window only":
        share[:, :, 1:] = 0
    dy = slope(y, target)
    du = _spread(dy, [share] * y.shape[2], u.shape[2], size, stride, made)
    if made == "repeated in the wrong order" and size == stride:
        du = np.tile(dy / size, (1, 1, size))
    return _rest(p, du, made)


MEAN = Layer(
    "mean pooling",
    _make,
    mean_loss,
    mean_gradient,
    {
        "1/size missing": _FACTOR,
        "1/stride for 1/size": _FACTOR,
        "first place of each window only": "",
        "last window missing": f"XC232 {_BRANCH}",
        "windows shifted by one": _SHIFTED,
        "size for the stride": "",
        "windows assigned, not added": "",
        "repeated in the wrong order": _ORDER,
        "factor forgotten": "XC208",
        "factor of the first example": _AXIS,
        "factor averaged, not summed": _FACTOR,
    },
)


def _largest(u: Array, count: int, size: int, stride: int) -> tuple[Array, list[Array]]:
    """The largest of each window, and where it is."""
    parts = [u[:, :, k * stride : k * stride + size] for k in range(count)]
    where = [(part == part.max(axis=2, keepdims=True)) * 1.0 for part in parts]
    return np.stack([part.max(axis=2) for part in parts], axis=2), where


def max_loss(p: Params, target: Array, size: int, stride: int) -> float:
    """The largest of each window has a target."""
    return squared(_largest(p["x"] * p["gamma"][:, None], target.shape[2], size, stride)[0], target)


def max_gradient(p: Params, target: Array, size: int, stride: int, *, made: str = "") -> Params:
    """Its gradient: only the largest has a share."""
    u = p["x"] * p["gamma"][:, None]
    y, where = _largest(u, target.shape[2], size, stride)
    first = np.eye(size)[0]
    shares = {
        "every place of a window": [np.ones_like(part) for part in where],
        "mean in place of the largest": [np.full_like(part, 1 / size) for part in where],
        "first place of each window": [np.broadcast_to(first, part.shape) for part in where],
        "place beside the largest": [np.roll(part, 1, axis=2) for part in where],
        "smallest for the largest": _largest(-u, target.shape[2], size, stride)[1],
        "output for its gradient": where,
    }.get(made, where)
    dy = y if made == "output for its gradient" else slope(y, target)
    return _rest(p, _spread(dy, shares, u.shape[2], size, stride, made), made)


MAX = Layer(
    "max pooling",
    _make,
    max_loss,
    max_gradient,
    {
        "every place of a window": "",
        "mean in place of the largest": "",
        "first place of each window": "",
        "place beside the largest": "",
        "smallest for the largest": "",
        "last window missing": f"XC232 {_BRANCH}",
        "windows shifted by one": _SHIFTED,
        "windows assigned, not added": "",
        "factor forgotten": "XC208",
        "factor of the first example": _AXIS,
        "factor averaged, not summed": _FACTOR,
    },
)

POOLING = (MEAN, MAX)
