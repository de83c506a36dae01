"""Operations on complex numbers; what they become of real ones is written in `xcheck.trace.parts`."""

import torch

from xcheck.trace import Value
from xcheck.trace.model import Source
from xcheck_torch.lowering import choices, elementwise, linear_algebra, moves, products, reductions
from xcheck_torch.lowering.arrays import dtype_of, is_complex, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import LOWERINGS, OF_COMPLEX, Call, NotLoweredError, floating, lowers, lowers_complex

# Lowerings that say of complex numbers what they say of real ones; the modules in which they stand are read before.
_AS_OF_REAL = {
    elementwise: (
        *("exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh"),
        *("tanh", "asinh", "acosh", "atanh", "neg", "negative", "reciprocal", "sigmoid", "add", "sub", "rsub", "mul"),
        *("square", "addcmul", "addcdiv", "lerp"),
    ),
    reductions: ("sum", "mean", "prod", "cumsum", "cumprod", "any", "all"),
    products: ("mm", "bmm", "mv", "dot", "addmm", "baddbmm", "addbmm", "addmv", "addr", "linear"),
    choices: (
        *("eq", "ne", "where", "masked_fill", "isnan", "isfinite", "logical_not", "logical_and", "logical_or"),
        *("logical_xor", "_to_copy", "convert_element_type", "to", "fill", "copy", "clone", "alias", "detach"),
        *("lift_fresh_copy", "contiguous", "positive"),
    ),
    linear_algebra: ("linalg_inv_ex", "_linalg_solve_ex", "linalg_matrix_exp"),
    moves: (
        *moves.ONLY_MOVED,
        *("constant_pad_nd", "index_fill", "scatter", "scatter_add", "index_add", "index_put", "_unsafe_index_put"),
        *("_index_put_impl", "embedding_dense_backward", "trace"),
    ),
}
OF_COMPLEX.update({name: LOWERINGS[name] for names in _AS_OF_REAL.values() for name in names})


@lowers_complex("div", "true_divide")
def _divide(b: Builder, call: Call) -> Source:
    return b.div(*floating(b, call, "self", "other"))


@lowers_complex("pow")
def _power(b: Builder, call: Call) -> Source:
    if isinstance(call.arguments["exponent"], complex):
        return b.apply("pow", *floating(b, call, "self", "exponent"))
    return LOWERINGS["pow"](b, call)  # type: ignore[return-value]  # it returns one


@lowers_complex("sgn", "_conj", "conj_physical", "_conj_physical", "resolve_conj", "resolve_neg")
def _of_one(b: Builder, call: Call) -> Source:
    x: Source = call.arguments["self"]
    if call.name.startswith("resolve"):
        return x
    name, function = ("sign", torch.sgn) if call.name == "sgn" else ("conj", torch.conj_physical)
    return b.one(name, function, [x], Value(call.shape, call.dtype))


@lowers_complex("abs", "absolute", "angle")
def _to_real(b: Builder, call: Call) -> Source:
    name, function = ("angle", torch.angle) if call.name == "angle" else ("abs", torch.abs)
    return b.one(name, function, [call.arguments["self"]], Value(call.shape, call.dtype))


@lowers("complex")
@lowers_complex("complex")
def _together(b: Builder, call: Call) -> Source:
    part = {"complex64": "float32"}.get(call.dtype, "float64")
    parts = [b.broadcast(call.arguments[name], call.shape, part) for name in ("real", "imag")]
    return b.one("complex", torch.complex, parts, Value(call.shape, call.dtype))


@lowers("polar")
@lowers_complex("polar")
def _polar(b: Builder, call: Call) -> Source:
    """From a length and an angle."""
    part = {"complex64": "float32"}.get(call.dtype, "float64")
    size, angle = (b.broadcast(call.arguments[name], call.shape, part) for name in ("abs", "angle"))
    parts = [b.mul(size, b.apply(name, angle)) for name in ("cos", "sin")]
    return b.one("complex", torch.complex, parts, Value(call.shape, call.dtype))


@lowers_complex("vdot")
def _conjugated_product(b: Builder, call: Call) -> Source:
    x, y = call.arguments["self"], call.arguments["other"]
    return products.product(b, b.one("conj", torch.conj_physical, [x], Value(shape_of(x), dtype_of(x))), y)


@lowers_complex("linalg_vector_norm", "norm")
def _norm(b: Builder, call: Call) -> Source:
    """That of the moduli; of order 2 the root of a sum of squares, which is smooth where only one of them is 0."""
    x = call.arguments["self"]
    if not is_complex(dtype_of(x)):
        raise NotLoweredError
    order = call.get("ord", "p")
    keep, axes, shape = bool(call.get("keepdim")), call.axes(), shape_of(x)
    if order is not None and float(order) != 2:
        size = b.one("abs", torch.abs, [x], Value(shape, call.dtype))
        arguments = {**call.arguments, "self": size}
        return LOWERINGS[call.name](b, Call(call.name, call.function, arguments, call.outputs))  # type: ignore[return-value]  # it returns one
    parts = [
        b.one("real", torch.real, [x], Value(shape, call.dtype)),
        b.one("imag", torch.imag, [x], Value(shape, call.dtype)),
    ]
    squares = [b.sum(b.power(part, 2), axes, keep=keep) for part in parts]
    return b.apply("sqrt", b.add(*squares))


# --- Fourier transforms -----------------------------------------------------------------------------------------------

# How torch numbers the norms: by what a transform is divided.
_NORMS = ("none", "root", "n")


def _fourier(b: Builder, call: Call, kind: str, length: int) -> Source:
    x, axes = call.arguments["self"], call.axes()
    if not axes or not call.arguments["dim"]:
        raise NotLoweredError
    return b.one(
        "fft",
        lambda a: call.invoke([a]),
        [x],
        Value(call.shape, call.dtype),
        kind=kind,
        axes=axes,
        length=length,
        norm=_NORMS[call.arguments["normalization"]],
    )


@lowers_complex("_fft_c2c")
def _of_complex(b: Builder, call: Call) -> Source:
    kind = "fft" if call.arguments["forward"] else "ifft"
    return _fourier(b, call, kind, call.shape[call.axes()[-1]] if call.arguments["dim"] else 0)


@lowers("_fft_r2c")
@lowers_complex("_fft_r2c")
def _of_real(b: Builder, call: Call) -> Source:
    """One half of it, or all."""
    length = shape_of(call.arguments["self"])[call.axes()[-1]]
    return _fourier(b, call, "rfft" if call.arguments["onesided"] else "fft", length)


@lowers_complex("_fft_c2r")
def _to_real_numbers(b: Builder, call: Call) -> Source:
    return _fourier(b, call, "irfft", int(call.arguments["last_dim_size"]))
