"""Normalisations: of layers, groups, batches and root mean squares, with the statistics that their backward reads."""

import math

from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, lowers
from xcheck_torch.lowering.reductions import variance


def _standardise(b: Builder, x: Source, axes: tuple[int, ...], eps: float) -> tuple[Source, Source, Source]:
    """Return (x - mean) / √(variance + eps), the mean and 1/√(variance + eps), both with all axes."""
    spread, mean = variance(b, x, axes, 0, keep=True)
    scale = b.apply("rsqrt", b.add(spread, eps))
    return b.mul(b.sub(x, mean), scale), mean, scale


def _affine(b: Builder, x: Source, weight: Source | None, bias: Source | None, shape: tuple[int, ...]) -> Source:
    """Return x weight + bias, where they are there, in a shape that fits."""
    if weight is not None:
        x = b.mul(x, b.reshape(weight, shape))
    return x if bias is None else b.add(x, b.reshape(bias, shape))


@lowers("native_layer_norm")
def _layer_norm(b: Builder, call: Call) -> list[Source | None]:
    x, weight, bias = (call.arguments[name] for name in ("input", "weight", "bias"))
    shape = tuple(call.arguments["normalized_shape"])
    rank = len(shape_of(x))
    whole, mean, scale = _standardise(b, x, tuple(range(rank - len(shape), rank)), call.arguments["eps"])
    return [_affine(b, whole, weight, bias, shape), mean, scale]


@lowers("rms_norm", "_fused_rms_norm")
def _rms_norm(b: Builder, call: Call) -> list[Source]:
    """x / √(mean of x² + eps); without eps that of the dtype."""
    import torch

    x, weight = call.arguments["input"], call.arguments["weight"]
    shape, eps = tuple(call.arguments["normalized_shape"]), call.arguments["eps"]
    if eps is None:
        eps = torch.finfo(getattr(torch, dtype_of(x))).eps
    rank = len(shape_of(x))
    mean = b.mean(b.power(x, 2), tuple(range(rank - len(shape), rank)), keep=True)
    scale = b.apply("rsqrt", b.add(mean, eps))
    return [_affine(b, b.mul(x, scale), weight, None, shape), scale][: len(call.outputs)]


@lowers("native_group_norm")
def _group_norm(b: Builder, call: Call) -> list[Source | None]:
    given = call.arguments
    x, groups = given["input"], given["group"]
    shape = shape_of(x)
    count, channels = shape[:2]
    parts = b.reshape(x, (count, groups, math.prod(shape[1:]) // groups))
    whole, mean, scale = _standardise(b, parts, (2,), given["eps"])
    of_channel = (channels, *([1] * (len(shape) - 2)))
    found = _affine(b, b.reshape(whole, shape), given["weight"], given["bias"], of_channel)
    return [found, *(b.reshape(one, (count, groups)) for one in (mean, scale))]


@lowers(
    *("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
    *("_batch_norm_with_update", "_batch_norm_no_update", "_native_batch_norm_legit_functional"),
)
def _batch_norm(b: Builder, call: Call) -> list[Source | None]:
    """By the statistics of the batch in training, by the running ones else."""
    given = call.arguments
    x, shape = given["input"], shape_of(given["input"])
    of_channel = (shape[1], *([1] * (len(shape) - 2)))
    eps = call.get("eps", "epsilon")
    is_training = given.get("training", call.name == "_batch_norm_with_update")
    running = given.get("running_mean"), given.get("running_var")
    statistics: list[Source | None]
    if is_training or running[0] is None or running[1] is None:
        whole, mean, scale = _standardise(b, x, (0, *range(2, len(shape))), eps)
        statistics = [b.reshape(one, shape[1:2]) for one in (mean, scale)]
    else:
        mean, spread = (b.reshape(one, of_channel) for one in running if one is not None)
        whole = b.mul(b.sub(x, mean), b.apply("rsqrt", b.add(spread, eps)))
        statistics = [None, None]
    found = _affine(b, whole, given["weight"], given["bias"], of_channel)
    return [found, *statistics, *([None] * len(call.outputs))][: len(call.outputs)]
