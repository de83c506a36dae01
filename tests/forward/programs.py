"""Programs of five networks in NumPy, PyTorch and JAX that compute the same in different steps; lines have tags.

A tag is what stands behind `# @` at the end of a line. The same tag is on the lines of all three that do the same.
"""

from collections.abc import Callable, Mapping

import numpy as np

from xcheck.trace.model import Array

Draw = Callable[[], tuple[dict[str, Array], tuple[Array, ...]]]


def _normal(seed: int, **shapes: tuple[int, ...]) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {name: 0.5 * random.standard_normal(shape) for name, shape in shapes.items()}


def _mlp() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(
        1, w1=(4, 6), b1=(6,), w2=(6, 6), b2=(6,), w3=(6, 6), b3=(6,), w4=(6, 2), b4=(2,), x=(5, 4), y=(5, 2)
    )
    return parts, (parts.pop("x"), parts.pop("y"))


def _cnn() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(2, k1=(3, 2, 3, 3), c1=(3,), k2=(4, 3, 3, 3), c2=(4,), w=(4, 2), b=(2,), x=(2, 2, 9, 9), y=(2, 2))
    return parts, (parts.pop("x"), parts.pop("y"))


def _lstm() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(3, wx=(3, 16), wh=(4, 16), b=(16,), wo=(4, 2), bo=(2,), x=(4, 5, 3), y=(5, 2))
    return parts, (parts.pop("x"), parts.pop("y"))


def _transformer() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(
        4,
        wi=(3, 8),
        g1=(8,),
        n1=(8,),
        wq=(8, 8),
        wk=(8, 8),
        wv=(8, 8),
        wo=(8, 8),
        bo=(8,),
        g2=(8,),
        n2=(8,),
        wu=(8, 12),
        bu=(12,),
        wd=(12, 8),
        bd=(8,),
        x=(2, 5, 3),
        y=(2, 5, 3),
    )
    return parts, (parts.pop("x"), parts.pop("y"))


def _classifier() -> tuple[dict[str, Array], tuple[Array, ...]]:
    parts = _normal(5, e=(7, 5), g=(5,), n=(5,), w=(5, 5), b=(5,))
    labels = np.array([0, 3, 6, 2])
    return parts, (np.array([[0, 1, 2], [3, 4, 5], [6, 0, 1], [2, 2, 4]]), labels)


DRAWS: Mapping[str, Draw] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "lstm": _lstm,
    "transformer": _transformer,
    "classifier": _classifier,
}

NUMPY: Mapping[str, str] = {
    "mlp": """
import numpy as np
from scipy.special import erf

def gelu(z):
    return z * (1 + erf(z / np.sqrt(2))) / 2  # @gelu

def loss(p, x, y):
    h = np.tanh(x @ p["w1"] + p["b1"])  # @first
    z = h @ p["w2"] + p["b2"]  # @second
    h = gelu(z)  # @gelu
    h = np.maximum(h @ p["w3"] + p["b3"], 0)  # @third
    out = h @ p["w4"] + p["b4"]  # @last
    return ((out - y) ** 2).mean()  # @loss
""",
    "cnn": """
import numpy as np

def convolve(x, k, c, stride, pad):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    rows = (x.shape[2] - 3) // stride + 1
    total = 0.0
    for i in range(3):
        for j in range(3):
            part = x[:, :, i : i + stride * rows : stride, j : j + stride * rows : stride]  # @conv1 @conv2
            total = total + np.einsum("ncij,oc->noij", part[:, :, :rows, :rows], k[:, :, i, j])  # @conv1 @conv2
    return total + c[:, None, None]  # @conv1 @conv2

def loss(p, x, y):
    h = convolve(x, p["k1"], p["c1"], 2, 1)  # @conv1
    h = np.maximum(h, 0)  # @relu
    h = convolve(h, p["k2"], p["c2"], 1, 1)  # @conv2
    h = np.tanh(h)  # @tanh
    h = h.mean((2, 3))  # @pool
    out = h @ p["w"] + p["b"]  # @out
    return ((out - y) ** 2).sum() / 2  # @loss
""",
    "lstm": """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))  # @forget @input @new @output

def loss(p, x, y):
    h = c = np.zeros((5, 4))
    for t in range(4):
        z = x[t] @ p["wx"] + h @ p["wh"] + p["b"]  # @gates
        i, f, g, o = np.split(z, 4, 1)
        f = sigmoid(f)  # @forget
        i = sigmoid(i)  # @input
        g = np.tanh(g)  # @new
        o = sigmoid(o)  # @output
        c = f * c + i * g  # @cell
        h = o * np.tanh(c)  # @hidden
    out = h @ p["wo"] + p["bo"]  # @out
    return ((out - y) ** 2).mean()  # @loss
""",
    "transformer": """
import numpy as np

def norm(x, g, n, eps):
    m = x.mean(-1, keepdims=True)  # @norm1 @norm2
    v = ((x - m) ** 2).mean(-1, keepdims=True)  # @norm1 @norm2
    return (x - m) / np.sqrt(v + eps) * g + n  # @norm1 @norm2

def softmax(s, axis):
    e = np.exp(s - s.max(axis, keepdims=True))  # @softmax
    return e / e.sum(axis, keepdims=True)  # @softmax

def gelu(z):
    return z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))  # @gelu

def loss(p, x, y):
    h = x @ p["wi"]  # @embed
    a = norm(h, p["g1"], p["n1"], 1e-5)  # @norm1
    q = (a @ p["wq"]).reshape(2, 5, 2, 4).transpose(0, 2, 1, 3)  # @query
    k = (a @ p["wk"]).reshape(2, 5, 2, 4).transpose(0, 2, 1, 3)  # @key
    v = (a @ p["wv"]).reshape(2, 5, 2, 4).transpose(0, 2, 1, 3)  # @value
    s = q @ k.transpose(0, 1, 3, 2) * 0.5  # @scores
    s = np.where(np.tril(np.ones((5, 5), bool), 0), s, -1e9)  # @mask
    w = softmax(s, -1)  # @softmax
    a = (w @ v).transpose(0, 2, 1, 3).reshape(2, 5, 8)  # @mix
    h = h + a @ p["wo"] + p["bo"]  # @residual1
    a = norm(h, p["g2"], p["n2"], 1e-5)  # @norm2
    a = a @ p["wu"] + p["bu"]  # @up
    a = gelu(a)  # @gelu
    h = h + a @ p["wd"] + p["bd"]  # @residual2
    out = h @ p["wi"].T  # @tied
    return ((out - y) ** 2).mean()  # @loss
""",
    "classifier": """
import numpy as np

def norm(x, g, n, eps):
    d = x - x.mean(-1, keepdims=True)  # @norm
    return d / (d.var(-1, keepdims=True) + eps) ** 0.5 * g + n  # @norm

def loss(p, words, labels):
    h = p["e"][words]  # @embed
    h = h.mean(1)  # @mean
    h = norm(h, p["g"], p["n"], 1e-5)  # @norm
    z = h @ p["w"] + p["b"]  # @hidden
    h = z / (1 + np.exp(-z))  # @silu
    s = h @ p["e"].T  # @scores
    top = s.max(1, keepdims=True)  # @maximum
    l = s - top - np.log(np.exp(s - top).sum(1, keepdims=True))  # @logarithm
    data = -l[np.arange(4), labels].mean()  # @pick
    return data + 0.01 * (p["w"] ** 2).sum()  # @penalty
""",
}

TORCH: Mapping[str, str] = {
    "mlp": """
import torch
import torch.nn.functional as F

def loss(p, x, y):
    h = torch.tanh(F.linear(x, p["w1"].T, p["b1"]))  # @first
    z = F.linear(h, p["w2"].T, p["b2"])  # @second
    h = F.gelu(z)  # @gelu
    h = F.relu(F.linear(h, p["w3"].T, p["b3"]))  # @third
    out = F.linear(h, p["w4"].T, p["b4"])  # @last
    return F.mse_loss(out, y)  # @loss
""",
    "cnn": """
import torch
import torch.nn.functional as F

def loss(p, x, y):
    h = F.conv2d(x, p["k1"], p["c1"], stride=2, padding=1)  # @conv1
    h = F.relu(h)  # @relu
    h = F.conv2d(h, p["k2"], p["c2"], stride=1, padding=1)  # @conv2
    h = torch.tanh(h)  # @tanh
    h = F.adaptive_avg_pool2d(h, 1).flatten(1)  # @pool
    out = F.linear(h, p["w"].T, p["b"])  # @out
    return ((out - y) ** 2).sum() / 2  # @loss
""",
    "lstm": """
import torch

def loss(p, x, y):
    h = x.new_zeros(5, 4)
    c = x.new_zeros(5, 4)
    w = torch.cat([p["wx"], p["wh"]])
    for t in range(4):
        z = torch.cat([x[t], h], 1) @ w + p["b"]  # @gates
        i, f, g, o = z.chunk(4, 1)
        f = torch.sigmoid(f)  # @forget
        i = torch.sigmoid(i)  # @input
        g = torch.tanh(g)  # @new
        o = torch.sigmoid(o)  # @output
        c = f * c + i * g  # @cell
        h = o * torch.tanh(c)  # @hidden
    out = torch.addmm(p["bo"], h, p["wo"])  # @out
    return torch.nn.functional.mse_loss(out, y)  # @loss
""",
    "transformer": """
import torch
import torch.nn.functional as F

def loss(p, x, y):
    h = x @ p["wi"]  # @embed
    a = F.layer_norm(h, (8,), p["g1"], p["n1"], 1e-5)  # @norm1
    q = (a @ p["wq"]).view(2, 5, 2, 4).transpose(1, 2)  # @query
    k = (a @ p["wk"]).view(2, 5, 2, 4).transpose(1, 2)  # @key
    v = (a @ p["wv"]).view(2, 5, 2, 4).transpose(1, 2)  # @value
    s = q @ k.transpose(2, 3) * 0.5  # @scores
    s = s.masked_fill(~torch.ones(5, 5, dtype=torch.bool).tril(0), -torch.inf)  # @mask
    w = torch.softmax(s, -1)  # @softmax
    a = (w @ v).transpose(1, 2).reshape(2, 5, 8)  # @mix
    h = h + F.linear(a, p["wo"].T, p["bo"])  # @residual1
    a = F.layer_norm(h, (8,), p["g2"], p["n2"], 1e-5)  # @norm2
    a = F.linear(a, p["wu"].T, p["bu"])  # @up
    a = F.gelu(a, approximate="tanh")  # @gelu
    h = h + F.linear(a, p["wd"].T, p["bd"])  # @residual2
    out = h @ p["wi"].T  # @tied
    return F.mse_loss(out, y)  # @loss
""",
    "classifier": """
import torch
import torch.nn.functional as F

def loss(p, words, labels):
    h = F.embedding(words, p["e"])  # @embed
    h = h.mean(1)  # @mean
    h = F.layer_norm(h, (5,), p["g"], p["n"], 1e-5)  # @norm
    z = F.linear(h, p["w"].T, p["b"])  # @hidden
    h = F.silu(z)  # @silu
    s = F.linear(h, p["e"])  # @scores
    l = F.log_softmax(s, 1)  # @logarithm
    data = F.nll_loss(l, labels)  # @pick
    return data + 0.01 * p["w"].square().sum()  # @penalty
""",
}

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

PROGRAMS: Mapping[str, Mapping[str, str]] = {"numpy": NUMPY, "torch": TORCH, "jax": JAX}
