"""Losses in JAX of every kind of operation, by name: what is differentiated, and θ."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

RNG = np.random.default_rng(3)
WEIGHTS = RNG.normal(size=(4, 4)) / 2
TOKENS = np.array([2, 0, 3, 3])
IMAGE = np.sin(np.arange(2 * 6 * 6)).reshape(2, 6, 6, 1)


def root_mean_square_norm(x: Any) -> Any:
    """A norm that has a derivative of its own."""
    return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-5)


def _rms_forward(x: Any) -> Any:
    y = rms_norm(x)
    return y, (y, x)


def _rms_backward(saved: Any, g: Any) -> Any:
    y, x = saved
    size = jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-5)
    return ((g - y * jnp.mean(g * y, axis=-1, keepdims=True)) / size,)


rms_norm: Any = jax.custom_vjp(root_mean_square_norm)
rms_norm.defvjp(_rms_forward, _rms_backward)


def third_power(x: Any) -> Any:
    """A power that has a derivative of its own."""
    return x**3


cube: Any = jax.custom_jvp(third_power)
cube.defjvps(lambda t, _, x: 3 * x**2 * t)


def mlp(w: Any) -> Any:
    """Two layers."""
    return jnp.mean((jnp.tanh(jnp.cos(jnp.arange(8.0)).reshape(2, 4) @ w) @ w - 1.0) ** 2)


def transformer(w: Any) -> Any:
    """Attention, norm, gelu."""
    x = jnp.asarray(WEIGHTS) * 2 + w
    for _ in range(2):
        h = rms_norm(x)
        x = x + jax.nn.softmax(jnp.where(jnp.tril(jnp.ones((4, 4), bool)), h @ w @ h.T, -jnp.inf)) @ h
        x = x + jax.nn.gelu(rms_norm(x) @ w)
    return jnp.mean(x**2)


def lstm(w: Any) -> Any:
    """A recurrence by scan."""

    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        c = jax.nn.sigmoid(w @ h + x) * c + jnp.tanh(w.T @ h + x)
        h = jax.nn.sigmoid(w @ x) * jnp.tanh(c)
        return (h, c), h

    _, states = jax.lax.scan(step, (jnp.zeros(4), jnp.ones(4)), jnp.asarray(WEIGHTS), reverse=True)
    return jnp.sum(states**2)


def cnn(w: Any) -> Any:
    """A convolution, and the largest of windows."""
    found = jax.lax.conv_general_dilated(
        jnp.asarray(IMAGE), w.reshape(2, 2, 1, 4), (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    pooled = jax.lax.reduce_window(found, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return jnp.sum(jax.nn.relu(pooled) ** 2)


def stopped(w: Any) -> Any:
    """A softmax whose largest is held, written by hand."""
    e = jnp.exp(w - jax.lax.stop_gradient(jnp.max(w, axis=-1, keepdims=True)))
    return jnp.sum((e / jnp.sum(e, axis=-1, keepdims=True)) ** 2)


def linear_algebra(w: Any) -> Any:
    """Solutions and factors."""
    a = w @ w.T + 4 * jnp.eye(4)
    return jnp.sum(jnp.linalg.solve(a + w, w[0]) ** 2) + jnp.sum(jnp.linalg.cholesky(a)) + jnp.linalg.slogdet(a)[1]


def complex_algebra(w: Any) -> Any:
    """A Hermitian matrix, its eigenvalues, its factor, and a solution; a loop of complex numbers."""
    z = w + 1j * w.T @ w
    a = z @ jnp.conj(z.T) + 4 * jnp.eye(4)
    turned = jax.lax.fori_loop(0, 3, lambda _, c: jnp.tanh(z @ c), z[0])
    found = [jnp.linalg.eigvalsh(a) ** 2, jnp.linalg.cholesky(a), jnp.linalg.solve(a + z, z[0]), turned]
    return sum(jnp.sum(jnp.abs(one) ** 2 + jnp.real(one)) for one in found)


def drawn(w: Any) -> Any:
    """A dropout with a fixed key."""
    key, other = jax.random.split(jax.random.key(0))
    return jnp.sum(w**2 * jax.random.bernoulli(key, 0.5, w.shape)) + jnp.sum(w * jax.random.normal(other, w.shape))


def noisy_loop(w: Any) -> Any:
    """A recurrence with a key for each iteration, and with one that is carried."""

    def step(carry: Any, key: Any) -> Any:
        state, own = carry
        own, other = jax.random.split(own)
        kept = jax.random.bernoulli(key, 0.5, (4,)) * jax.random.normal(other, (4,))
        return (jnp.tanh(w @ state * kept + 0.5), own), None

    (state, _), _ = jax.lax.scan(step, (jnp.ones(4), jax.random.key(1)), jax.random.split(jax.random.key(2), 3))
    return jnp.sum(state**2)


def implicit(w: Any) -> Any:
    """The root of x³ + x = w, by JAX's own rule for roots, and a linear equation that a person solves."""

    def find(f: Any, x: Any) -> Any:
        return jax.lax.fori_loop(0, 40, lambda _, x: x - f(x) / (3 * x**2 + 1), x)

    def solve(_: Any, b: Any) -> Any:
        return jnp.linalg.solve(w + 5 * jnp.eye(4), b)

    roots = jax.lax.custom_root(lambda x: x**3 + x - w, jnp.zeros((4, 4)), find, lambda g, y: y / g(jnp.ones((4, 4))))
    solved = jax.lax.custom_linear_solve(
        lambda x: w @ x + 5 * x, w[0], solve, lambda _, b: jnp.linalg.solve((w + 5 * jnp.eye(4)).T, b)
    )
    return jnp.sum(roots**2) + jnp.sum(solved**2)


LOSSES: dict[str, Callable[[Any], Any]] = {
    "mlp": mlp,
    "transformer": transformer,
    "lstm": lstm,
    "cnn": cnn,
    "stop_gradient": stopped,
    "linear algebra": linear_algebra,
    "random": drawn,
    "fft": lambda w: (
        jnp.sum(jnp.abs(jnp.fft.fft2(w) * jnp.exp(1j * w)) ** 2 * jnp.arange(4)) + jnp.fft.rfft(w).imag.sum()
    ),
    "complex algebra": complex_algebra,
    "implicit": implicit,
    "noisy loop": noisy_loop,
    "cond": lambda w: jax.lax.cond(w[0, 0] > 0, jnp.sin, jnp.cos, w).sum() + jax.lax.switch(1, [jnp.sum, jnp.prod], w),
    "where": lambda w: jnp.sum(jnp.where(w > 0, jnp.sqrt(jnp.abs(w)), w**3)),
    "embedding": lambda w: jnp.sum(w[jnp.asarray(TOKENS)] ** 3) + jnp.sum(w.at[1].add(w[2]) ** 2),
    "remat": lambda w: jnp.sum(jax.checkpoint(lambda v: jnp.sin(jnp.sin(v) @ w))(w)),
    "loop": lambda w: jnp.sum(jax.lax.fori_loop(0, 3, lambda i, c: jnp.tanh(c @ w) + i, w)),
    "vmap": lambda w: jnp.sum(jax.vmap(lambda row: rms_norm(jnp.tanh(row * w)).prod())(w)),
    "custom_jvp": lambda w: jnp.sum(cube(w) * jax.nn.softplus(w)),
    "jit": lambda w: jnp.sum(jax.jit(lambda v: jax.jit(jnp.sin)(v) * w)(w)),
    "sort": lambda w: jnp.sum(jnp.sort(w.ravel()) * jnp.arange(16)) + jax.lax.top_k(w, 2)[0].sum(),
    "while of constants": lambda w: jnp.sum(w) * jax.lax.while_loop(lambda c: c < 9.0, lambda c: 2 * c, 1.0),
    "while held": lambda w: jnp.sum(w * jax.lax.while_loop(lambda c: c < 9.0, lambda c: 2 * c, held(w))),
    "narrow": lambda w: jnp.sum(jnp.sin(w.astype(jnp.float32)).astype(jnp.float64) ** 2),
    "one parameter twice": lambda w: jnp.sum(jnp.multiply(w, w)),
    "no operation": lambda w: w.reshape(-1)[5],
}


def held(w: Any) -> Any:
    """Return a number without a gradient."""
    return jax.lax.stop_gradient(jnp.abs(w[0, 0]) + 1.0)
