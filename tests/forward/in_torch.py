"""The programs in PyTorch; see `tests.forward.programs`."""

from collections.abc import Mapping

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
