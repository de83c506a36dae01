"""torch: activations, layers and modules."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F

from tests.breadth.entry import Collection, Draw, Params, constant, integers, normal, uniform

COLLECTION = Collection("torch")
add = COLLECTION.add


def weigh(z: Any) -> Any:
    """Σ cᵢ zᵢ / n + Σ zᵢ² / 2n with cᵢ = sin(1 + i): smooth, and no two components of z count the same."""
    flat = z.reshape(-1)
    c = torch.arange(1, flat.numel() + 1, dtype=torch.float64).sin()
    return (c * flat).mean() + flat.square().mean() / 2


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "rrelu_eval": F.rrelu,
    "elu": F.elu,
    "selu": F.selu,
    "celu": partial(F.celu, alpha=0.75),
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "glu": F.glu,
    "sigmoid": torch.sigmoid,
    "logsigmoid": F.logsigmoid,
    "tanh": torch.tanh,
    "softplus": partial(F.softplus, beta=1.5),
    "softsign": F.softsign,
    "softmax": partial(F.softmax, dim=-1),
    "log_softmax": partial(F.log_softmax, dim=-1),
    "softmin": partial(F.softmin, dim=-1),
    "hardtanh": F.hardtanh,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "hardshrink": F.hardshrink,
    "softshrink": F.softshrink,
    "tanhshrink": F.tanhshrink,
    "threshold": partial(F.threshold, threshold=0.1, value=-0.5),
}


def activated(activation: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the loss of a linear map with an activation."""
    return lambda p, x: weigh(activation(F.linear(x, p["W"], p["b"])))


for _name, _activation in ACTIVATIONS.items():
    COLLECTION.put(_name, activated(_activation), {"W": normal(4, 3), "b": normal(4)}, normal(5, 3))


@add({"W": normal(4, 3), "b": normal(4), "slope": uniform(0.1, 0.4, 4)}, normal(5, 3))
def prelu(p: Params, x: Any) -> Any:
    """A learnt slope for each unit."""
    return weigh(F.prelu(F.linear(x, p["W"], p["b"]), p["slope"]))


@add({"W": normal(4, 3), "b": normal(4)}, normal(5, 3))
def linear(p: Params, x: Any) -> Any:
    """A linear map."""
    return weigh(F.linear(x, p["W"], p["b"]))


@add({"W": normal(2, 3)}, normal(3), array_valued=True)
def linear_array(p: Params, x: Any) -> Any:
    """A linear map, its outputs returned."""
    return F.linear(x, p["W"]).tanh()


@add({"W": normal(2, 3, 4), "b": normal(2)}, normal(5, 3), normal(5, 4))
def bilinear(p: Params, x: Any, y: Any) -> Any:
    """Xᵀ W y + b."""
    return weigh(F.bilinear(x, y, p["W"], p["b"]))


CONVOLUTIONS: dict[str, tuple[Callable[..., Any], tuple[int, ...], int, tuple[int, ...]]] = {
    "conv1d": (partial(F.conv1d, padding=1), (3, 2, 3), 3, (2, 2, 7)),
    "conv1d_causal": (lambda x, w, b: F.conv1d(F.pad(x, (2, 0)), w, b), (2, 2, 3), 2, (2, 2, 6)),
    "conv2d": (partial(F.conv2d, stride=2, padding=1), (2, 2, 3, 3), 2, (2, 2, 5, 5)),
    "conv2d_grouped_dilated": (partial(F.conv2d, groups=2, dilation=2), (4, 1, 2, 2), 4, (2, 2, 5, 5)),
    "conv3d": (F.conv3d, (2, 1, 2, 2, 2), 2, (2, 1, 3, 3, 3)),
    "conv_transpose1d": (partial(F.conv_transpose1d, stride=2), (2, 3, 3), 3, (2, 2, 4)),
    "conv_transpose2d": (partial(F.conv_transpose2d, stride=2, output_padding=1), (2, 2, 2, 2), 2, (1, 2, 3, 3)),
}


def convolved(convolve: Callable[..., Any]) -> Callable[..., Any]:
    """Return the loss of a convolution."""
    return lambda p, x: weigh(convolve(x, p["kernel"], p["bias"]).tanh())


for _name, (_convolve, _kernel, _bias, _input) in CONVOLUTIONS.items():
    _params = {"kernel": normal(*_kernel, scale=0.5), "bias": normal(_bias)}
    COLLECTION.put(_name, convolved(_convolve), _params, normal(*_input))

PIECES: dict[str, Callable[[Any], Any]] = {
    "max_pool1d": lambda z: F.max_pool1d(z.flatten(2), 3),
    "max_pool2d": partial(F.max_pool2d, kernel_size=2),
    "avg_pool2d": partial(F.avg_pool2d, kernel_size=2, padding=1),
    "lp_pool2d": lambda z: F.lp_pool2d(z.sigmoid(), 3.0, 2),
    "adaptive_avg_pool2d": partial(F.adaptive_avg_pool2d, output_size=(3, 2)),
    "adaptive_max_pool2d": partial(F.adaptive_max_pool2d, output_size=(3, 2)),
    "unfold": partial(F.unfold, kernel_size=2, stride=2),
    "fold": lambda z: F.fold(F.unfold(z, 3), (4, 4), 3),
    "interpolate_nearest": partial(F.interpolate, scale_factor=2),
    "interpolate_bilinear": partial(F.interpolate, size=(6, 7), mode="bilinear", align_corners=True),
    "interpolate_bicubic": partial(F.interpolate, size=(6, 5), mode="bicubic", align_corners=False),
    "pad_reflect": partial(F.pad, pad=(1, 2, 1, 1), mode="reflect"),
    "pad_circular": partial(F.pad, pad=(1, 2, 1, 1), mode="circular"),
    "local_response_norm": partial(F.local_response_norm, size=2, alpha=0.5),
    "normalize": partial(F.normalize, dim=1),
    "pixel_shuffle": lambda z: F.pixel_shuffle(z.reshape(1, 4, 2, 4), 2),
}


def mapped(piece: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the loss of something applied to an image with a gain and an offset for each channel and position."""
    return lambda p, x: weigh(piece(p["gain"][None] * x + p["offset"][None, :, None, None]))


for _name, _piece in PIECES.items():
    COLLECTION.put(_name, mapped(_piece), {"gain": normal(2, 4, 4), "offset": normal(2)}, normal(1, 2, 4, 4))

AFFINE: dict[str, Draw] = {"W": normal(4, 3), "weight": normal(4), "bias": normal(4)}


@add(AFFINE, normal(5, 3))
def layer_norm(p: Params, x: Any) -> Any:
    """Normalised over the features."""
    return weigh(F.layer_norm(F.linear(x, p["W"]), (4,), p["weight"], p["bias"]))


@add(AFFINE, normal(5, 3))
def rms_norm(p: Params, x: Any) -> Any:
    """Normalised by the root mean square."""
    return weigh(F.rms_norm(F.linear(x, p["W"]), (4,), p["weight"], eps=1e-5) + p["bias"])


@add(AFFINE, normal(5, 3))
def batch_norm_training(p: Params, x: Any) -> Any:
    """Normalised over the batch, no running statistics."""
    return weigh(F.batch_norm(F.linear(x, p["W"]), None, None, p["weight"], p["bias"], training=True))


@add(AFFINE, normal(5, 3), normal(4), uniform(0.5, 2.0, 4))
def batch_norm_eval(p: Params, x: Any, mean: Any, variance: Any) -> Any:
    """Normalised with frozen statistics."""
    return weigh(F.batch_norm(F.linear(x, p["W"]), mean, variance, p["weight"], p["bias"]))


@add({**AFFINE, "b": normal(4)}, normal(5, 3))
def bias_before_batch_norm(p: Params, x: Any) -> Any:
    """The gradient of b is zero: only rounding is left of it."""
    return weigh(F.batch_norm(F.linear(x, p["W"], p["b"]), None, None, p["weight"], p["bias"], training=True))


@add({"gain": normal(4, 3), "weight": normal(4), "bias": normal(4)}, normal(2, 4, 3))
def group_norm(p: Params, x: Any) -> Any:
    """Two groups of two channels."""
    return weigh(F.group_norm(p["gain"] * x, 2, p["weight"], p["bias"]))


@add({"gain": normal(4, 5)}, normal(2, 4, 5))
def instance_norm(p: Params, x: Any) -> Any:
    """Each channel of each example."""
    return weigh(F.instance_norm(p["gain"] * x))


@add({"table": normal(7, 3), "w": normal(3)}, integers(7, 2, 5))
def embedding(p: Params, tokens: Any) -> Any:
    """Rows that no token names have a zero gradient."""
    return weigh((F.embedding(tokens, p["table"]) * p["w"]).tanh())


@add({"table": normal(7, 3)}, integers(7, 6), constant(0, 2, 3))
def embedding_bag(p: Params, tokens: Any, offsets: Any) -> Any:
    """Means over three bags."""
    return weigh(F.embedding_bag(tokens, p["table"], offsets))


@add({"Q": normal(3, 4), "K": normal(3, 4), "V": normal(3, 4)}, normal(2, 5, 3))
def scaled_dot_product_attention(p: Params, x: Any) -> Any:
    """One causal head."""
    return weigh(F.scaled_dot_product_attention(x @ p["Q"], x @ p["K"], x @ p["V"], is_causal=True))


# --- modules: made on the meta device, so that no random number is drawn --------------------------------------------

MODULES: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "lstm": (lambda: torch.nn.LSTM(2, 2, **META), (3, 2, 2)),
    "gru": (lambda: torch.nn.GRU(2, 2, **META), (3, 2, 2)),
    "rnn": (lambda: torch.nn.RNN(3, 3, nonlinearity="tanh", **META), (3, 2, 3)),
    "multihead_attention": (lambda: torch.nn.MultiheadAttention(2, 2, **META), (4, 1, 2)),
    "transformer_encoder_layer": (lambda: torch.nn.TransformerEncoderLayer(4, 2, 2, 0.0, **META).eval(), (3, 1, 4)),
    "sequential": (lambda: torch.nn.Sequential(*layers()), (5, 3)),
}
META: dict[str, Any] = {"device": "meta", "dtype": torch.float64}


def layers() -> list[Any]:
    """Layers of a multilayer perceptron."""
    return [torch.nn.Linear(3, 4, **META), torch.nn.Tanh(), torch.nn.Linear(4, 4, **META), torch.nn.ReLU()]


@cache
def module(name: str) -> Any:
    """Return the module of a name; its own parameters are never read."""
    return MODULES[name][0]()


def called(name: str) -> Callable[..., Any]:
    """Return the loss of a module's first output."""

    def loss(p: Params, x: Any) -> Any:
        arguments = (x, x, x) if name == "multihead_attention" else (x,)
        output = torch.func.functional_call(module(name), p, arguments)
        return weigh(output[0] if isinstance(output, tuple) else output)

    return loss


for _name, (_, _input) in MODULES.items():
    _shapes = {key: tuple(value.shape) for key, value in module(_name).named_parameters()}
    COLLECTION.put(
        _name, called(_name), {key: normal(*shape, scale=0.6) for key, shape in _shapes.items()}, normal(*_input)
    )
