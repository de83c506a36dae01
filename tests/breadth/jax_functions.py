"""jax: activations, special functions, convolutions, control flow and layers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax, nn
from jax.scipy import special

from tests.breadth.entry import Collection, Draw, Params, integers, normal, uniform

COLLECTION = Collection("jax")
add = COLLECTION.add


def weigh(z: Any) -> Any:
    """Σ cᵢ zᵢ / n + Σ zᵢ² / 2n with cᵢ = cos i: smooth, and no two components of z count the same."""
    flat = z.reshape(-1)
    c = jnp.cos(jnp.arange(flat.size, dtype=flat.dtype))
    return (c * flat).mean() + jnp.square(flat).mean() / 2


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": nn.relu,
    "relu6": nn.relu6,
    "leaky_relu": nn.leaky_relu,
    "elu": nn.elu,
    "selu": nn.selu,
    "celu": partial(nn.celu, alpha=0.7),
    "gelu": partial(nn.gelu, approximate=False),
    "gelu_tanh": partial(nn.gelu, approximate=True),
    "silu": nn.silu,
    "mish": nn.mish,
    "glu": nn.glu,
    "sigmoid": nn.sigmoid,
    "log_sigmoid": nn.log_sigmoid,
    "tanh": jnp.tanh,
    "softplus": nn.softplus,
    "soft_sign": nn.soft_sign,
    "softmax": nn.softmax,
    "log_softmax": nn.log_softmax,
    "hard_tanh": nn.hard_tanh,
    "hard_sigmoid": nn.hard_sigmoid,
    "hard_silu": nn.hard_silu,
    "squareplus": nn.squareplus,
    "sparse_plus": nn.sparse_plus,
    "standardize": nn.standardize,
}


def activated(activation: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the loss of a linear map with an activation."""
    return lambda p, x: weigh(activation(x @ p["W"] + p["b"]))


for _name, _activation in ACTIVATIONS.items():
    COLLECTION.put(_name, activated(_activation), {"W": normal(3, 4), "b": normal(4)}, normal(5, 3))

SPECIAL: dict[str, Callable[[Any], Any]] = {
    "erf": special.erf,
    "erfc": special.erfc,
    "gammaln": special.gammaln,
    "digamma": special.digamma,
    "trigamma": partial(special.polygamma, 1),
    "gammainc": partial(special.gammainc, 1.7),
    "betainc": lambda z: special.betainc(1.5, 2.5, z / 3),
    "betaln": lambda z: special.betaln(z, z[::-1] ** 2),
    "ndtr": lambda z: special.ndtr(z - 1),
    "log_ndtr": lambda z: special.log_ndtr(1 - 2 * z),
    "ndtri": lambda z: special.ndtri(z / 3),
    "logit": lambda z: special.logit(z / 3),
    "i0e": special.i0e,
    "i1e": special.i1e,
    "xlogy": lambda z: special.xlogy(z, z[::-1]),
    "entr": special.entr,
    "zeta": lambda z: special.zeta(2.5, z),
    "multigammaln": lambda z: special.multigammaln(z + 1, 2),
    "power": lambda z: z ** z[::-1],
    "sinc": jnp.sinc,
}


def of_positive(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the loss of a function of positive numbers below 3."""
    return lambda p: weigh(function(p["z"]))


for _name, _function in SPECIAL.items():
    COLLECTION.put(_name, of_positive(_function), {"z": uniform(0.3, 2.6, 6)})

IMAGE: dict[str, Draw] = {"kernel": normal(3, 3, 2, 2, scale=0.5), "bias": normal(2)}


def convolved(p: Params, x: Any, strides: tuple[int, int] = (1, 1)) -> Any:
    """Return the convolution of images, channels last."""
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, p["kernel"], strides, "SAME", dimension_numbers=numbers) + p["bias"]


@add(IMAGE, normal(2, 5, 5, 2))
def conv_general_dilated(p: Params, x: Any) -> Any:
    """Stride 2, channels last."""
    return weigh(jnp.tanh(convolved(p, x, (2, 2))))


@add({"kernel": normal(2, 2, 3)}, normal(2, 2, 6))
def conv_dilated(p: Params, x: Any) -> Any:
    """Gaps in the kernel and in the input."""
    return weigh(lax.conv_general_dilated(x, p["kernel"], (1,), [(2, 2)], lhs_dilation=(2,), rhs_dilation=(2,)))


@add({"kernel": normal(3, 2, 2)}, normal(2, 4, 2))
def conv_transpose(p: Params, x: Any) -> Any:
    """Upsampling."""
    numbers = ("NHC", "HIO", "NHC")
    return weigh(lax.conv_transpose(x, p["kernel"], (2,), "SAME", dimension_numbers=numbers))


@add(IMAGE, normal(1, 4, 4, 2))
def max_pool(p: Params, x: Any) -> Any:
    """The largest of each window."""
    z = convolved(p, x)
    return weigh(lax.reduce_window(z, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"))


@add(IMAGE, normal(1, 4, 4, 2))
def sum_pool(p: Params, x: Any) -> Any:
    """Overlapping windows."""
    return weigh(jnp.tanh(lax.reduce_window(convolved(p, x), 0.0, lax.add, (1, 3, 3, 1), (1, 1, 1, 1), "SAME")))


# --- control flow ---------------------------------------------------------------------------------------------------

RECURRENT: dict[str, Draw] = {"U": normal(3, 2), "W": normal(3, 3, scale=0.6), "b": normal(3)}


@add(RECURRENT, normal(5, 2))
def scan_rnn(p: Params, xs: Any) -> Any:
    """All states of a recurrent network."""

    def step(h: Any, x: Any) -> tuple[Any, Any]:
        h = jnp.tanh(p["U"] @ x + p["W"] @ h + p["b"])
        return h, h

    return weigh(lax.scan(step, jnp.zeros(3, p["b"].dtype), xs)[1])


@add({"U": normal(9, 2), "W": normal(9, 3, scale=0.6)}, normal(4, 2))
def scan_gru(p: Params, xs: Any) -> Any:
    """Gates."""

    def step(h: Any, x: Any) -> tuple[Any, None]:
        a, c = jnp.split(p["U"] @ x, 3), jnp.split(p["W"] @ h, 3)
        r, z = nn.sigmoid(a[0] + c[0]), nn.sigmoid(a[1] + c[1])
        return (1 - z) * jnp.tanh(a[2] + r * c[2]) + z * h, None

    return weigh(lax.scan(step, jnp.zeros(3, xs.dtype), xs)[0])


@add({"W": normal(3, 3, scale=0.5)}, normal(3))
def fori_loop(p: Params, x: Any) -> Any:
    """A number of steps known beforehand."""
    return weigh(lax.fori_loop(0, 5, lambda i, z: jnp.sin(p["W"] @ z) + x / (i + 1.0), x))


@add({"W": normal(3, 3, scale=0.5)}, normal(3))
def checkpoint(p: Params, x: Any) -> Any:
    """The forward pass is repeated in the backward pass."""
    layer = jax.checkpoint(lambda z: jnp.tanh(p["W"] @ z))
    return weigh(layer(layer(x)))


@add({"w": normal(4), "v": normal(4)}, normal(4))
def cond(p: Params, x: Any) -> Any:
    """A branch on a value: either one is smooth."""
    return weigh(lax.cond(p["w"] @ x > 0, lambda: jnp.exp(p["v"]), lambda: p["v"] * p["w"]))


@add({"w": normal(4)}, integers(3, 1))
def switch(p: Params, branch: Any) -> Any:
    """One of three functions."""
    return weigh(lax.switch(branch[0], (jnp.sin, jnp.square, jnp.exp), p["w"]))


@add({"w": normal(3)}, normal(4, 3))
def associative_scan(p: Params, x: Any) -> Any:
    """Products of prefixes."""
    return weigh(lax.associative_scan(jnp.multiply, 1 + 0.3 * jnp.sin(x * p["w"])))


@jax.custom_vjp  # type: ignore[untyped-decorator] # jax is not analysed
def softened(z: Any) -> Any:
    """Return log(1 + exp z)."""
    return jnp.logaddexp(z, 0.0)


softened.defvjp(lambda z: (softened(z), z), lambda z, upstream: (upstream * nn.sigmoid(z),))


@add({"W": normal(3, 4), "b": normal(4)}, normal(5, 3))
def custom_vjp(p: Params, x: Any) -> Any:
    """A right backward pass written by hand."""
    return weigh(softened(x @ p["W"] + p["b"]))


@jax.custom_jvp  # type: ignore[untyped-decorator] # jax is not analysed
def cubed(z: Any) -> Any:
    """Return z³."""
    return z**3


cubed.defjvp(lambda primals, tangents: (cubed(primals[0]), 3 * primals[0] ** 2 * tangents[0]))


@add({"W": normal(3, 4), "b": normal(4)}, normal(5, 3))
def custom_jvp(p: Params, x: Any) -> Any:
    """A right derivative written by hand."""
    return weigh(cubed(x @ p["W"] + p["b"]))


@add({"W": normal(3, 2)}, normal(5, 3), array_valued=True)
def linear_array(p: Params, x: Any) -> Any:
    """The outputs of a linear map, returned."""
    return jnp.tanh(x @ p["W"])
