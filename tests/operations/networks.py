"""Eight networks, written once for JAX and PyTorch in terms of operations, any of which may have a wrong backward pass.

`ops.rms_norm_2` is the operation `rms_norm` at a site of its own: `tests.operations.planted` puts a mistake there.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Params = dict[str, NDArray[np.float64]]
Draw = Callable[..., NDArray[np.float64]]


def mlp(p: Mapping[str, Any], x: Any, y: Any, ops: Any) -> Any:
    """Two hidden layers, cross entropy."""
    h = ops.tanh_1(ops.add_1(ops.matmul_1(x, p["w1"]), p["b1"]))
    h = ops.gelu_1(ops.add_2(ops.matmul_2(h, p["w2"]), p["b2"]))
    logits = ops.matmul_3(h, p["w3"])
    return ops.cross_entropy_1(logits, y)


def cnn(p: Mapping[str, Any], x: Any, y: Any, ops: Any) -> Any:
    """Convolution, batch norm, relu, pooling, twice."""
    h = ops.conv_1(x, p["k1"])
    h = ops.batch_norm_1(h, p["g1"], p["c1"])
    h = ops.mean_pool_1(ops.relu_1(h))
    h = ops.conv_2(h, p["k2"])
    h = ops.relu_2(ops.batch_norm_2(h, p["g2"], p["c2"]))
    logits = ops.matmul_1(ops.spatial_mean_1(h), p["w"])
    return ops.cross_entropy_1(logits, y)


def residual(p: Mapping[str, Any], x: Any, y: Any, ops: Any) -> Any:
    """A block with a shortcut: what it reads flows around it."""
    h = ops.conv_1(x, p["k0"])
    z = ops.relu_1(ops.batch_norm_1(ops.conv_2(h, p["k1"]), p["g1"], p["c1"]))
    z = ops.batch_norm_2(ops.conv_3(z, p["k2"]), p["g2"], p["c2"])
    h = ops.relu_2(ops.add_1(h, z))
    prediction = ops.matmul_1(ops.spatial_mean_1(h), p["w"])
    return ops.square_error_1(prediction, y)


def lstm(p: Mapping[str, Any], x: Any, y: Any, ops: Any) -> Any:
    """Gates over time, by the framework's own loop."""

    def step(state: Any, now: Any) -> Any:
        hidden, cell = state
        i = ops.sigmoid_1(ops.add_1(ops.matmul_1(now, p["wi"]), ops.matmul_2(hidden, p["ui"])))
        f = ops.sigmoid_2(ops.add_2(ops.matmul_3(now, p["wf"]), ops.matmul_4(hidden, p["uf"])))
        o = ops.sigmoid_3(ops.add_3(ops.matmul_5(now, p["wo"]), ops.matmul_6(hidden, p["uo"])))
        new = ops.tanh_1(ops.add_4(ops.matmul_7(now, p["wc"]), ops.matmul_8(hidden, p["uc"])))
        cell = ops.add_5(ops.multiply_1(f, cell), ops.multiply_2(i, new))
        return ops.multiply_3(o, ops.tanh_2(cell)), cell

    start = ops.matmul_9(x[0], p["s"])
    hidden, _ = ops.loop(step, (start, start), x)
    return ops.square_error_1(ops.matmul_10(hidden, p["w"]), y)


def gru(p: Mapping[str, Any], x: Any, y: Any, ops: Any) -> Any:
    """Two gates over time."""

    def step(state: Any, now: Any) -> Any:
        (hidden,) = state
        z = ops.sigmoid_1(ops.add_1(ops.matmul_1(now, p["wz"]), ops.matmul_2(hidden, p["uz"])))
        r = ops.sigmoid_2(ops.add_2(ops.matmul_3(now, p["wr"]), ops.matmul_4(hidden, p["ur"])))
        new = ops.tanh_1(ops.add_3(ops.matmul_5(now, p["wh"]), ops.matmul_6(ops.multiply_1(r, hidden), p["uh"])))
        return (ops.mix_1(z, hidden, new),)

    (hidden,) = ops.loop(step, (ops.matmul_7(x[0], p["s"]),), x)
    return ops.square_error_1(ops.matmul_8(hidden, p["w"]), y)


def encoder(p: Mapping[str, Any], x: Any, y: Any, ops: Any) -> Any:
    """A transformer block with layer norms, and a mean over the positions."""
    h = ops.layer_norm_1(x, p["g1"], p["c1"])
    q, k, v = ops.matmul_1(h, p["q"]), ops.matmul_2(h, p["k"]), ops.matmul_3(h, p["v"])
    weights = ops.softmax_1(ops.scores_1(q, k))
    x = ops.add_1(x, ops.matmul_5(ops.matmul_4(weights, v), p["o"]))
    h = ops.layer_norm_2(x, p["g2"], p["c2"])
    x = ops.add_2(x, ops.matmul_7(ops.gelu_1(ops.matmul_6(h, p["u"])), p["d"]))
    return ops.cross_entropy_1(ops.matmul_8(ops.position_mean_1(x), p["w"]), y)


def decoder(p: Mapping[str, Any], x: Any, y: Any, ops: Any) -> Any:
    """Words, rotary positions, a causal mask, root-mean-square norms."""
    h = ops.embed_1(p["e"], x)
    n = ops.rms_norm_1(h, p["g1"])
    q, k, v = ops.rotate_1(ops.matmul_1(n, p["q"])), ops.rotate_2(ops.matmul_2(n, p["k"])), ops.matmul_3(n, p["v"])
    weights = ops.softmax_1(ops.causal_1(ops.scores_1(q, k)))
    h = ops.add_1(h, ops.matmul_5(ops.matmul_4(weights, v), p["o"]))
    n = ops.rms_norm_2(h, p["g2"])
    h = ops.add_2(h, ops.matmul_7(ops.silu_1(ops.matmul_6(n, p["u"])), p["d"]))
    return ops.cross_entropy_1(ops.matmul_8(h, p["w"]), y)


def graph(p: Mapping[str, Any], x: Any, y: Any, ops: Any) -> Any:
    """Two graph convolutions; the last row of x is no node but the degrees."""
    h = ops.relu_1(ops.matmul_1(ops.aggregate_1(x), p["w1"]))
    h = ops.layer_norm_1(h, p["g"], p["c"])
    h = ops.tanh_1(ops.matmul_2(ops.aggregate_2(h), p["w2"]))
    return ops.square_error_1(ops.matmul_3(h, p["w3"]), y)


@dataclass(frozen=True)
class Network:
    """A network, and how its parameters and data are drawn.

    Attributes:
        loss: parameters, x, y, ops -> the loss.
        shapes: of the parameters.
        x: shape of the input; integers below 7 where `words`.
        y: shape of the target, or of integers below 3.
        words: whether x is made of integers.
        classes: whether y is.
    """

    loss: Callable[..., Any]
    shapes: Mapping[str, tuple[int, ...]]
    x: tuple[int, ...]
    y: tuple[int, ...]
    words: bool = False
    classes: bool = True

    def draw(self, seed: int) -> tuple[Params, NDArray[Any], NDArray[Any]]:
        """Return parameters and data."""
        rng = np.random.default_rng(seed)
        params = {}
        for name, shape in self.shapes.items():
            spread = 1 / np.sqrt(max(shape[0], 1)) if len(shape) == 2 else 0.4
            params[name] = rng.normal(size=shape) * spread + (1.0 if name.startswith("g") else 0.0)
        x = rng.integers(0, 7, self.x) if self.words else rng.normal(size=self.x)
        y = rng.integers(0, 3, self.y) if self.classes else rng.normal(size=self.y)
        return params, x, y

    @property
    def lines(self) -> Mapping[str, int]:
        """The line of each site."""
        source, first = inspect.getsourcelines(self.loss)
        return {
            word.partition("(")[0]: first + offset
            for offset, line in enumerate(source)
            for word in line.split("ops.")[1:]
            if not word.startswith("loop")
        }


_GATES = {f"{kind}{gate}": (4 if kind == "w" else 5, 5) for kind in "wu" for gate in "ifoc"}
_GRU = {f"{kind}{gate}": (4 if kind == "w" else 5, 5) for kind in "wu" for gate in "zrh"}
_ATTENTION = dict.fromkeys("qkvo", (6, 6)) | {"u": (6, 8), "d": (8, 6), "w": (6, 3)}
_NORMS = {"g1": (6,), "c1": (6,), "g2": (6,), "c2": (6,)}

NETWORKS: Mapping[str, Network] = {
    "mlp": Network(mlp, {"w1": (5, 7), "b1": (7,), "w2": (7, 6), "b2": (6,), "w3": (6, 3)}, (9, 5), (9,)),
    "cnn": Network(
        cnn,
        {"k1": (3, 2, 3, 3), "g1": (3,), "c1": (3,), "k2": (4, 3, 3, 3), "g2": (4,), "c2": (4,), "w": (4, 3)},
        (3, 2, 6, 6),
        (3,),
    ),
    "residual": Network(
        residual,
        {"k0": (3, 2, 3, 3), "k1": (3, 3, 3, 3), "k2": (3, 3, 3, 3), "w": (3, 2)}
        | {"g1": (3,), "c1": (3,), "g2": (3,), "c2": (3,)},
        (3, 2, 5, 5),
        (3, 2),
        classes=False,
    ),
    "lstm": Network(lstm, {**_GATES, "s": (4, 5), "w": (5, 2)}, (6, 3, 4), (3, 2), classes=False),
    "gru": Network(gru, {**_GRU, "s": (4, 5), "w": (5, 2)}, (6, 3, 4), (3, 2), classes=False),
    "encoder": Network(encoder, {**_ATTENTION, **_NORMS}, (2, 5, 6), (2,)),
    "decoder": Network(decoder, {**_ATTENTION, "e": (7, 6), "g1": (6,), "g2": (6,)}, (2, 5), (2, 5), words=True),
    "graph": Network(
        graph, {"w1": (4, 6), "g": (6,), "c": (6,), "w2": (6, 5), "w3": (5, 2)}, (8, 4), (8, 2), classes=False
    ),
}
