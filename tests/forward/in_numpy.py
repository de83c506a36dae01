"""The programs in NumPy; see `tests.forward.programs`."""

from collections.abc import Mapping

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
