"""Losses, put together as their kernels compute them, and reduced."""

import math
from typing import Any

import numpy as np
import torch

from xcheck.trace import Constant, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, lowers

# How torch numbers reductions.
_NONE, _MEAN = 0, 1


def _reduced(b: Builder, call: Call, terms: Source) -> Source:
    kind, axes = call.arguments["reduction"], range(len(shape_of(terms)))
    if kind == _NONE:
        return terms
    return b.mean(terms, tuple(axes)) if kind == _MEAN else b.sum(terms, tuple(axes))


def _difference(b: Builder, call: Call) -> Source:
    x, y = b.alike(call.arguments["self"], call.arguments["target"])
    return b.sub(x, y)


@lowers("mse_loss")
def _squares(b: Builder, call: Call) -> Source:
    return _reduced(b, call, b.power(_difference(b, call), 2))


@lowers("smooth_l1_loss", "huber_loss")
def _squares_near_0(b: Builder, call: Call) -> Source:
    """Huber: z²/2 below delta, delta (z - delta/2) above; smooth L1 is that divided by beta."""
    size = b.apply("abs", _difference(b, call))
    bound = call.get("beta", "delta")
    inside, outside = b.mul(b.power(size, 2), 0.5), b.sub(size, 0.5 * bound)
    if call.name == "huber_loss":
        return _reduced(b, call, b.select(b.compare("le", size, bound), b.mul(outside, bound), inside))
    if bound == 0:
        return _reduced(b, call, size)
    return _reduced(b, call, b.select(b.compare("lt", size, bound), outside, b.div(inside, bound)))


@lowers("binary_cross_entropy")
def _cross_entropy_of_two(b: Builder, call: Call) -> Source:
    """-(y log(x) + (1 - y) log(1 - x)), where no logarithm is below -100."""
    x, y = b.alike(call.arguments["self"], call.arguments["target"])
    whole = b.apply("max", b.apply("log", x), -100.0)
    rest = b.apply("max", b.apply("log1p", b.apply("neg", x)), -100.0)
    terms = b.sub(b.mul(b.sub(y, 1.0), rest), b.mul(y, whole))
    return _reduced(b, call, _weighted(b, call, terms))


def _weighted(b: Builder, call: Call, terms: Source) -> Source:
    weight = call.arguments["weight"]
    return terms if weight is None else b.mul(terms, weight)


@lowers("binary_cross_entropy_with_logits")
def _cross_entropy_of_logits(b: Builder, call: Call) -> Source:
    """(1 - y) x + w log(1 + e^-x), with w = 1 + (pos_weight - 1) y."""
    x, y = b.alike(call.arguments["self"], call.arguments["target"])
    soft = b.apply("logaddexp", b.apply("neg", x), 0.0)
    positive = call.arguments["pos_weight"]
    if positive is not None:
        soft = b.mul(b.add(b.mul(b.sub(positive, 1.0), y), 1.0), soft)
    terms = b.add(b.mul(b.sub(1.0, y), x), soft)
    return _reduced(b, call, _weighted(b, call, terms))


@lowers("soft_margin_loss")
def _soft_margin(b: Builder, call: Call) -> Source:
    x, y = b.alike(call.arguments["self"], call.arguments["target"])
    return _reduced(b, call, b.apply("logaddexp", b.apply("neg", b.mul(x, y)), 0.0))


@lowers("nll_loss_forward", "nll_loss2d_forward")
def _negative_logs(b: Builder, call: Call) -> list[Source | None]:
    """-w x of each target, divided by the sum of the weights w for the mean; an ignored target has w = 0."""
    x, target, weight = (call.arguments[name] for name in ("self", "target", "weight"))
    ignored, axis = call.arguments["ignore_index"], 1 if len(shape_of(x)) > 1 else 0
    shape = shape_of(target)

    def pick(a: Any, at: Any) -> Any:
        safe = at.masked_fill(at == ignored, 0)
        return a.gather(axis, safe.unsqueeze(axis)).squeeze(axis)

    picked = b.move(pick, [x, target], shape)
    counted = b.one("exact", lambda at: (at != ignored).to(getattr(torch, dtype_of(x))), [target], _like(x, shape))
    weights = counted
    if weight is not None:
        each = b.move(lambda w, at: w[at.masked_fill(at == ignored, 0)], [weight, target], shape)
        weights = b.mul(each, counted)
    terms = b.apply("neg", b.mul(picked, weights))
    axes = tuple(range(len(shape)))
    total = b.sum(weights, axes)
    if call.arguments["reduction"] == _NONE:
        # What is ignored is 0, be the logarithm infinite.
        return [terms, Constant(np.zeros((), dtype_of(x)))]
    summed = b.sum(terms, axes)
    return [b.div(summed, total) if call.arguments["reduction"] == _MEAN else summed, total]


def _like(x: Source, shape: tuple[int, ...]) -> Value:
    return Value(shape, dtype_of(x))


@lowers("_cdist_forward")
def _distances(b: Builder, call: Call) -> Source:
    """‖x_i - y_j‖ of all pairs."""
    x, y, order = call.arguments["x1"], call.arguments["x2"], float(call.arguments["p"])
    left, right = shape_of(x), shape_of(y)
    apart = b.sub(b.reshape(x, (*left[:-1], 1, left[-1])), b.reshape(y, (*right[:-2], 1, *right[-2:])))
    return _length(b, apart, order)


@lowers("_pdist_forward")
def _distances_of_rows(b: Builder, call: Call) -> Source:
    """‖x_i - x_j‖ of all i < j."""
    x, order = call.arguments["self"], float(call.arguments["p"])
    rows, width = shape_of(x)
    pairs = torch.triu_indices(rows, rows, 1)
    ends = [b.move(lambda a, at=at: a[at], [x], (len(at), width)) for at in pairs]
    return _length(b, b.sub(*ends), order)


def _length(b: Builder, apart: Source, order: float) -> Source:
    last = [len(shape_of(apart)) - 1]
    if order == 2:
        return b.apply("sqrt", b.sum(b.power(apart, 2), last))
    size = b.apply("abs", apart)
    if order == 1:
        return b.sum(size, last)
    if math.isinf(order):
        return b.reduce("reduce_max", size, last)
    return b.apply("pow", b.sum(b.apply("pow", size, order), last), 1 / order)
