"""Random networks of JAX, by seed: perceptrons, convolutions, attention, recurrences and mixtures."""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.suites.proof_subject import Subject

Draw = np.random.Generator
ACTIVATIONS: tuple[Callable[[Any], Any], ...] = (
    *(jnp.tanh, jax.nn.relu, jax.nn.gelu, jax.nn.silu, jax.nn.elu, jax.nn.selu, jax.nn.softplus, jax.nn.mish),
    *(jax.nn.sigmoid, jax.nn.leaky_relu, jax.nn.hard_tanh, jnp.sin),
)


def weights(random: Draw, *shape: int) -> Any:
    """Draw weights whose products keep the size of what they multiply."""
    return random.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))


def cross_entropy(logits: Any, classes: Any) -> Any:
    """Return the mean over examples; logits of shape (m, classes)."""
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), classes[:, None], 1))


def _normal(random: Draw, width: int) -> Any:
    return {"g": 1 + 0.1 * random.standard_normal(width), "b": 0.1 * random.standard_normal(width)}


def _normalise(p: Any, x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * p["g"] + p["b"]


def perceptron(random: Draw) -> Subject:
    """One to four hidden layers, some with a normalisation; one of four losses."""
    widths = [int(width) for width in random.integers(2, 40, int(random.integers(3, 7)))]
    examples, act = int(random.integers(1, 20)), ACTIVATIONS[int(random.integers(len(ACTIVATIONS)))]
    normalised = bool(random.random() < 0.4)
    params = {
        f"l{number}": {"W": weights(random, a, b), "b": 0.1 * random.standard_normal(b), "n": _normal(random, b)}
        for number, (a, b) in enumerate(itertools.pairwise(widths))
    }
    kind = int(random.integers(4))
    x, y = random.standard_normal((examples, widths[0])), random.standard_normal((examples, widths[-1]))
    classes = random.integers(0, widths[-1], examples)

    def loss(params: Any, x: Any, y: Any, classes: Any) -> Any:
        for number in range(len(params)):
            layer = params[f"l{number}"]
            x = x @ layer["W"] + layer["b"]
            if number < len(params) - 1:
                x = act(_normalise(layer["n"], x) if normalised else x)
        losses = (
            lambda: cross_entropy(x, classes),
            lambda: jnp.mean((x - y) ** 2),
            lambda: jnp.mean(jax.nn.softplus(-jnp.sign(y) * x)),
            lambda: jnp.mean(jnp.sqrt(1 + (x - y) ** 2)),
        )
        return losses[kind]()

    name = f"perceptron {'-'.join(map(str, widths))}, loss {kind}"
    return Subject(name=name, loss=loss, params=params, data=(x, y, classes))


def convolution(random: Draw) -> Subject:
    """Two convolutions with strides, padding and pooling that are drawn."""
    side, examples = int(random.integers(6, 13)), int(random.integers(1, 4))
    first, second = (int(width) for width in random.integers(2, 7, 2))
    kernel, stride = int(random.integers(2, 4)), int(random.integers(1, 3))
    padding = str(random.choice(["SAME", "VALID"]))
    act = ACTIVATIONS[int(random.integers(len(ACTIVATIONS)))]
    pool = (jax.lax.max, -jnp.inf) if random.random() < 0.5 else (jax.lax.add, 0.0)
    params = {
        "k1": weights(random, kernel, kernel, 1, first),
        "k2": weights(random, 2, 2, first, second),
        "out": weights(random, second, 5),
    }
    x, classes = random.standard_normal((examples, side, side, 1)), random.integers(0, 5, examples)

    def convolve(x: Any, w: Any, stride: int) -> Any:
        numbers = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, w, (stride, stride), padding, dimension_numbers=numbers)

    def loss(params: Any, x: Any, classes: Any) -> Any:
        x = act(convolve(x, params["k1"], stride))
        x = jax.lax.reduce_window(x, pool[1], pool[0], (1, 2, 2, 1), (1, 1, 1, 1), "SAME")
        x = act(convolve(x, params["k2"], 1)).mean((1, 2))
        return cross_entropy(x @ params["out"], classes)

    return Subject(name=f"convolution {side}x{side}, {padding}", loss=loss, params=params, data=(x, classes))


def attention(random: Draw) -> Subject:
    """A block of a transformer over embeddings, some with a mask."""
    heads, head, tokens, words = (int(number) for number in random.integers([1, 2, 2, 4], [4, 6, 9, 20]))
    width, masked = heads * head, bool(random.random() < 0.5)
    act = ACTIVATIONS[int(random.integers(len(ACTIVATIONS)))]
    params = {"embedding": random.standard_normal((words, width)), "n": _normal(random, width)}
    params |= {key: weights(random, width, width) for key in "qkvo"}
    params |= {"up": weights(random, width, 2 * width), "down": weights(random, 2 * width, width)}
    ids, classes = random.integers(0, words, tokens), random.integers(0, words, tokens)

    def loss(params: Any, ids: Any, classes: Any) -> Any:
        x = params["embedding"][ids]
        h = _normalise(params["n"], x)
        q, k, v = (jnp.swapaxes((h @ params[key]).reshape(tokens, heads, head), 0, 1) for key in "qkv")
        scores = q @ jnp.swapaxes(k, 1, 2) / np.sqrt(head)
        if masked:
            scores = jnp.where(jnp.tril(jnp.ones((tokens, tokens), bool)), scores, -jnp.inf)
        mixed = jnp.swapaxes(jax.nn.softmax(scores) @ v, 0, 1).reshape(tokens, width)
        x = x + mixed @ params["o"]
        x = x + act(_normalise(params["n"], x) @ params["up"]) @ params["down"]
        return cross_entropy(x @ params["embedding"].T, classes)

    return Subject(name=f"attention {heads} x {head}, {tokens} tokens", loss=loss, params=params, data=(ids, classes))


def recurrence(random: Draw) -> Subject:
    """A gated recurrence by scan."""
    steps, inputs, width, examples = (int(number) for number in random.integers([2, 1, 2, 1], [12, 6, 12, 5]))
    params = {"W": weights(random, inputs + width, 3 * width), "b": 0.1 * random.standard_normal(3 * width)}
    params["out"] = weights(random, width, 3)
    x, classes = random.standard_normal((steps, examples, inputs)), random.integers(0, 3, examples)

    def loss(params: Any, x: Any, classes: Any) -> Any:
        def step(h: Any, given: Any) -> tuple[Any, None]:
            z = jnp.concatenate([given, h], -1) @ params["W"] + params["b"]
            update, reset, new = jnp.split(z, 3, -1)
            update = jax.nn.sigmoid(update)
            return update * h + (1 - update) * jnp.tanh(new * jax.nn.sigmoid(reset)), None

        h, _ = jax.lax.scan(step, jnp.zeros((examples, width), x.dtype), x)
        return cross_entropy(h @ params["out"], classes)

    return Subject(name=f"recurrence of {steps} steps, {width} units", loss=loss, params=params, data=(x, classes))


def mixture(random: Draw) -> Subject:
    """The negative log-likelihood of a mixture of Gaussians."""
    count, axes, examples = (int(number) for number in random.integers([2, 1, 3], [6, 5, 30]))
    params = {
        "means": random.standard_normal((count, axes)),
        "scales": 0.3 * random.standard_normal((count, axes)),
        "logits": random.standard_normal(count),
    }
    x = random.standard_normal((examples, axes))

    def loss(params: Any, x: Any) -> Any:
        z = (x[:, None] - params["means"]) * jnp.exp(-params["scales"])
        logs = -0.5 * (z**2).sum(-1) - params["scales"].sum(-1) + jax.nn.log_softmax(params["logits"])
        return -jnp.mean(jax.nn.logsumexp(logs, axis=-1))

    return Subject(name=f"mixture of {count} in {axes} dimensions", loss=loss, params=params, data=(x,))


KINDS: tuple[Callable[[Draw], Subject], ...] = (perceptron, convolution, attention, recurrence, mixture)


def network(seed: int) -> Subject:
    """Return a network; the kinds take turns."""
    return KINDS[seed % len(KINDS)](np.random.default_rng([seed, 2]))
