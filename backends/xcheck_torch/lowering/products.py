"""Products of matrices and vectors, as products of stacks of matrices."""

import math
from typing import Any

from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, lowers


def product(b: Builder, x: Source, y: Source) -> Source:
    """Return x @ y of matrices, of stacks of them, or of vectors on either side."""
    left, right = shape_of(x), shape_of(y)
    rows = (1, *left) if len(left) == 1 else left
    columns = (*right, 1) if len(right) == 1 else right
    batch = rows[:-2]
    count = math.prod(batch)
    found = b.dot(b.reshape(x, (count, *rows[-2:])), b.reshape(y, (count, *columns[-2:])))
    shape = (*batch, *(left[-2:-1] if len(left) > 1 else ()), *(right[-1:] if len(right) > 1 else ()))
    return b.reshape(found, shape)


@lowers("mm", "bmm", "mv", "dot", "vdot")
def _multiply(b: Builder, call: Call) -> Source:
    x, y = call.sources[:2]
    return product(b, x, y)


# Names of the two factors.
_FACTORS = {
    "addmm": ("mat1", "mat2"),
    "baddbmm": ("batch1", "batch2"),
    "addbmm": ("batch1", "batch2"),
    "addmv": ("mat", "vec"),
}


@lowers(*_FACTORS)
def _multiply_and_add(b: Builder, call: Call) -> Source:
    """beta self + alpha (x @ y)."""
    x, y = (call.arguments[name] for name in _FACTORS[call.name])
    found = product(b, x, y)
    if call.name == "addbmm":
        found = b.sum(found, [0])
    return _plus_self(b, call, found)


def _plus_self(b: Builder, call: Call, found: Source) -> Source:
    beta, alpha = call.arguments["beta"], call.arguments["alpha"]
    scaled = b.mul(alpha, found)
    # With beta = 0 self is not read, be it nan.
    return scaled if beta == 0 else b.add(b.mul(beta, call.arguments["self"]), scaled)


@lowers("addr")
def _outer(b: Builder, call: Call) -> Source:
    x, y = call.arguments["vec1"], call.arguments["vec2"]
    outer = b.mul(b.reshape(x, (*shape_of(x), 1)), b.reshape(y, (1, *shape_of(y))))
    return _plus_self(b, call, outer)


@lowers("linear")
def _linear(b: Builder, call: Call) -> Source:
    """x Wᵀ + bias."""
    x, weight, bias = (call.arguments[name] for name in ("input", "weight", "bias"))
    width: Any = shape_of(x)[-1]
    rows = math.prod(shape_of(x)[:-1])
    turned = b.permute(weight, (1, 0))
    found = b.reshape(product(b, b.reshape(x, (rows, width)), turned), call.shape)
    return found if bias is None else b.add(found, bias)


@lowers("_trilinear")
def _trilinear(b: Builder, call: Call) -> Source:
    """The sum over some axes of the product of three arrays, each with further axes."""
    factors = []
    for number in (1, 2, 3):
        x = call.arguments[f"i{number}"]
        shape = list(shape_of(x))
        for axis in sorted(call.arguments[f"expand{number}"]):
            shape.insert(axis, 1)
        factors.append(b.reshape(x, shape))
    return b.sum(b.mul(b.mul(factors[0], factors[1]), factors[2]), call.arguments["sumdim"])
