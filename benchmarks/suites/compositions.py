"""Random functions of JAX, by seed: compositions of some 40 kinds of step on a vector, and a number made of the last.

A step keeps the length of the vector and moderate sizes, so that any may follow any.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.suites.proof_subject import Subject

Draw = np.random.Generator
# x, weights of the step, indices of the step -> x.
Step = Callable[[Any, Any, Any], Any]
_EPSILON = 1e-5  # under a square root: far from 0, as layers of networks have it


def _normalise(x: Any, w: Any, at: Any) -> Any:
    return (x - x.mean()) / jnp.sqrt(x.var() + _EPSILON) * w


def _scan(x: Any, w: Any, at: Any) -> Any:
    def step(state: Any, given: Any) -> tuple[Any, Any]:
        state = jnp.tanh(0.5 * state + given)
        return state, state

    return jax.lax.scan(step, jnp.zeros((), x.dtype), x * w)[1]


def _loop(x: Any, w: Any, at: Any) -> Any:
    return jax.lax.fori_loop(0, 4, lambda number, state: jnp.sin(state * w) + 0.5 * x, x)


def _branch(x: Any, w: Any, at: Any) -> Any:
    return jax.lax.cond(x.sum() > w.sum(), jnp.cos, lambda y: y / (2 + jnp.abs(y)), x)


def _window(x: Any, w: Any, at: Any) -> Any:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (3,), (1,), "SAME") + w * x


def _convolve(x: Any, w: Any, at: Any) -> Any:
    return jnp.convolve(x, w[:3], mode="same")


def _outer(x: Any, w: Any, at: Any) -> Any:
    return jnp.tanh(jnp.outer(x, w)) @ x / x.size


def _attend(x: Any, w: Any, at: Any) -> Any:
    return jax.nn.softmax(jnp.outer(x, w) * 0.5, axis=-1) @ x


def _segments(x: Any, w: Any, at: Any) -> Any:
    return jax.ops.segment_sum(x * w, at % 3, num_segments=3)[at % 3] / 2 + x


def _distances(x: Any, w: Any, at: Any) -> Any:
    return jnp.exp(-((x[:, None] - x[None, :]) ** 2)) @ w / 2


def _powers(x: Any, w: Any, at: Any) -> Any:
    return (1 + x**2) ** (0.3 * w)


def _where(x: Any, w: Any, at: Any) -> Any:
    return jnp.where(x > w, jnp.sqrt(1 + jnp.abs(x)), jnp.expm1(0.5 * jnp.minimum(x, 3)))


STEPS: Mapping[str, Step] = {
    "tanh": lambda x, w, at: jnp.tanh(x * w),
    "softplus": lambda x, w, at: jax.nn.softplus(x + w),
    "sigmoid": lambda x, w, at: jax.nn.sigmoid(x) * w,
    "softmax": lambda x, w, at: jax.nn.softmax(x) * x.size,
    "log softmax": lambda x, w, at: jax.nn.log_softmax(x) * w,
    "normalise": _normalise,
    "unit": lambda x, w, at: 3 * x / jnp.linalg.norm(x + w),
    "square": lambda x, w, at: x * x / (1 + jnp.abs(w)),
    "bounded exp": lambda x, w, at: jnp.exp(jnp.clip(x, -2, 1)) + w * x,
    "log1p": lambda x, w, at: jnp.log1p(x * x) - w,
    "sin": lambda x, w, at: jnp.sin(3 * x + w),
    "cos": lambda x, w, at: x * jnp.cos(x * w),
    "atan2": lambda x, w, at: jnp.arctan2(x, 1.5 + w * w),
    "asinh": lambda x, w, at: jnp.arcsinh(x) + 0.1 * w,
    "cube root": lambda x, w, at: jnp.cbrt(3 + x) * w,
    "rational": lambda x, w, at: (x + w) / (1 + x * x),
    "cumsum": lambda x, w, at: jnp.cumsum(x * w) / np.sqrt(x.size),
    "cumprod": lambda x, w, at: jnp.cumprod(1 + 0.3 * jnp.tanh(x)) * w,
    "cummax": lambda x, w, at: jax.lax.cummax(x) + 0.3 * x * w,
    "logcumsumexp": lambda x, w, at: jax.lax.cumlogsumexp(x) - w,
    "sort": lambda x, w, at: jnp.sort(x) * w,
    "gather": lambda x, w, at: x[at] * w + 0.5 * x,
    "scatter": lambda x, w, at: x.at[at].add(w * x),
    "difference": lambda x, w, at: x - jnp.roll(x, 1) + 0.1 * w,
    "flip": lambda x, w, at: jnp.flip(x) * w + x,
    "relu": lambda x, w, at: jax.nn.relu(x) + 0.1 * w * x,
    "leaky relu": lambda x, w, at: jax.nn.leaky_relu(x - w),
    "elu": lambda x, w, at: jax.nn.elu(x + 0.3 * w),
    "gelu": lambda x, w, at: jax.nn.gelu(x) + 0.2 * w,
    "exact gelu": lambda x, w, at: jax.nn.gelu(x, approximate=False) - w,
    "mish": lambda x, w, at: jax.nn.mish(x * w),
    "erf": lambda x, w, at: jax.scipy.special.erf(x) + 0.3 * w * x,
    "logaddexp": lambda x, w, at: jnp.logaddexp(x, w * x),
    "hypot": lambda x, w, at: jnp.hypot(x, 1 + w * w),
    "maximum": lambda x, w, at: jnp.maximum(x, w) + jnp.minimum(x, 0.5),
    "powers": _powers,
    "where": _where,
    "scan": _scan,
    "loop": _loop,
    "branch": _branch,
    "window": _window,
    "convolve": _convolve,
    "outer": _outer,
    "attend": _attend,
    "segments": _segments,
    "distances": _distances,
}
ENDS: Mapping[str, Callable[[Any, Any], Any]] = {
    "log-sum-exp": lambda x, c: jax.nn.logsumexp(x) + x @ c,
    "mean square": lambda x, c: jnp.mean((x - c) ** 2),
    "cross-entropy": lambda x, c: -jnp.sum(jax.nn.softmax(c) * jax.nn.log_softmax(x)),
    "huber": lambda x, c: jnp.mean(jnp.where(jnp.abs(x - c) < 1, (x - c) ** 2 / 2, jnp.abs(x - c) - 0.5)),
    "log of squares": lambda x, c: jnp.log(1 + jnp.sum(x * x * jnp.abs(c))),
    "logistic": lambda x, c: jnp.mean(jax.nn.softplus(-jnp.sign(c) * x)),
    "product": lambda x, c: jnp.prod(1 + 0.1 * jnp.tanh(x * c)),
    "cosine": lambda x, c: x @ c / jnp.sqrt((x @ x + _EPSILON) * (c @ c)),
}


def composition(seed: int) -> Subject:
    """Return a function of 3 to 12 steps on 4 to 64 numbers; about half of the steps have weights of their own."""
    random = np.random.default_rng([seed, 1])
    size = int(random.integers(4, 65))
    names = [str(name) for name in random.choice(list(STEPS), int(random.integers(3, 13)))]
    end = str(random.choice(list(ENDS)))
    places = [random.integers(0, size, size) for _ in names]
    params = {"x": random.standard_normal(size), "c": random.standard_normal(size)}
    fixed: dict[str, Any] = {}
    for number in range(len(names)):
        chosen = params if random.random() < 0.5 else fixed
        chosen[f"w{number}"] = random.standard_normal(size)
    if random.random() < 0.6:
        params["W"] = random.standard_normal((size, size)) / np.sqrt(size)

    def loss(params: Any, fixed: Any) -> Any:
        x = params["x"]
        if "W" in params:
            x = params["W"] @ x
        for number, name in enumerate(names):
            key = f"w{number}"
            x = STEPS[name](x, params[key] if key in params else fixed[key], places[number])
        return ENDS[end](x, params["c"])

    return Subject(name=f"{', '.join(names)}; {end}", loss=loss, params=params, data=(fixed,))
