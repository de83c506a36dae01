"""The losses of JAX that proofs are timed on: the usual kinds of network, and four depths of one."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.suites.proof_subject import Subject
from benchmarks.suites.random_networks import cross_entropy, weights

Draw = np.random.Generator
SEED = 7
DEPTHS = (2, 6, 12, 24)


def _dense(random: Draw, inputs: int, outputs: int) -> Any:
    return {"W": weights(random, inputs, outputs), "b": 0.1 * random.standard_normal(outputs)}


def _linear(p: Any, x: Any) -> Any:
    return x @ p["W"] + p["b"]


def _scales(random: Draw, width: int) -> Any:
    return {"g": 1 + 0.1 * random.standard_normal(width), "b": 0.1 * random.standard_normal(width)}


def _normalise(p: Any, x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * p["g"] + p["b"]


def perceptron(random: Draw, widths: Sequence[int], examples: int) -> tuple[Callable[..., Any], Any, tuple[Any, ...]]:
    """relu and cross-entropy; with one output tanh before it, and the logistic loss."""
    last = len(widths) - 2
    params = {str(k): _dense(random, a, b) for k, (a, b) in enumerate(itertools.pairwise(widths))}
    x, classes = random.standard_normal((examples, widths[0])), random.integers(0, max(widths[-1], 2), examples)

    def loss(params: Any, x: Any, classes: Any) -> Any:
        for k in range(last):
            z = _linear(params[str(k)], x)
            x = jnp.tanh(z) if widths[-1] == 1 and k == last - 1 else jax.nn.relu(z)
        z = _linear(params[str(last)], x)
        return jnp.mean(jax.nn.softplus(z[:, 0]) - classes * z[:, 0]) if widths[-1] == 1 else cross_entropy(z, classes)

    return loss, params, (x, classes)


def transformer(
    random: Draw, width: int, blocks: int, heads: int, tokens: int, sequences: int, words: int
) -> tuple[Callable[..., Any], Any, tuple[Any, ...]]:
    """Causal attention and gelu, normalised before each; cross-entropy of every token."""
    params = {
        "words": random.standard_normal((words, width)),
        "places": 0.1 * random.standard_normal((tokens, width)),
        "out": _dense(random, width, words),
    }
    for number in range(blocks):
        block = {key: _dense(random, width, width) for key in "qkvo"}
        block |= {"up": _dense(random, width, 2 * width), "down": _dense(random, 2 * width, width)}
        params[f"block{number}"] = block | {"n1": _scales(random, width), "n2": _scales(random, width)}
    ids, classes = (random.integers(0, words, (sequences, tokens)) for _ in range(2))

    def attend(p: Any, x: Any) -> Any:
        split = (sequences, tokens, heads, width // heads)
        q, k, v = (jnp.swapaxes(_linear(p[key], x).reshape(split), 1, 2) for key in "qkv")
        scores = q @ jnp.swapaxes(k, -1, -2) / np.sqrt(width // heads)
        scores = jnp.where(jnp.tril(jnp.ones((tokens, tokens), bool)), scores, -jnp.inf)
        return _linear(p["o"], jnp.swapaxes(jax.nn.softmax(scores) @ v, 1, 2).reshape(x.shape))

    def loss(params: Any, ids: Any, classes: Any) -> Any:
        x = params["words"][ids] + params["places"]
        for number in range(blocks):
            p = params[f"block{number}"]
            x = x + attend(p, _normalise(p["n1"], x))
            x = x + _linear(p["down"], jax.nn.gelu(_linear(p["up"], _normalise(p["n2"], x))))
        return cross_entropy(_linear(params["out"], x).reshape(-1, words), classes.reshape(-1))

    return loss, params, (ids, classes)


def convolutional(random: Draw, examples: int) -> tuple[Callable[..., Any], Any, tuple[Any, ...]]:
    """Two convolutions of 16 x 16 images, relu, and largest values of 2 x 2."""
    params = {
        "k1": weights(random, 3, 3, 1, 8),
        "b1": 0.1 * random.standard_normal(8),
        "k2": weights(random, 3, 3, 8, 16),
        "b2": 0.1 * random.standard_normal(16),
        "out": _dense(random, 256, 10),
    }
    x, classes = random.standard_normal((examples, 16, 16, 1)), random.integers(0, 10, examples)

    def layer(x: Any, kernel: Any, bias: Any) -> Any:
        z = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return jax.lax.reduce_window(jax.nn.relu(z + bias), -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def loss(params: Any, x: Any, classes: Any) -> Any:
        x = layer(layer(x, params["k1"], params["b1"]), params["k2"], params["b2"])
        return cross_entropy(_linear(params["out"], x.reshape(examples, -1)), classes)

    return loss, params, (x, classes)


def recurrent(random: Draw, steps: int, examples: int) -> tuple[Callable[..., Any], Any, tuple[Any, ...]]:
    """An LSTM of 32 units by scan."""
    width, inputs = 32, 8
    params = {"gates": _dense(random, inputs + width, 4 * width), "out": _dense(random, width, 5)}
    x, classes = random.standard_normal((steps, examples, inputs)), random.integers(0, 5, examples)

    def loss(params: Any, x: Any, classes: Any) -> Any:
        def step(state: Any, given: Any) -> tuple[Any, None]:
            h, c = state
            z = _linear(params["gates"], jnp.concatenate([given, h], -1))
            forget, enter, leave, new = jnp.split(z, 4, -1)
            c = jax.nn.sigmoid(forget) * c + jax.nn.sigmoid(enter) * jnp.tanh(new)
            return (jax.nn.sigmoid(leave) * jnp.tanh(c), c), None

        start = (jnp.zeros((examples, width)), jnp.zeros((examples, width)))
        (h, _), _ = jax.lax.scan(step, start, x)
        return cross_entropy(_linear(params["out"], h), classes)

    return loss, params, (x, classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofCase:
    """A loss to be timed.

    Attributes:
        name: on the command line.
        text: in tables.
        make: draws loss, params and data.
        quick: whether it is part of a quick run.
    """

    name: str
    text: str
    make: Callable[[Draw], tuple[Callable[..., Any], Any, tuple[Any, ...]]]
    quick: bool = False

    def subject(self) -> Subject:
        """Return the loss at its point."""
        loss, params, data = self.make(np.random.default_rng(SEED))
        return Subject(name=self.text, loss=loss, params=params, data=data)


def _case(name: str, text: str, make: Any, *, quick: bool = False, **arguments: Any) -> ProofCase:
    return ProofCase(name=name, text=text, make=partial(make, **arguments), quick=quick)


_BLOCK = {"width": 16, "heads": 2, "tokens": 4, "sequences": 1, "words": 20}
_LARGE = (784, 1024, 256, 10)
CASES: tuple[ProofCase, ...] = (
    _case("small", "30-16-8-1, m = 64", perceptron, quick=True, widths=(30, 16, 8, 1), examples=64),
    _case("mnist", "784-128-10, m = 64", perceptron, widths=(784, 128, 10), examples=64),
    _case(
        "transformer",
        "transformer, d 64, 2 blocks, 2 x 8 tokens",
        transformer,
        width=64,
        blocks=2,
        heads=4,
        tokens=8,
        sequences=2,
        words=40,
    ),
    _case("cnn", "convolutions, 16 x 16, m = 4", convolutional, quick=True, examples=4),
    _case("lstm", "LSTM, 20 steps, m = 4", recurrent, quick=True, steps=20, examples=4),
    _case("million", "784-1024-256-10, m = 1", perceptron, widths=_LARGE, examples=1),
    _case("million-8", "784-1024-256-10, m = 8", perceptron, widths=_LARGE, examples=8),
    *(
        _case(
            f"depth-{blocks}",
            f"transformer, d 16, {blocks} blocks",
            transformer,
            quick=blocks == DEPTHS[0],
            blocks=blocks,
            **_BLOCK,
        )
        for blocks in DEPTHS
    ),
)
BY_NAME: Mapping[str, ProofCase] = {case.name: case for case in CASES}
