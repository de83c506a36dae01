"""Activations, put together as their kernels compute them (aten/src/ATen/native/cpu/Activation.cpp)."""

import math

from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, NotLoweredError, floating, lowers
from xcheck_torch.lowering.choices import between


@lowers("relu")
def _relu(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.apply("max", x, 0.0)


@lowers("relu6")
def _relu6(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return between(b, x, 0.0, 6.0)


@lowers("leaky_relu")
def _leaky_relu(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.select(b.compare("gt", x, 0.0), b.mul(x, call.arguments["negative_slope"]), x)


@lowers("rrelu_with_noise", "rrelu_with_noise_functional")
def _random_relu(b: Builder, call: Call) -> Source:
    """Without training the slope below 0 is the middle of those that are drawn else."""
    if call.arguments["training"]:
        raise NotLoweredError
    (x,) = floating(b, call, "self")
    slope = (call.arguments["lower"] + call.arguments["upper"]) / 2
    return b.select(b.compare("gt", x, 0.0), b.mul(x, slope), x)


@lowers("_prelu_kernel")
def _prelu(b: Builder, call: Call) -> Source:
    x, weight = floating(b, call, "self", "weight")
    return b.select(b.compare("gt", x, 0.0), b.mul(weight, x), x)


@lowers("threshold")
def _threshold(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.select(b.compare("le", x, call.arguments["threshold"]), x, call.arguments["value"])


@lowers("elu", "celu", "selu")
def _elu(b: Builder, call: Call) -> Source:
    """scale x where x > 0, scale alpha (e^(input_scale x) - 1) elsewhere."""
    (x,) = floating(b, call, "self")
    alpha, scale = call.arguments.get("alpha", 1.6732632423543772848170429916717), call.arguments.get("scale", 1)
    inner = call.arguments.get("input_scale", 1)
    if call.name == "celu":
        inner = 1 / alpha
    if call.name == "selu":
        scale = 1.0507009873554804934193349852946
    below = b.mul(b.apply("expm1", b.mul(x, inner)), alpha * scale)
    return b.select(b.compare("gt", x, 0.0), below, b.mul(x, scale))


@lowers("gelu")
def _gelu(b: Builder, call: Call) -> Source:
    """x Φ(x), or with tanh in place of the error function."""
    (x,) = floating(b, call, "self")
    if call.arguments["approximate"] == "none":
        whole = b.apply("erf", b.mul(x, math.sqrt(0.5)))
        return b.mul(b.mul(x, 0.5), b.add(whole, 1.0))
    inner = b.add(x, b.mul(b.power(x, 3), 0.044715))
    whole = b.apply("tanh", b.mul(inner, math.sqrt(2) * (2 / math.sqrt(math.pi)) * 0.5))
    return b.mul(b.mul(x, 0.5), b.add(whole, 1.0))


@lowers("silu")
def _silu(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.mul(x, b.apply("logistic", x))


@lowers("mish")
def _mish(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    return b.mul(x, b.apply("tanh", b.apply("logaddexp", x, 0.0)))


@lowers("softplus")
def _softplus(b: Builder, call: Call) -> Source:
    """log(1 + e^(beta x)) / beta, x itself where beta x is above the threshold."""
    (x,), beta = floating(b, call, "self"), call.arguments["beta"]
    scaled = b.mul(x, beta)
    soft = b.div(b.apply("logaddexp", scaled, 0.0), beta)
    return b.select(b.compare("gt", scaled, call.arguments["threshold"]), soft, x)


@lowers("hardsigmoid", "hardswish")
def _hard(b: Builder, call: Call) -> Source:
    (x,) = floating(b, call, "self")
    clamped = between(b, b.add(x, 3.0), 0.0, 6.0)
    return b.div(clamped if call.name == "hardsigmoid" else b.mul(x, clamped), 6.0)


@lowers("log_sigmoid_forward")
def _log_sigmoid(b: Builder, call: Call) -> list[Source | None]:
    (x,) = floating(b, call, "self")
    # The second output is kept for the backward pass.
    small = b.apply("exp", b.apply("neg", b.apply("abs", x)))
    return [b.apply("neg", b.apply("logaddexp", b.apply("neg", x), 0.0)), small if call.outputs[1].shape else None]


@lowers("glu")
def _gated(b: Builder, call: Call) -> Source:
    """The first half times the sigmoid of the second."""
    x, axis = call.arguments["self"], call.axes()[0]
    half = shape_of(x)[axis] // 2
    parts = [b.move(lambda a, start=start: a.narrow(axis, start, half), [x], call.shape) for start in (0, half)]
    return b.mul(parts[0], b.apply("logistic", parts[1]))
