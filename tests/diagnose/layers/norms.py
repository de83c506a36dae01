"""Normalisations: batch, layer, group and RMS norm, all of them with one formula of the gradient.

With x̂ = (x − μ)/σ along some axes, y = γ x̂ + β and u = γ ∂L/∂y,

    ∂L/∂x = (u − mean u − x̂ mean(u x̂)) / σ        ∂L/∂γ = Σ x̂ ∂L/∂y        ∂L/∂β = Σ ∂L/∂y
"""

import numpy as np

from tests.diagnose.layers.layer import Array, Data, Layer, Params, sizes, slope, squared

EPS = 1e-5

# A term that is the same along an axis, one in proportion to x along it, a factor for each slice, a factor.
_CONSTANT, _OF_X, _BY_SLICE, _FACTOR = "XC236", "XC237", "XC208", "XC201"
# A sum over another axis, or not whole; a factor of a product.
_AXIS, _INNER = "XC239", "XC248"

INPUT: dict[str, str] = {
    "term of the variance missing": _OF_X,
    "term of the variance added": _OF_X,
    "term of the variance summed, not averaged": _OF_X,
    "n − 1 for n in the variance": _OF_X,
    "x for x̂ in the term of the variance": "XC236 XC237",
    "1/σ forgotten": _BY_SLICE,
    "1/σ² for 1/σ": _BY_SLICE,
    "ε forgotten": _BY_SLICE,
    "γ forgotten": _INNER,
}
CENTRED: dict[str, str] = {
    "term of the mean missing": _CONSTANT,
    "term of the mean added": _CONSTANT,
    "mean and variance taken for constants": "XC236 XC237",
    "mean of u over the wrong axis": f"{_CONSTANT} {_AXIS}",
    "β averaged, not summed": _FACTOR,
    "β of the last example missing": _AXIS,
}
SCALES: dict[str, str] = {
    "γ with x for x̂": _INNER,
    "γ without x̂": "XC223",
    "γ averaged, not summed": _FACTOR,
    "γ of the first example only": _AXIS,
    "γ summed over the wrong axis": _AXIS,
}


def input_gradient(
    x: Array, u: Array, mean: Array, deviation: Array, axes: tuple[int, ...], made: str, *, centred: bool = True
) -> Array:
    """∂L/∂x, with the mistakes that one can make there; the RMS norm is not centred."""
    n = np.prod([x.shape[axis] for axis in axes])
    normal = (x - mean) / deviation
    of_mean = u.mean(axis=axes, keepdims=True)
    if made == "mean of u over the wrong axis":
        of_mean = u.mean(axis=next(a for a in range(x.ndim) if a not in axes), keepdims=True)
    size = {
        "term of the mean missing": 0,
        "term of the mean added": -1,
        "mean and variance taken for constants": 0,
        "term of a mean that there is not": 1,
    }.get(made, int(centred))
    scale = {
        "term of the variance missing": 0,
        "term of the variance added": -1,
        "term of the variance summed, not averaged": n,
        "n − 1 for n in the variance": n / (n - 1),
        "mean and variance taken for constants": 0,
    }.get(made, 1)
    shape = x if made == "x for x̂ in the term of the variance" else normal
    inner = u - size * of_mean - scale * shape * (u * normal).mean(axis=axes, keepdims=True)
    if made == "ε forgotten":
        deviation = np.sqrt(deviation**2 - EPS)
    return np.asarray(inner / {"1/σ forgotten": 1.0, "1/σ² for 1/σ": deviation**2}.get(made, deviation))


def scale_gradient(x: Array, normal: Array, dy: Array, axes: tuple[int, ...], made: str) -> Array:
    """∂L/∂γ before it is brought into its shape, with the mistakes that one can make there."""
    if made == "γ summed over the wrong axis":
        kept = next(axis for axis in range(dy.ndim) if axis not in axes)
        wrong = (dy * normal).sum(axis=tuple(axis for axis in range(dy.ndim) if axis != axes[0]))
        return np.resize(wrong, dy.shape[kept])
    terms = dy * {"γ with x for x̂": x, "γ without x̂": np.ones_like(x)}.get(made, normal)
    if made == "γ of the first example only":
        terms = terms[:1]
    return np.asarray(terms.mean(axis=axes) if made == "γ averaged, not summed" else terms.sum(axis=axes))


def shift_gradient(dy: Array, axes: tuple[int, ...], made: str) -> Array:
    """∂L/∂β."""
    if made == "β of the last example missing":
        dy = dy[:-1]
    return np.asarray(dy.mean(axis=axes) if made == "β averaged, not summed" else dy.sum(axis=axes))


def _norm(name: str, axes: tuple[int, ...], channel: int, shape: tuple[tuple[int, int], ...]) -> Layer:
    """Return a norm along `axes` whose γ and β belong to the axis `channel`."""
    along = tuple(axis for axis in range(len(shape)) if axis != channel)

    def make(rng: np.random.Generator) -> tuple[Params, Data]:
        drawn = sizes(rng, *shape)
        x = 1.5 * rng.standard_normal(drawn) + 0.3
        gamma, beta = rng.uniform(0.5, 2, drawn[channel]), rng.standard_normal(drawn[channel])
        return {"x": x, "gamma": gamma, "beta": beta}, (rng.standard_normal(drawn),)

    def parts(p: Params) -> tuple[Array, Array, Array, Array]:
        x, spread = p["x"], [1] * len(shape)
        spread[channel] = -1
        mean = x.mean(axis=axes, keepdims=True)
        deviation = np.sqrt(x.var(axis=axes, keepdims=True) + EPS)
        gamma = p["gamma"].reshape(spread)
        return mean, deviation, gamma, gamma * (x - mean) / deviation + p["beta"].reshape(spread)

    def loss(p: Params, target: Array) -> float:
        return squared(parts(p)[3], target)

    def gradient(p: Params, target: Array, *, made: str = "") -> Params:
        mean, deviation, gamma, y = parts(p)
        dy = slope(y, target)
        u = dy if made == "γ forgotten" else gamma * dy
        normal = (p["x"] - mean) / deviation
        return {
            "x": input_gradient(p["x"], u, mean, deviation, axes, made),
            "gamma": scale_gradient(p["x"], normal, dy, along, made),
            "beta": shift_gradient(dy, along, made),
        }

    # Where γ belongs to the slices of the norm, forgetting it leaves a factor for each.
    named = {"γ forgotten": f"{_BY_SLICE} {_INNER}"} if channel not in axes else {}
    return Layer(name, make, loss, gradient, {**INPUT, **CENTRED, **SCALES, **named})


BATCH = _norm("batch norm", (0,), 1, ((6, 9), (3, 6)))
LAYER = _norm("layer norm", (2,), 2, ((2, 3), (3, 5), (5, 8)))
INSTANCE = _norm("batch norm of images", (0, 2), 1, ((2, 4), (2, 4), (5, 8)))


def _in_groups(x: Array, groups: int) -> Array:
    return np.asarray(x.reshape(len(x), groups, -1))


def _make_group(rng: np.random.Generator) -> tuple[Params, Data]:
    examples, length = sizes(rng, (2, 3), (4, 6))
    channels = 4
    x = 1.5 * rng.standard_normal((examples, channels, length)) + 0.3
    gamma, beta = rng.uniform(0.5, 2, channels), rng.standard_normal(channels)
    return {"x": x, "gamma": gamma, "beta": beta}, (rng.standard_normal(x.shape), 2)


def _group_parts(p: Params, groups: int) -> tuple[Array, Array, Array, Array]:
    x = _in_groups(p["x"], groups)
    mean, deviation = x.mean(axis=2, keepdims=True), np.sqrt(x.var(axis=2, keepdims=True) + EPS)
    normal = ((x - mean) / deviation).reshape(p["x"].shape)
    return mean, deviation, normal, p["gamma"][:, None] * normal + p["beta"][:, None]


def group_loss(p: Params, target: Array, groups: int) -> float:
    """Normalised in groups of channels."""
    return squared(_group_parts(p, groups)[3], target)


def group_gradient(p: Params, target: Array, groups: int, *, made: str = "") -> Params:
    """Its gradient."""
    mean, deviation, normal, y = _group_parts(p, groups)
    dy = slope(y, target)
    u = _in_groups(dy if made == "γ forgotten" else dy * p["gamma"][:, None], groups)
    x = _in_groups(p["x"], groups)
    inside = input_gradient(x, u, mean, deviation, (2,), made).reshape(p["x"].shape)
    gamma = scale_gradient(p["x"], normal, dy, (0, 2), made)
    return {"x": inside, "gamma": gamma, "beta": shift_gradient(dy, (0, 2), made)}


GROUP = Layer("group norm", _make_group, group_loss, group_gradient, {**INPUT, **CENTRED, **SCALES})


def _make_rms(rng: np.random.Generator) -> tuple[Params, Data]:
    examples, width = sizes(rng, (4, 7), (5, 9))
    x = rng.standard_normal((examples, width)) + 0.2
    return {"x": x, "gamma": rng.uniform(0.5, 2, width)}, (rng.standard_normal(x.shape),)


def _rms(x: Array) -> Array:
    return np.asarray(np.sqrt((x**2).mean(axis=1, keepdims=True) + EPS))


def rms_loss(p: Params, target: Array) -> float:
    """Divided by the root of the mean square."""
    return squared(p["gamma"] * p["x"] / _rms(p["x"]), target)


def rms_gradient(p: Params, target: Array, *, made: str = "") -> Params:
    """Its gradient: there is no term of the mean."""
    x, root = p["x"], _rms(p["x"])
    dy = slope(p["gamma"] * x / root, target)
    u = dy if made == "γ forgotten" else p["gamma"] * dy
    inside = input_gradient(x, u, np.zeros_like(root), root, (1,), made, centred=False)
    return {"x": inside, "gamma": scale_gradient(x, x / root, dy, (0,), made)}


RMS = Layer(
    "RMS norm",
    _make_rms,
    rms_loss,
    rms_gradient,
    {
        **{name: codes for name, codes in INPUT.items() if name != "x for x̂ in the term of the variance"},
        **{name: codes for name, codes in SCALES.items() if name != "γ without x̂"},
        "term of a mean that there is not": _CONSTANT,
    },
)

NORMS = (BATCH, INSTANCE, LAYER, GROUP, RMS)
