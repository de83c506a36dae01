"""Differences, each of one line of one network, in every framework."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """A difference.

    Attributes:
        network: its name.
        name: what is different.
        tag: of the line.
        edits: by framework what is replaced on that line, and by what; "*" for those that are not named.
        also: tags of further lines that are as good an answer, as those are that follow a step that is missing.
    """

    network: str
    name: str
    tag: str
    edits: Mapping[str, tuple[str, str]]
    also: tuple[str, ...] = ()

    def edit(self, framework: str) -> tuple[str, str]:
        """Return what is replaced in the program of a framework."""
        return self.edits.get(framework) or self.edits["*"]


PLANTS = (
    Plant("mlp", "bias missing", "second", {"torch": (', p["b2"]', ""), "*": (' + p["b2"]', "")}, also=("gelu",)),
    Plant("mlp", "other bias", "third", {"*": ('"b3"', '"b2"')}),
    Plant("mlp", "layers swapped", "second", {"*": ('"w2"', '"w3"')}),
    Plant("mlp", "weight transposed", "third", {"torch": ('p["w3"].T', 'p["w3"]'), "*": ('"w3"]', '"w3"].T')}),
    Plant(
        "mlp",
        "other gelu",
        "gelu",
        {
            "numpy": ("gelu(z)", "z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))"),
            "torch": ("gelu(z)", 'gelu(z, approximate="tanh")'),
            "jax": (", approximate=False", ", approximate=True"),
        },
    ),
    Plant(
        "mlp",
        "leaky relu",
        "third",
        {
            "numpy": (
                'np.maximum(h @ p["w3"] + p["b3"], 0)',
                'np.maximum(h @ p["w3"] + p["b3"], 0.01 * (h @ p["w3"] + p["b3"]))',
            ),
            "torch": ("F.relu(", "F.leaky_relu("),
            "jax": ("jax.nn.relu(", "jax.nn.leaky_relu("),
        },
    ),
    Plant(
        "mlp",
        "sum for mean",
        "loss",
        {"numpy": ("mean()", "sum()"), "torch": ("y)", 'y, reduction="sum")'), "jax": ("jnp.mean", "jnp.sum")},
    ),
    Plant(
        "mlp",
        "tanh missing",
        "first",
        {"torch": ("torch.tanh(", "("), "numpy": ("np.tanh(", "("), "jax": ("jnp.tanh(", "(")},
        also=("second",),
    ),
    Plant("cnn", "stride", "conv2", {"torch": ("stride=1", "stride=2"), "*": (", 1, 1)", ", 2, 1)")}),
    Plant("cnn", "padding", "conv1", {"torch": ("padding=1", "padding=0"), "*": (", 2, 1)", ", 2, 0)")}),
    Plant("cnn", "padding, the second", "conv2", {"torch": ("padding=1", "padding=2"), "*": (", 1, 1)", ", 1, 2)")}),
    Plant("cnn", "bias of the other", "conv1", {"torch": ('p["c1"]', 'p["c1"] * 2'), "*": ('p["c1"]', 'p["c1"] * 2')}),
    Plant(
        "cnn",
        "kernel flipped",
        "conv2",
        {"torch": ('p["k2"]', 'p["k2"].flip(2)'), "*": ('p["k2"]', 'p["k2"][:, :, ::-1]')},
    ),
    Plant("cnn", "maximum for mean", "pool", {"torch": ("adaptive_avg", "adaptive_max"), "*": (".mean(", ".max(")}),
    Plant("cnn", "half missing", "loss", {"numpy": (" / 2", ""), "torch": (" / 2", ""), "jax": ("0.5 * ", "")}),
    Plant(
        "cnn",
        "relu missing",
        "relu",
        {"numpy": ("np.maximum(h, 0)", "h"), "torch": ("F.relu(h)", "h"), "jax": ("jax.nn.relu(h)", "h")},
        also=("conv2",),
    ),
    Plant(
        "cnn",
        "dropout",
        "tanh",
        {
            "numpy": ("np.tanh(h)", "np.tanh(h) * (np.random.default_rng(0).random(h.shape) < 0.5) * 2"),
            "torch": ("(h)", "(h) * (torch.rand(h.shape, generator=torch.Generator().manual_seed(0)) < 0.5) * 2"),
            "jax": ("jnp.tanh(h)", "jnp.tanh(h) * jax.random.bernoulli(jax.random.key(0), 0.5, h.shape) * 2"),
        },
        also=("pool",),
    ),
    Plant("lstm", "gates in another order", "cell", {"*": ("f * c + i * g", "i * c + f * g")}),
    Plant("lstm", "forget bias", "forget", {"*": ("(f)", "(f + 1)")}),
    Plant(
        "lstm",
        "tanh of the cell missing",
        "hidden",
        {"numpy": ("np.tanh(c)", "c"), "torch": ("torch.tanh(c)", "c"), "jax": ("jnp.tanh(c)", "c")},
    ),
    Plant(
        "lstm",
        "sigmoid for tanh",
        "new",
        {
            "numpy": ("np.tanh", "sigmoid"),
            "torch": ("torch.tanh", "torch.sigmoid"),
            "jax": ("jnp.tanh", "jax.nn.sigmoid"),
        },
    ),
    Plant("lstm", "bias missing", "gates", {"*": (' + p["b"]', "")}, also=("forget", "input", "new", "output")),
    Plant("lstm", "bias twice", "out", {"torch": ('p["bo"]', '2 * p["bo"]'), "*": ('p["bo"]', '2 * p["bo"]')}),
    Plant(
        "lstm",
        "sum over examples",
        "loss",
        {
            "numpy": (".mean()", ".sum() / 2"),
            "torch": ("y)", 'y, reduction="sum") / 2'),
            "jax": ("jnp.mean((out - y) ** 2)", "jnp.sum((out - y) ** 2) / 2"),
        },
    ),
    Plant("transformer", "epsilon", "norm1", {"*": ("1e-5", "1e-3")}),
    Plant("transformer", "small epsilon", "norm2", {"*": ("1e-5", "1e-6")}),
    Plant("transformer", "scale missing", "scores", {"*": (" * 0.5", "")}, also=("mask", "softmax")),
    Plant("transformer", "scale by d", "scores", {"*": (" * 0.5", " * 0.25")}),
    Plant(
        "transformer",
        "mask off by one",
        "mask",
        {"numpy": ("bool), 0)", "bool), 1)"), "torch": ("tril(0)", "tril(1)"), "jax": ("bool), 0)", "bool), 1)")},
    ),
    Plant(
        "transformer",
        "mask strict",
        "mask",
        {"numpy": ("bool), 0)", "bool), -1)"), "torch": ("-torch.inf", "-2.0"), "jax": ("-jnp.inf", "-2.0")},
    ),
    Plant("transformer", "axis of the softmax", "softmax", {"*": ("-1", "-2")}),
    Plant("transformer", "softmax over heads", "softmax", {"*": ("-1", "1")}),
    Plant("transformer", "keys for values", "value", {"*": ('"wv"', '"wk"')}, also=("mix",)),
    Plant("transformer", "residual missing", "residual1", {"*": ("h = h + ", "h = ")}, also=("norm2",)),
    Plant("transformer", "residual of the norm", "residual2", {"*": ("h = h + ", "h = a[..., :8] + ")}),
    Plant(
        "transformer",
        "norm left out",
        "norm2",
        {
            "numpy": ('norm(h, p["g2"], p["n2"], 1e-5)', "h"),
            "torch": ('F.layer_norm(h, (8,), p["g2"], p["n2"], 1e-5)', "h"),
            "jax": ('norm(h, p["g2"], p["n2"], 1e-5)', "h"),
        },
        also=("up",),
    ),
    Plant(
        "transformer",
        "norm after the residual",
        "residual1",
        {
            "numpy": ("h = h + ", 'h = norm(h, p["g2"], p["n2"], 1e-5) + '),
            "torch": ("h = h + ", 'h = F.layer_norm(h, (8,), p["g2"], p["n2"], 1e-5) + '),
            "jax": ("h = h + ", 'h = norm(h, p["g2"], p["n2"], 1e-5) + '),
        },
        also=("norm2",),
    ),
    Plant(
        "transformer",
        "exact gelu",
        "gelu",
        {
            "numpy": ("gelu(a)", "a * __import__('scipy.special').special.ndtr(a)"),
            "torch": (', approximate="tanh"', ""),
            "jax": ("True", "False"),
        },
    ),
    Plant("transformer", "bias missing", "up", {"torch": (', p["bu"])', ")"), "*": (' + p["bu"]', "")}, also=("gelu",)),
    Plant(
        "transformer",
        "weights not tied",
        "tied",
        {"jax": ('p["wi"]', 'p["wu"][:3, :8]'), "*": ('p["wi"].T', 'p["wu"][:3, :8].T')},
    ),
    Plant("transformer", "scale and shift swapped", "norm1", {"*": ('p["g1"], p["n1"]', 'p["n1"], p["g1"]')}),
    Plant("classifier", "epsilon", "norm", {"*": ("1e-5", "1e-8")}),
    Plant("classifier", "sum for mean", "mean", {"*": ("mean(", "sum(")}, also=("norm",)),
    Plant(
        "classifier",
        "sum of the losses",
        "pick",
        {
            "numpy": ("-l[np.arange(4), labels].mean()", "-l[np.arange(4), labels].sum()"),
            "torch": ("labels)", 'labels, reduction="sum")'),
            "jax": ("-jnp.mean(", "-jnp.sum("),
        },
        also=("penalty",),
    ),
    Plant("classifier", "penalty halved", "penalty", {"*": ("0.01", "0.005")}),
    Plant("classifier", "penalty of the wrong", "penalty", {"*": ('p["w"]', 'p["e"]')}),
    Plant(
        "classifier",
        "silu without its factor",
        "silu",
        {
            "numpy": ("z / (1", "1 / (1"),
            "torch": ("F.silu(z)", "torch.sigmoid(z)"),
            "jax": ("jax.nn.silu(z)", "jax.nn.sigmoid(z)"),
        },
        also=("scores",),
    ),
    Plant(
        "classifier",
        "axis of the softmax",
        "logarithm",
        {
            "numpy": ("sum(1, keepdims=True)", "sum(0, keepdims=True)"),
            "torch": ("(s, 1)", "(s, 0)"),
            "jax": ("axis=1", "axis=0"),
        },
        also=("maximum",),
    ),
    Plant(
        "classifier",
        "temperature",
        "scores",
        {"torch": ('p["e"])', 'p["e"]) / 2'), "*": ('p["e"].T', 'p["e"].T / 2')},
        also=("logarithm", "maximum"),
    ),
)
