"""Networks in JAX for the table of nodes: transformers, an LSTM, a convolutional network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Drawn = tuple[Callable[[Any], Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Model:
    """A network of some size.

    Attributes:
        make: sizes -> loss and parameters.
        sizes: of the network.
    """

    make: Callable[..., Drawn]
    sizes: tuple[int, ...]

    def draw(self) -> Drawn:
        """Return the loss and the parameters; the same in every run."""
        return self.make(*self.sizes)


def _weights(rng: np.random.Generator, *shape: int) -> Any:
    return rng.normal(size=shape) / 10


def transformer(width: int, hidden: int, blocks: int, examples: int = 2, tokens: int = 8) -> Drawn:
    """Attention of four heads, gelu, and norms with a scale; a vocabulary of 50."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    params: dict[str, Any] = {"emb": _weights(rng, 50, width), "head": _weights(rng, width, 50)}
    shapes = {"qkv": (width, 3 * width), "o": (width, width), "w1": (width, hidden), "b1": (hidden,)}
    shapes |= {"w2": (hidden, width), "b2": (width,), "g1": (width,), "g2": (width,)}
    for block in range(blocks):
        params |= {f"{name}_{block}": _weights(rng, *shape) + (name[0] == "g") for name, shape in shapes.items()}
    given, targets = rng.integers(0, 50, (examples, tokens)), rng.integers(0, 50, (examples, tokens))
    mask = np.where(np.tril(np.ones((tokens, tokens))) == 1, 0.0, -1e9)

    def norm(x: Any, scale: Any) -> Any:
        return (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5) * scale

    def heads(x: Any) -> Any:
        return x.reshape(examples, tokens, 4, width // 4).swapaxes(1, 2)

    def loss(params: Any) -> Any:
        x = params["emb"][given]
        for block in range(blocks):
            p = {name: params[f"{name}_{block}"] for name in shapes}
            q, k, v = map(heads, jnp.split(norm(x, p["g1"]) @ p["qkv"], 3, -1))
            attention = jax.nn.softmax(q @ k.swapaxes(-1, -2) / np.sqrt(width // 4) + mask, -1) @ v
            x = x + attention.swapaxes(1, 2).reshape(x.shape) @ p["o"]
            x = x + jax.nn.gelu(norm(x, p["g2"]) @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
        logits = jax.nn.log_softmax(x @ params["head"])
        return -jnp.take_along_axis(logits, targets[..., None], -1).mean()

    return loss, params


def lstm(inputs: int, units: int, steps: int, examples: int = 4) -> Drawn:
    """One layer, and a linear read-out of the last state."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    params = {
        "W": _weights(rng, inputs, 4 * units),
        "U": _weights(rng, units, 4 * units),
        "b": _weights(rng, 4 * units),
    }
    params |= {"out": _weights(rng, units, 3)}
    x, targets = rng.normal(size=(steps, examples, inputs)), rng.normal(size=(examples, 3))

    def loss(params: Any) -> Any:
        def step(state: Any, row: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(row @ params["W"] + h @ params["U"] + params["b"], 4, -1)
            c = jax.nn.sigmoid(f + 1) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        zero = jnp.zeros((examples, units))
        (h, _), _ = jax.lax.scan(step, (zero, zero), x)
        return jnp.mean((h @ params["out"] - targets) ** 2)

    return loss, params


def convolutional(side: int, channels: int, units: int, examples: int = 4) -> Drawn:
    """Two convolutions with stride two, and two dense layers."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    flat = channels * (side // 4) ** 2
    params = {"K1": _weights(rng, 3, 3, 3, channels), "K2": _weights(rng, 3, 3, channels, channels)}
    params |= {"W1": _weights(rng, flat, units), "b1": _weights(rng, units), "W2": _weights(rng, units, 10)}
    images, labels = rng.normal(size=(examples, side, side, 3)), rng.integers(0, 10, examples)

    def convolve(x: Any, kernel: Any) -> Any:
        names = ("NHWC", "HWIO", "NHWC")
        return jnp.tanh(jax.lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=names))

    def loss(params: Any) -> Any:
        x = convolve(convolve(images, params["K1"]), params["K2"]).reshape(examples, -1)
        logits = jnp.tanh(x @ params["W1"] + params["b1"]) @ params["W2"]
        return -jnp.mean(jax.nn.log_softmax(logits)[np.arange(examples), labels])

    return loss, params


# Of the sizes that people check, and a million.
MODELS: dict[str, Model] = {
    "transformer, 2 blocks": Model(transformer, (64, 128, 2)),
    "LSTM, 20 steps": Model(lstm, (8, 30, 20)),
    "convolutions, 4 images": Model(convolutional, (16, 32, 125)),
    "transformer, 5 blocks": Model(transformer, (128, 512, 5)),
}
