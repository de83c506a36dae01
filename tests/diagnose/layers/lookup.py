"""An embedding whose ids repeat, and cross entropy: of a linear layer's softmax, with and without smoothed labels."""

import numpy as np

from tests.diagnose.layers.layer import Array, Data, Layer, Params, sizes, slope, softmax, squared

_FACTOR, _SIGN, _ORDER, _MISSING, _CONSTANT = "XC201", "XC202", "XC222", "XC232", "XC236"
# A sum that is not whole.
_AXIS = "XC239"


def _make_embedding(rng: np.random.Generator) -> tuple[Params, Data]:
    words, width, outputs, length = sizes(rng, (5, 7), (3, 5), (2, 4), (3, 5))
    ids = rng.integers(0, words, (4, length))
    ids[:, 0] = 1
    p = {"E": rng.standard_normal((words, width)), "W": rng.standard_normal((width, outputs))}
    return {**p, "b": rng.standard_normal(outputs)}, (ids, rng.standard_normal((4, outputs)))


def embedding_loss(p: Params, ids: Array, target: Array) -> float:
    """The mean of a sequence's embeddings, and a linear layer."""
    return squared(np.tanh(p["E"][ids]).mean(axis=1) @ p["W"] + p["b"], target)


def embedding_gradient(p: Params, ids: Array, target: Array, *, made: str = "") -> Params:
    """Its gradient: repeated ids add up."""
    a = np.tanh(p["E"][ids])
    pooled = a.mean(axis=1)
    dy = slope(pooled @ p["W"] + p["b"], target)
    da = (dy @ p["W"].T)[:, None, :] / (1 if made == "1/length missing" else ids.shape[1])
    dx = np.broadcast_to(da, a.shape) * (1 if made == "tanh not differentiated" else 1 - a**2)
    dE = np.zeros_like(p["E"])
    if made == "repeated ids assigned, not added":
        dE[ids] = dx
    elif made == "repeated ids averaged":
        np.add.at(dE, ids, dx)
        dE /= np.maximum(1, np.bincount(ids.ravel(), minlength=len(dE)))[:, None]
    elif made == "first place of each sequence missing":
        np.add.at(dE, ids[:, 1:], dx[:, 1:])
    else:
        np.add.at(dE, (ids + (made == "ids shifted by one")) % len(dE), dx)
    if made == "row of an id left out":
        dE[1] = 0
    if made == "divided by all words":
        dE /= len(dE)
    first = made == "b of the first example"
    return {
        "E": dE,
        "W": (a[:, 0] if made == "first embedding for their mean" else pooled).T @ dy,
        "b": dy[0] if first else dy.mean(axis=0) if made == "b averaged, not summed" else dy.sum(axis=0),
    }


EMBEDDING = Layer(
    "embedding",
    _make_embedding,
    embedding_loss,
    embedding_gradient,
    {
        "repeated ids assigned, not added": "",
        "repeated ids averaged": "XC208",
        "1/length missing": _FACTOR,
        "tanh not differentiated": "XC241",
        "first place of each sequence missing": "",
        "ids shifted by one": _ORDER,
        "row of an id left out": _MISSING,
        "divided by all words": _FACTOR,
        "first embedding for their mean": "XC248",
        "b of the first example": _AXIS,
        "b averaged, not summed": _FACTOR,
    },
)


def _make_entropy(rng: np.random.Generator) -> tuple[Params, Data]:
    examples, inputs, classes = sizes(rng, (5, 8), (3, 5), (3, 6))
    p = {
        "W": rng.standard_normal((inputs, classes)),
        "b": rng.standard_normal(classes),
        "x": rng.standard_normal((examples, inputs)),
    }
    return p, (np.eye(classes)[rng.integers(0, classes, examples)], 0.1)


def _logits(p: Params) -> Array:
    return np.asarray(p["x"] @ p["W"] + p["b"])


def smoothed_loss(p: Params, y: Array, smoothing: float) -> float:
    """Cross entropy with smoothed labels."""
    q = softmax(_logits(p))
    return float(-(_smooth(y, smoothing) * np.log(q)).sum() / len(q))


def _smooth(y: Array, smoothing: float) -> Array:
    return np.asarray((1 - smoothing) * y + smoothing / y.shape[1])


def _dz(q: Array, y: Array, smoothing: float, made: str) -> Array:
    """∂L/∂(logits)."""
    soft = _smooth(y, smoothing)
    n = {"1/n missing": 1, "1/n twice": len(q) ** 2, "averaged over the classes, too": q.size}.get(made, len(q))
    e = np.exp(np.log(q) - np.log(q).max(axis=0))
    wrong = {
        "softmax's − Σ missing": -soft,
        "− y forgotten": q,
        "− y/q for softmax's Jacobian": -soft / q,
        "diagonal of softmax's Jacobian only": -soft * (1 - q),
        "smoothing forgotten": q - y,
        "smoothing without 1/classes": q - (1 - smoothing) * y - smoothing,
        "smoothing over the other classes": q - (1 - smoothing) * y - smoothing * (1 - y) / (y.shape[1] - 1),
        "y − q for q − y": soft - q,
        "softmax over the examples": e / e.sum(axis=0) - soft,
    }
    return np.asarray(wrong.get(made, q - soft) / n)


def smoothed_gradient(p: Params, y: Array, smoothing: float, *, made: str = "") -> Params:
    """Its gradient."""
    dz = _dz(softmax(_logits(p)), y, smoothing, made)
    if made == "last example missing":
        dz[-1] = 0
    db = dz.mean(axis=0) if made == "b averaged, not summed" else dz.sum(axis=0)
    return {"W": p["x"].T @ dz, "b": dz[0] if made == "b of the first example" else db, "x": dz @ p["W"].T}


def logits_loss(p: Params, y: Array, smoothing: float) -> float:
    """Cross entropy of logits that are parameters themselves."""
    q = softmax(p["z"])
    return float(-(_smooth(y, smoothing) * np.log(q)).sum() / len(q))


def logits_gradient(p: Params, y: Array, smoothing: float, *, made: str = "") -> Params:
    """Its gradient."""
    dz = _dz(softmax(p["z"]), y, smoothing, made)
    if made == "last example missing":
        dz[-1] = 0
    return {"z": dz}


def _make_logits(rng: np.random.Generator) -> tuple[Params, Data]:
    examples, classes = sizes(rng, (5, 8), (3, 6))
    y = np.eye(classes)[rng.integers(0, classes, examples)]
    return {"z": rng.standard_normal((examples, classes))}, (y, 0.1)


_ENTROPY: dict[str, str] = {
    "softmax's − Σ missing": "XC242",
    "− y forgotten": "XC242",
    "− y/q for softmax's Jacobian": "XC242",
    "diagonal of softmax's Jacobian only": "XC242",
    "smoothing forgotten": "XC242",
    "smoothing without 1/classes": f"XC242 {_CONSTANT}",
    "smoothing over the other classes": "XC242",
    "y − q for q − y": _SIGN,
    "softmax over the examples": "XC242",
    "1/n missing": _FACTOR,
    "1/n twice": _FACTOR,
    "averaged over the classes, too": _FACTOR,
    "last example missing": f"{_MISSING} {_AXIS}",
}
SMOOTHED = Layer(
    "cross entropy of a linear layer",
    _make_entropy,
    smoothed_loss,
    smoothed_gradient,
    {**_ENTROPY, "b of the first example": _AXIS, "b averaged, not summed": _FACTOR},
)
LOGITS = Layer("cross entropy of logits", _make_logits, logits_loss, logits_gradient, _ENTROPY)

LOOKUPS = (EMBEDDING, SMOOTHED, LOGITS)
