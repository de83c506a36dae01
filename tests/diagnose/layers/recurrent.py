"""Recurrent layers: an LSTM cell, an LSTM over a sequence, and a GRU over a sequence."""

import numpy as np

from tests.diagnose.layers.layer import Array, Data, Layer, Params, sigmoid, sizes, slope, squared

# Another order, a part that is missing, a factor.
_ORDER, _MISSING, _FACTOR = "XC222", "XC232", "XC201"
# Steps of the backward pass: the derivative of an activation, a factor of a product, a use of a value that is left out,
# a matrix that is not transposed, a sum that is not whole. A gate that has the opposite derivative has another sign.
_SLOPE, _INNER, _BRANCH, _TURNED, _AXIS = "XC241", "XC248", "XC244", "XC224", "XC239"


def _gates(x: Array, h: Array, p: Params) -> list[Array]:
    """The gates i, f, g, o of an LSTM."""
    i, f, g, o = np.split(x @ p["W"].T + h @ p["U"].T + p["b"], 4, axis=1)
    return [sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)]


def _step(x: Array, h: Array, c: Array, p: Params) -> tuple[Array, Array, list[Array]]:
    i, f, g, o = gates = _gates(x, h, p)
    c = f * c + i * g
    return o * np.tanh(c), c, gates


def _slopes(gates: list[Array], before: Array, c: Array, dh: Array, dc: Array, made: str) -> tuple[Array, Array]:
    """∂L/∂(the gates before their activations), and ∂L/∂c of the step before."""
    i, f, g, o = gates
    t = np.tanh(c)
    dc = dc + dh * o * (1.0 if made == "tanh of the cell not differentiated" else 1 - t**2)
    if made == "what comes from the next cell forgotten":
        dc = dh * o * (1 - t**2)
    inner = [dc * g, dc * before, dc * i, dh * t]
    wrong = {
        "c after the step for c before it": (1, dc * c),
        "tanh forgotten at the output gate": (3, dh * c),
        "forget gate detached": (1, np.zeros_like(f)),
    }
    shapes = [i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o)]
    misshapen = {
        "derivative of sigmoid at the cell's input": (2, g * (1 - g)),
        "derivative of tanh at the output gate": (3, 1 - o**2),
        "output gate's own derivative forgotten": (3, np.ones_like(o)),
    }
    for terms, mistakes in ((inner, wrong), (shapes, misshapen)):
        if made in mistakes:
            gate, term = mistakes[made]
            terms[gate] = term
    if made == "input and forget gate exchanged":
        inner[0], inner[1] = inner[1], inner[0]
    order = (0, 1, 3, 2) if made == "cell's input and output gate in the other order" else (0, 1, 2, 3)
    return np.concatenate([inner[k] * shapes[k] for k in order], axis=1), dc * (i if made == "i for f" else f)


def _bias(dz: Array, made: str) -> Array:
    if made == "b of the first example":
        return dz[0]
    db = np.array(dz.mean(axis=0) if made == "b averaged, not summed" else dz.sum(axis=0))
    if made == "b of one gate detached":
        width = db.size // 4
        db[width : 2 * width] = 0
    return db


def _transposed(weights: Array, made: str) -> Array:
    """The recurrent weights, or with a mistake each gate's block transposed."""
    if made != "recurrent weights transposed":
        return weights
    return np.concatenate([block.T for block in np.split(weights, len(weights) // weights.shape[1])])


def _weights(rng: np.random.Generator, gates: int, width: int, inputs: int) -> Params:
    return {
        "W": 0.6 * rng.standard_normal((gates * width, inputs)),
        "U": 0.6 * rng.standard_normal((gates * width, width)),
        "b": 0.5 * rng.standard_normal(gates * width),
    }


def _make_cell(rng: np.random.Generator) -> tuple[Params, Data]:
    examples, width, inputs = sizes(rng, (4, 6), (3, 5), (3, 6))
    p = _weights(rng, 4, width, inputs)
    p |= {name: rng.standard_normal((examples, size)) for name, size in (("x", inputs), ("h", width), ("c", width))}
    return p, (rng.standard_normal((examples, width)), rng.standard_normal((examples, width)))


def cell_loss(p: Params, target: Array, other: Array) -> float:
    """One step of an LSTM; both its output and its cell have a target."""
    h, c, _ = _step(p["x"], p["h"], p["c"], p)
    return squared(h, target) + squared(c, other)


def cell_gradient(p: Params, target: Array, other: Array, *, made: str = "") -> Params:
    """Its gradient."""
    h, c, gates = _step(p["x"], p["h"], p["c"], p)
    dz, dc = _slopes(gates, p["c"], c, slope(h, target), slope(c, other), made)
    return {
        "W": dz.T @ p["x"],
        "U": dz.T @ (h if made == "h after the step for h before it" else p["h"]),
        "b": _bias(dz, made),
        "x": dz @ p["W"],
        "h": dz @ _transposed(p["U"], made),
        "c": dc,
    }


_GATES: dict[str, str] = {
    "tanh of the cell not differentiated": _SLOPE,
    "input and forget gate exchanged": "",
    "c after the step for c before it": _INNER,
    "tanh forgotten at the output gate": _INNER,
    "derivative of sigmoid at the cell's input": _SLOPE,
    "derivative of tanh at the output gate": _SLOPE,
    "output gate's own derivative forgotten": _SLOPE,
    "forget gate detached": f"{_MISSING} {_BRANCH}",
    "cell's input and output gate in the other order": _ORDER,
    "recurrent weights transposed": _TURNED,
    "i for f": _INNER,
    "b of one gate detached": _MISSING,
    "b averaged, not summed": _FACTOR,
}
CELL = Layer(
    "LSTM cell",
    _make_cell,
    cell_loss,
    cell_gradient,
    {
        **_GATES,
        "what comes from the next cell forgotten": _BRANCH,
        "b of the first example": _AXIS,
        "h after the step for h before it": _INNER,
    },
)


def _make_sequence(rng: np.random.Generator) -> tuple[Params, Data]:
    examples, width, inputs, steps = sizes(rng, (3, 6), (2, 4), (2, 5), (3, 4))
    p = {**_weights(rng, 4, width, inputs), "x": rng.standard_normal((steps, examples, inputs))}
    return p, (rng.standard_normal((examples, width)),)


def _run(p: Params) -> tuple[list[Array], list[Array], list[list[Array]]]:
    width = p["U"].shape[1]
    h, c = [np.zeros((p["x"].shape[1], width))], [np.zeros((p["x"].shape[1], width))]
    gates = []
    for x in p["x"]:
        following, cell, inside = _step(x, h[-1], c[-1], p)
        h.append(following)
        c.append(cell)
        gates.append(inside)
    return h, c, gates


def sequence_loss(p: Params, target: Array) -> float:
    """The last output of an LSTM has a target."""
    return squared(_run(p)[0][-1], target)


def sequence_gradient(p: Params, target: Array, *, made: str = "") -> Params:
    """Its gradient, backwards through time."""
    h, c, gates = _run(p)
    found = {name: np.zeros_like(value) for name, value in p.items()}
    dh, dc = slope(h[-1], target), np.zeros_like(h[-1])
    for t in reversed(range(len(gates))):
        if made == "first step missing" and t == 0:
            break
        dz, dc = _slopes(gates[t], c[t], c[t + 1], dh, dc, made)
        if made == "cell not carried through time":
            dc = np.zeros_like(dc)
        found["W"] += dz.T @ p["x"][t]
        found["U"] += dz.T @ h[t + 1 if made == "h after the step for h before it" else t]
        found["b"] += _bias(dz, made)
        found["x"][len(gates) - 1 - t if made == "steps in reverse order" else t] = dz @ p["W"]
        dh = dz @ _transposed(p["U"], made)
        if made == "cut off after one step":
            break
    return found


SEQUENCE = Layer(
    "LSTM",
    _make_sequence,
    sequence_loss,
    sequence_gradient,
    {
        **_GATES,
        "first step missing": f"{_MISSING} {_BRANCH}",
        "cell not carried through time": _BRANCH,
        "h after the step for h before it": _INNER,
        "steps in reverse order": _ORDER,
        "cut off after one step": f"{_MISSING} {_BRANCH}",
    },
)


def _gru(p: Params) -> tuple[list[Array], list[list[Array]]]:
    """The outputs, and r, z, n and U h of each step; rows of W and U are those of r, z and n."""
    h, inside = [np.zeros((p["x"].shape[1], p["U"].shape[1]))], []
    for x in p["x"]:
        of_x, of_h = np.split(x @ p["W"].T + p["b"], 3, axis=1), np.split(h[-1] @ p["U"].T, 3, axis=1)
        r, z = sigmoid(of_x[0] + of_h[0]), sigmoid(of_x[1] + of_h[1])
        n = np.tanh(of_x[2] + r * of_h[2])
        inside.append([r, z, n, of_h[2]])
        h.append((1 - z) * n + z * h[-1])
    return h, inside


def gru_loss(p: Params, target: Array) -> float:
    """The last output of a GRU has a target."""
    return squared(_gru(p)[0][-1], target)


def _gru_slopes(before: Array, inside: list[Array], dh: Array, made: str) -> tuple[Array, Array, Array]:
    """∂L/∂(x Wᵀ + b), ∂L/∂(h Uᵀ), and ∂L/∂h past the gates."""
    r, z, n, of_h = inside
    swapped = made == "z and 1 − z exchanged"
    dn = dh * (z if swapped else 1 - z) * (n * (1 - n) if made == "derivative of sigmoid at n" else 1 - n**2)
    dz = dh * {"n − h for h − n": n - before, "h forgotten at the gate z": -n}.get(made, before - n)
    dz = dz * (1 - z**2 if made == "derivative of tanh at the gate z" else z * (1 - z))
    dr = dn * (n if made == "n for U h at the gate r" else of_h) * r * (1 - r)
    if made == "gate r detached":
        dr = np.zeros_like(dr)
    of_x = np.concatenate([dz, dr, dn] if made == "gates r and z in the other order" else [dr, dz, dn], axis=1)
    inner = np.concatenate([dr, dz, dn if made == "r forgotten at n" else dn * r], axis=1)
    kept = dh * ((1 - z) if swapped else z)
    return of_x, inner, np.zeros_like(kept) if made == "direct way through h forgotten" else kept


def gru_gradient(p: Params, target: Array, *, made: str = "") -> Params:
    """Its gradient, backwards through time."""
    h, inside = _gru(p)
    found = {name: np.zeros_like(value) for name, value in p.items()}
    dh = slope(h[-1], target)
    for t in reversed(range(len(inside))):
        if made == "first step missing" and t == 0:
            break
        of_x, of_h, kept = _gru_slopes(h[t], inside[t], dh, made)
        found["W"] += of_x.T @ p["x"][t]
        found["U"] += of_h.T @ h[t]
        found["b"] += _bias(of_x, made) if made != "b of one gate detached" else of_x.sum(axis=0) * _without_z(of_x)
        found["x"][t] = of_x @ p["W"]
        dh = kept + of_h @ _transposed(p["U"], made)
    return found


def _without_z(of_x: Array) -> Array:
    return np.repeat([1.0, 0.0, 1.0], of_x.shape[1] // 3)


def _make_gru(rng: np.random.Generator) -> tuple[Params, Data]:
    examples, width, inputs, steps = sizes(rng, (3, 6), (2, 4), (2, 5), (3, 4))
    p = {**_weights(rng, 3, width, inputs), "x": rng.standard_normal((steps, examples, inputs))}
    return p, (rng.standard_normal((examples, width)),)


GRU = Layer(
    "GRU",
    _make_gru,
    gru_loss,
    gru_gradient,
    {
        "z and 1 − z exchanged": _INNER,
        "derivative of sigmoid at n": _SLOPE,
        "derivative of tanh at the gate z": _SLOPE,
        "n − h for h − n": f"XC202 XC234 {_SLOPE}",
        "h forgotten at the gate z": f"{_INNER} {_BRANCH}",
        "n for U h at the gate r": _INNER,
        "gate r detached": f"{_MISSING} {_BRANCH}",
        "gates r and z in the other order": _ORDER,
        "r forgotten at n": _INNER,
        "direct way through h forgotten": _BRANCH,
        "recurrent weights transposed": _TURNED,
        "first step missing": f"{_MISSING} {_BRANCH}",
        "b of one gate detached": _MISSING,
        "b averaged, not summed": _FACTOR,
    },
)

RECURRENT = (CELL, SEQUENCE, GRU)
