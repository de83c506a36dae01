"""Attention with a causal mask: softmax(Q Kᵀ/√d) V, and the projections of the input on queries, keys and values."""

import numpy as np

from tests.diagnose.layers.layer import Array, Data, Layer, Params, sizes, slope, softmax, squared

_FACTOR, _DETACHED, _SWAPPED, _TRANSPOSED = "XC201", "XC231", "XC223", "XC221"
# In steps of the backward pass: a use left out, a sum over another axis, a factor, a matrix that is not transposed.
_BRANCH, _AXIS, _INNER, _TURNED = "XC244", "XC239", "XC248", "XC224"


def _make(rng: np.random.Generator) -> tuple[Params, Data]:
    examples, steps, width = sizes(rng, (2, 3), (4, 5), (3, 6))
    p = {name: rng.standard_normal((width, width)) / np.sqrt(width) for name in ("Wq", "Wk", "Wv", "Wo")}
    p["x"] = rng.standard_normal((examples, steps, width))
    return p, (rng.standard_normal((examples, steps, width)), np.tril(np.ones((steps, steps), dtype=bool)))


def _forward(p: Params, mask: Array) -> dict[str, Array]:
    q, k, v = (p["x"] @ p[name] for name in ("Wq", "Wk", "Wv"))
    scores = np.where(mask, q @ np.swapaxes(k, 1, 2) / np.sqrt(q.shape[2]), -1e9)
    weights = softmax(scores)
    mixed = weights @ v
    return {"q": q, "k": k, "v": v, "weights": weights, "mixed": mixed, "y": mixed @ p["Wo"]}


def attention_loss(p: Params, target: Array, mask: Array) -> float:
    """One head; the output has a target."""
    return squared(_forward(p, mask)["y"], target)


def _scores(weights: Array, dweights: Array, width: int, mask: Array, made: str) -> Array:
    """∂L/∂(Q Kᵀ)."""
    sums = (dweights * weights).sum(axis=1 if made == "sum of softmax over the wrong axis" else 2, keepdims=True)
    if made == "sum of softmax missing":
        sums = np.zeros_like(sums)
    if made == "mask not applied":
        # As if the softmax had been taken over all places.
        weights = np.where(mask, weights, 1 / weights.shape[2])
    if made == "p (1 − p) for softmax's Jacobian":
        return np.asarray(dweights * weights * (1 - weights) / np.sqrt(width))
    ds = (dweights - sums) * (np.ones_like(weights) if made == "probabilities forgotten" else weights)
    scale = {"1/√d missing": 1.0, "1/d for 1/√d": width}.get(made, np.sqrt(width))
    return np.asarray(ds / scale)


def attention_gradient(p: Params, target: Array, mask: Array, *, made: str = "") -> Params:
    """Its gradient."""
    f = _forward(p, mask)
    dy = slope(f["y"], target)
    dmixed = dy @ p["Wo"].T
    weights = f["weights"]
    dv = (weights if made == "weights not transposed for the values" else np.swapaxes(weights, 1, 2)) @ dmixed
    ds = _scores(weights, dmixed @ np.swapaxes(f["v"], 1, 2), f["q"].shape[2], mask, made)
    of_keys = ds if made == "scores not transposed for the keys" else np.swapaxes(ds, 1, 2)
    upstream = {"q": ds @ f["k"], "k": of_keys @ f["q"], "v": dv}
    if made == "queries and keys exchanged":
        upstream["q"], upstream["k"] = upstream["k"], upstream["q"]
    if made == "scores detached":
        upstream["q"], upstream["k"] = np.zeros_like(ds @ f["k"]), np.zeros_like(ds @ f["k"])
    found = {f"W{c}": np.einsum("bti,btj->ij", p["x"], d) for c, d in upstream.items()}
    found["Wo"] = np.einsum("bti,btj->ij", f["v"] if made == "values for their mixture" else f["mixed"], dy)
    if made == "Wq transposed":
        found["Wq"] = found["Wq"].T.copy()
    if made == "of Wo the first example":
        found["Wo"] = f["mixed"][0].T @ dy[0]
    ways = [c for c in upstream if not (made == "way through the keys forgotten" and c == "k")]
    wrongly = made == "Wk not transposed on the way to x"
    found["x"] = sum(
        (upstream[c] @ (p[f"W{c}"] if wrongly and c == "k" else p[f"W{c}"].T) for c in ways), np.zeros_like(p["x"])
    )
    return {name: found[name] for name in p}


ATTENTION = Layer(
    "attention",
    _make,
    attention_loss,
    attention_gradient,
    {
        "sum of softmax missing": _BRANCH,
        "sum of softmax over the wrong axis": _AXIS,
        "mask not applied": "",
        "p (1 − p) for softmax's Jacobian": "",
        "probabilities forgotten": "",
        "1/√d missing": f"{_FACTOR} {_INNER}",
        "1/d for 1/√d": f"{_FACTOR} {_INNER}",
        "weights not transposed for the values": _TURNED,
        "scores not transposed for the keys": _TURNED,
        "queries and keys exchanged": _SWAPPED,
        "scores detached": f"{_DETACHED} {_BRANCH}",
        "values for their mixture": _INNER,
        "Wq transposed": _TRANSPOSED,
        "of Wo the first example": "",
        "way through the keys forgotten": _BRANCH,
        "Wk not transposed on the way to x": _TURNED,
    },
)
