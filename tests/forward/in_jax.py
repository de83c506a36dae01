"""The programs in JAX; see `tests.forward.programs`."""

from collections.abc import Mapping

JAX: Mapping[str, str] = {
    "mlp": """
import jax
import jax.numpy as jnp

def loss(p, x, y):
    h = jnp.tanh(jnp.dot(x, p["w1"]) + p["b1"])  # @first
    z = jnp.dot(h, p["w2"]) + p["b2"]  # @second
    h = jax.nn.gelu(z, approximate=False)  # @gelu
    h = jax.nn.relu(jnp.dot(h, p["w3"]) + p["b3"])  # @third
    out = jnp.dot(h, p["w4"]) + p["b4"]  # @last
    return jnp.mean(jnp.square(out - y))  # @loss
""",
    "cnn": """
import jax
import jax.numpy as jnp

def convolve(x, k, c, stride, pad):
    k = jnp.transpose(k, (2, 3, 1, 0))
    axes = ("NHWC", "HWIO", "NHWC")
    out = jax.lax.conv_general_dilated(x, k, (stride, stride), [(pad, pad)] * 2, None, None, axes)  # @conv1 @conv2
    return out + c  # @conv1 @conv2

def loss(p, x, y):
    x = jnp.transpose(x, (0, 2, 3, 1))
    h = convolve(x, p["k1"], p["c1"], 2, 1)  # @conv1
    h = jax.nn.relu(h)  # @relu
    h = convolve(h, p["k2"], p["c2"], 1, 1)  # @conv2
    h = jnp.tanh(h)  # @tanh
    h = h.mean((1, 2))  # @pool
    out = h @ p["w"] + p["b"]  # @out
    return 0.5 * jnp.sum((out - y) ** 2)  # @loss
""",
    "lstm": """
import jax
import jax.numpy as jnp

def step(p, carry, x):
    h, c = carry
    z = jnp.dot(x, p["wx"]) + jnp.dot(h, p["wh"]) + p["b"]  # @gates
    i, f, g, o = jnp.split(z, 4, -1)
    f = jax.nn.sigmoid(f)  # @forget
    i = jax.nn.sigmoid(i)  # @input
    g = jnp.tanh(g)  # @new
    o = jax.nn.sigmoid(o)  # @output
    c = f * c + i * g  # @cell
    h = o * jnp.tanh(c)  # @hidden
    return (h, c), None

def loss(p, x, y):
    zeros = jnp.zeros((5, 4))
    (h, _), _ = jax.lax.scan(lambda carry, x: step(p, carry, x), (zeros, zeros), x)
    out = h @ p["wo"] + p["bo"]  # @out
    return jnp.mean((out - y) ** 2)  # @loss
""",
    "transformer": """
import jax
import jax.numpy as jnp

def norm(x, g, n, eps):
    v = jnp.mean(x**2, -1, keepdims=True) - x.mean(-1, keepdims=True) ** 2  # @norm1 @norm2
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(v + eps) * g + n  # @norm1 @norm2

def loss(p, x, y):
    h = jnp.einsum("btc,cd->btd", x, p["wi"])  # @embed
    a = norm(h, p["g1"], p["n1"], 1e-5)  # @norm1
    q = jnp.einsum("btd,dhk->bthk", a, p["wq"].reshape(8, 2, 4))  # @query
    k = jnp.einsum("btd,dhk->bthk", a, p["wk"].reshape(8, 2, 4))  # @key
    v = jnp.einsum("btd,dhk->bthk", a, p["wv"].reshape(8, 2, 4))  # @value
    s = jnp.einsum("bihk,bjhk->bhij", q, k) * 0.5  # @scores
    s = jnp.where(jnp.tril(jnp.ones((5, 5), bool), 0), s, -jnp.inf)  # @mask
    w = jax.nn.softmax(s, axis=-1)  # @softmax
    a = jnp.einsum("bhij,bjhk->bihk", w, v)  # @mix
    h = h + jnp.einsum("bihk,hkd->bid", a, p["wo"].reshape(2, 4, 8)) + p["bo"]  # @residual1
    a = norm(h, p["g2"], p["n2"], 1e-5)  # @norm2
    a = a @ p["wu"] + p["bu"]  # @up
    a = jax.nn.gelu(a, approximate=True)  # @gelu
    h = h + a @ p["wd"] + p["bd"]  # @residual2
    out = jnp.einsum("btd,cd->btc", h, p["wi"])  # @tied
    return jnp.mean((out - y) ** 2)  # @loss
""",
    "classifier": """
import jax
import jax.numpy as jnp

def norm(x, g, n, eps):
    return jax.nn.standardize(x, axis=-1, epsilon=eps) * g + n  # @norm

def loss(p, words, labels):
    h = jnp.take(p["e"], words, axis=0)  # @embed
    h = h.mean(1)  # @mean
    h = norm(h, p["g"], p["n"], 1e-5)  # @norm
    z = h @ p["w"] + p["b"]  # @hidden
    h = jax.nn.silu(z)  # @silu
    s = h @ p["e"].T  # @scores
    l = jax.nn.log_softmax(s, axis=1)  # @logarithm
    data = -jnp.mean(jnp.sum(jax.nn.one_hot(labels, 7) * l, 1))  # @pick
    return data + 0.01 * jnp.sum(p["w"] ** 2)  # @penalty
""",
}
