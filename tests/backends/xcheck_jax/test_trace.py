"""What JAX traces, in neutral words: the same loss, the exact slopes, the person's lines, and no rule of JAX's."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.slopes import Slopes, prove_slopes
from xcheck.trace import Trace, UntraceableError
from xcheck_jax.settings import own_settings
from xcheck_jax.trace import trace_of

X = np.array([0.31, -1.27, 2.43, 0.85, -0.44, 1.66])
V = np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0])
IMAGE = np.sin(np.arange(2 * 6 * 6 * 2)).reshape(2, 6, 6, 2)


def traced(loss: Any, x: Any = X) -> Trace:
    """The trace of a loss."""
    with own_settings(jax.devices("cpu")[0]):
        return trace_of(jax.make_jaxpr(loss)(jnp.asarray(x)))


def slopes(loss: Any, x: Any = X, v: Any = V) -> Slopes:
    """Value and slope along v, proved."""
    with own_settings(jax.devices("cpu")[0]):
        return prove_slopes(traced(loss, x), [np.asarray(x)], [[np.asarray(v)]])


def convolution(x: Any, **options: Any) -> Any:
    """A loss with a 2-d convolution whose kernel is x."""
    kernel = jnp.tile(x, 3 * 3 * 2 * 4)[: 3 * 3 * 2 * 4 // options.get("feature_group_count", 1)]
    kernel = kernel.reshape(3, 3, 2 // options.get("feature_group_count", 1), 4) * jnp.cos(jnp.arange(4.0))
    found = jax.lax.conv_general_dilated(
        jnp.asarray(IMAGE), kernel, dimension_numbers=("NHWC", "HWIO", "NHWC"), **options
    )
    return jnp.sum(jnp.sin(found))


def windows(x: Any, padding: str, strides: tuple[int, ...]) -> Any:
    """A loss with max and average pooling."""
    image = x[:, None] * jnp.asarray(IMAGE).reshape(6, 24)
    image = image.reshape(2, 6, 6, 2)
    largest = jax.lax.reduce_window(image, -jnp.inf, jax.lax.max, (1, 3, 2, 1), strides, padding)
    summed = jax.lax.reduce_window(image, 0.0, jax.lax.add, (1, 2, 3, 1), strides, padding)
    return jnp.sum(jnp.sin(largest)) + jnp.sum(summed**2)


def _plane(x: Any) -> Any:
    """Complex numbers away from the cuts."""
    return x + 1j * (3 + jnp.cos(x))


LOSSES: dict[str, Any] = {
    "elementwise": lambda x: jnp.sum(jnp.tanh(x) * jax.nn.sigmoid(x) + jnp.log1p(x**2) - jnp.exp(-jnp.abs(x))),
    "activations": lambda x: sum(
        jnp.sum(f(x)) for f in (jax.nn.relu, jax.nn.gelu, jax.nn.silu, jax.nn.elu, jax.nn.softplus, jax.nn.mish)
    ),
    "exact gelu": lambda x: jnp.sum(jax.nn.gelu(x, approximate=False)),
    "softmax": lambda x: jax.nn.log_softmax(x)[2] + jax.nn.logsumexp(x) * jax.nn.softmax(x)[1],
    "matrices": lambda x: jnp.sum((x.reshape(2, 3) @ x.reshape(3, 2)) ** 2) + jnp.einsum("i,j,ij", x, x, jnp.eye(6)),
    "batched matrices": lambda x: jnp.sum(jnp.einsum("bij,bkj->bik", *[x.reshape(2, 1, 3)] * 2) ** 3),
    "reductions": lambda x: jnp.max(x) * jnp.min(x) + jnp.var(x) + jnp.prod(x) + jnp.std(x) + jnp.median(x),
    "cumulative": lambda x: jnp.sum(jnp.cumsum(x) * jnp.cumprod(x)) + jax.lax.cummax(x).sum() + jax.lax.cummin(x).sum(),
    "cumulative logsumexp": lambda x: jnp.sum(jax.lax.cumlogsumexp(x, reverse=True)),
    "sorting": lambda x: jnp.sum(jnp.sort(x) * jnp.arange(6)) + jax.lax.top_k(x, 2)[0].sum() + x[jnp.argsort(x)][0],
    "indices": lambda x: jnp.sum(x[jnp.array([0, 3, 3])] ** 2) + x[jnp.argmax(x)] + jnp.sum(x.at[1].add(x[2]) ** 2),
    "scatter": lambda x: jnp.sum(jnp.zeros(4).at[jnp.array([0, 1, 1, 3, 9, 0])].add(x) ** 3) + x.at[2].set(x[0]).sum(),
    "moves": lambda x: (
        jnp.sum(jnp.pad(x.reshape(2, 3).T, 1)[::-1] ** 2) + jnp.sum(jnp.roll(x, 2) * jnp.concatenate([x[3:], x[:3]]))
    ),
    "dynamic slices": lambda x: jnp.sum(jax.lax.dynamic_slice(x, (jnp.argmax(x),), (3,)) ** 3),
    "choices": lambda x: jnp.sum(jnp.where(x > 0, jnp.sqrt(jnp.abs(x)), x**3)) + jnp.clip(x, -1, 1).sum(),
    "powers": lambda x: jnp.sum(jnp.abs(x) ** x) + jnp.sum(2.0**x) + jnp.sum(x**-3) + jnp.sum(jnp.cbrt(x)),
    "distances": lambda x: jnp.sum(jnp.exp(-((jnp.sin(x)[:, None] - jnp.sin(x)) ** 2))) + jnp.sum(jnp.tanh(x) ** -3),
    "powers of what is nearly 0": lambda x: jnp.sum((jnp.sin(x) - jnp.sin(x)[::-1][::-1]) ** 3.0 + jnp.cos(x) ** 5),
    "angles": lambda x: jnp.sum(
        jnp.arctan2(x, x[::-1]) + jnp.arcsin(x / 4) + jnp.arccosh(2 + x**2) + jnp.arctanh(x / 4)
    ),
    "integers": lambda x: jnp.sum(x * jnp.floor(x) + jnp.ceil(x) * x + jnp.round(x) * x + x.astype(int) * x),
    "scan": lambda x: jax.lax.scan(lambda c, y: (jnp.sin(c + y), c * y), 0.5, x, reverse=True)[1].sum(),
    "while": lambda x: jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * jnp.sum(x)), (0, x[0]))[1],
    "loop on values": lambda x: jax.lax.while_loop(lambda c: c < 50, lambda c: c * (1 + x[0] ** 2), x[2]),
    "cond": lambda x: jax.lax.cond(x[0] > 0, jnp.sum, jnp.prod, x) + jax.lax.switch(1, [jnp.sum, jnp.max], x),
    "convolution": lambda x: convolution(x, window_strides=(1, 1), padding="SAME"),
    "strided, dilated": lambda x: convolution(x, window_strides=(2, 1), padding=[(1, 0), (2, 1)], rhs_dilation=(2, 1)),
    "transposed": lambda x: convolution(x, window_strides=(1, 1), padding=[(2, 2), (1, 2)], lhs_dilation=(2, 2)),
    "grouped": lambda x: convolution(x, window_strides=(1, 1), padding="SAME", feature_group_count=2),
    "pooling": lambda x: windows(x, "SAME", (1, 2, 2, 1)) + windows(x, "VALID", (1, 1, 2, 1)),
    "checkpoint, jit": lambda x: jax.checkpoint(jax.jit(lambda y: jnp.sum(jnp.sin(y * x))))(x),
    "vmap": lambda x: jnp.sum(jax.vmap(lambda a: jnp.tanh(a * x).prod())(x)),
    "derivative inside": lambda x: jnp.sum(jax.grad(lambda y: jnp.sum(jnp.sin(y) * y))(x) ** 2),
    "complex functions": lambda x: jnp.sum(
        jnp.abs(jnp.log(_plane(x)) * jnp.conj(_plane(x)) / jnp.sqrt(_plane(x)) + jnp.exp(1j * x) ** 3 - jnp.tan(1j * x))
    ),
    "complex products": lambda x: jnp.sum(
        jnp.angle(jnp.outer(_plane(x), _plane(x)) @ _plane(x) - jnp.vdot(_plane(x), x)) * jnp.imag(_plane(x)[::-1])
    ),
    "complex indices": lambda x: jnp.linalg.norm(
        jnp.where(x > 0, _plane(x), 2j)[jnp.array([0, 3, 3])]
        + jnp.cumsum(jnp.zeros(4, complex).at[2].add(_plane(x)[1]))[3]
    ),
    "complex loops": lambda x: jnp.real(
        jax.lax.scan(lambda c, y: (jnp.sin(jnp.conj(c) / 4) * y / 4, c * c), 0.5 + 1j, _plane(x), reverse=True)[1].sum()
        + jax.lax.fori_loop(0, 3, lambda i, c: c * c / 3 + x[i], _plane(x)[0])
        + jax.lax.cond(x[0] > 0, lambda c: c * 2j, jnp.conj, _plane(x)[2])
    ),
    "complex casts": lambda x: jnp.sum(jnp.real(x.astype(complex) ** 2 * _plane(x).astype("complex128"))),
    "fft": lambda x: (
        jnp.sum(jnp.abs(jnp.fft.fft(_plane(x), n=5, norm="ortho")) ** 3)
        + jnp.sum(jnp.real(jnp.fft.ifftn(_plane(x).reshape(2, 3), axes=(0, 1)) ** 2))
    ),
    "rfft": lambda x: (
        jnp.sum(jnp.abs(jnp.fft.rfftn(x.reshape(2, 3))) * jnp.arange(2.0))
        + jnp.sum(jnp.fft.irfft(_plane(x), n=9, norm="forward") ** 3)
    ),
    "masked attention": lambda x: jnp.sum(
        jax.nn.softmax(jnp.where(jnp.tril(jnp.ones((6, 6), bool)), jnp.outer(x, x), -jnp.inf)) @ x
    ),
}


@pytest.mark.parametrize("name", list(LOSSES))
def test_slopes_are_those_of_jax(name: str) -> None:
    """Value and slope of ordinary functions, to rounding; the enclosure is far narrower."""
    loss = LOSSES[name]
    found = slopes(loss)
    with own_settings(jax.devices("cpu")[0]):
        # Forward: reverse mode has no loops of unknown length.
        value, slope = jax.jvp(loss, (jnp.asarray(X),), (jnp.asarray(V),))
    assert found.left is None
    assert float(found.value) == pytest.approx(float(value), rel=1e-12, abs=1e-12)
    assert float(found.slopes[0]) == pytest.approx(float(slope), rel=1e-11, abs=1e-11)
    assert float(found.slopes[0].rad()) < 1e-22


@pytest.mark.parametrize("function", [jnp.log, jnp.sqrt, jnp.angle])
def test_nothing_is_proved_on_a_cut(function: Any) -> None:
    """There the function jumps."""
    with pytest.raises(NotProvedError, match="where it jumps"):
        slopes(lambda x: jnp.sum(jnp.real(function(-1 + 1j * x))), np.zeros(1), np.ones(1))


def test_the_modulus_has_a_kink_at_0() -> None:
    """Both slopes are proved."""
    found = slopes(lambda x: jnp.sum(jnp.abs(x * (3 + 4j))), np.zeros(1), np.ones(1))
    assert [float(found.slopes[0]), float((found.left or ())[0])] == [5.0, -5.0]


def test_complex_operations_without_a_rule_are_named() -> None:
    """With the line, as others are."""
    with pytest.raises(NotProvedError, match=r"`\w+` at .*test_trace.py:\d+ has no rule for complex numbers"):
        slopes(lambda x: jnp.real(jnp.linalg.det(jnp.diag(_plane(x)) + 1)))


def test_rules_for_derivatives_are_never_looked_at() -> None:
    """A custom rule may say what it likes."""
    square: Any = jax.custom_vjp(lambda x: x**2)
    square.defvjp(lambda x: (x**2, x), lambda x, g: (17 * g,))
    cube: Any = jax.custom_jvp(lambda x: x**3)
    cube.defjvp(lambda primals, tangents: (cube(primals[0]), 17 * tangents[0]))
    found = slopes(lambda x: jnp.sum(square(x) + cube(x)))
    assert float(found.slopes[0]) == pytest.approx(float((2 * X + 3 * X**2) @ V), rel=1e-14)


def test_operations_know_the_persons_line() -> None:
    """File, line and function."""

    def loss(x: Any) -> Any:
        return jnp.sum(jnp.sin(x))

    place = next(one.place for one in traced(loss).operations if one.name == "sin")
    assert place is not None
    assert place.file.endswith("test_trace.py")
    assert place.line == inspect.getsourcelines(loss)[1] + 1
    assert place.function.endswith("loss")


def test_kinks_have_two_slopes() -> None:
    """Each proved, whatever JAX chooses at the kink."""
    found = slopes(lambda x: jnp.sum(jax.nn.relu(x)), np.array([0.0, 2.0]), np.array([1.0, 1.0]))
    assert [float(found.slopes[0]), float((found.left or ())[0])] == [2.0, 1.0]
    assert "max" in found.kinks[0]
    assert found.ties == 1


def test_kinks_may_cancel() -> None:
    """relu(x) - relu(-x) is x."""
    found = slopes(lambda x: jax.nn.relu(x).sum() - jax.nn.relu(-x).sum(), np.array([0.0]), np.array([1.0]))
    assert [float(found.slopes[0]), float((found.left or ())[0])] == [1.0, 1.0]


def test_pooling_over_what_is_switched_off_is_no_kink() -> None:
    """Zeros that stay zero for every t near 0 tie without moving."""
    x = np.array([-1.0, -2.0, -3.0, 4.0])
    found = slopes(lambda x: jnp.sum(jax.nn.relu(x).reshape(2, 2).max(1)), x, np.ones(4))
    assert (found.left, float(found.slopes[0])) == (None, 1.0)


def test_scores_of_one_word_by_two_ways_are_no_obstacle() -> None:
    """A softmax over equal scores, of which a product of matrices in another order gives the second half."""
    words = np.array([1, 0, 1, 1])
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, 3))

    def attention(x: Any) -> Any:
        embedded = jnp.tanh(x).reshape(2, 2)[jnp.asarray(words)]
        scores = jnp.concatenate([(embedded @ weights).T, weights.T @ embedded.T], axis=1)
        return jnp.sum(jax.nn.softmax(scores, axis=1) @ jnp.concatenate([embedded, 2 * embedded]))

    x, v = rng.normal(size=4), rng.normal(size=4)
    found = slopes(attention, x, v)
    assert (found.left, found.precision) == (None, 128)
    step = 1e-6
    with own_settings(jax.devices("cpu")[0]):
        difference = (attention(x + step * v) - attention(x - step * v)) / (2 * step)
    assert float(found.slopes[0]) == pytest.approx(float(difference), rel=1e-6)


def _safe_norm(x: Any) -> Any:
    square = jnp.sum(x * x)
    return jnp.where(square == 0, 0.0, jnp.sqrt(jnp.where(square == 0, 1.0, square)))


# Name, loss, slopes at 0 for t > 0 and t < 0 along (1, -1, 1, 1, -1, -1).
AT_ZERO: list[tuple[str, Any, float, float]] = [
    ("norm", jnp.linalg.norm, 6**0.5, -(6**0.5)),
    ("norm with two branches", _safe_norm, 6**0.5, -(6**0.5)),
    ("norm of no negative", lambda x: jnp.sqrt(jnp.maximum(x @ x, 0.0)), 6**0.5, -(6**0.5)),
    ("square of a norm", lambda x: jnp.linalg.norm(x) ** 2 + x[0], 1.0, 1.0),
    ("sinc", lambda x: jnp.sum(jnp.sinc(x)), 0.0, 0.0),
    ("expm1(x) / x", lambda x: jnp.where(x == 0, 1.0, jnp.expm1(x) / x)[0], 0.5, 0.5),
    ("a branch by squares", lambda x: jnp.where(x**2 > 0, 2 * x, x)[0], 2.0, 2.0),
]


@pytest.mark.parametrize(("loss", "right", "left"), [row[1:] for row in AT_ZERO], ids=[row[0] for row in AT_ZERO])
def test_what_second_derivatives_decide(loss: Any, right: float, left: float) -> None:
    """At 0, where the value of the program and that nearby are the same."""
    found = slopes(loss, np.zeros(6))
    assert [float(found.slopes[0]), float((found.left or ())[0])] == pytest.approx([right, left], rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "x", "words"),
    [
        (lambda x: jnp.sum(jnp.where(x > 0, 1.0, 0.0) * (x + 1)), 0.0, "jumps"),
        (lambda x: jnp.sum(jnp.floor(x) * x), 2.0, "jumps"),
        (lambda x: jnp.sqrt(jnp.sum(x)), 0.0, "square root of exactly 0"),
        (lambda x: jnp.sum(jnp.where(x**3 > 0, 2 * x, x)), 0.0, "second derivatives"),
        (lambda x: jnp.sum(jnp.log(x)), -1.0, "not finite"),
        (lambda x: jnp.real(jnp.sum(jnp.linalg.inv(jnp.diag(jnp.exp(1j * x))))), 1.0, "no rule"),
    ],
    ids=["jump", "stairs", "root at 0", "flat tie", "not finite", "no rule"],
)
def test_what_cannot_be_proved_says_why(loss: Any, x: float, words: str) -> None:
    """Never a number that is not proved."""
    with pytest.raises(NotProvedError, match=words):
        slopes(loss, np.array([x]), np.array([1.0]))


def test_deep_recursions_get_more_digits() -> None:
    """A chaotic map loses a bit at each step, and has its slope all the same."""
    found = slopes(lambda x: jax.lax.fori_loop(0, 200, lambda _, c: 4 * c * (1 - c), x[0]), np.array([0.3]), np.ones(1))
    assert found.precision > 128
    assert float(found.slopes[0].rad()) < 1e-15 * abs(float(found.slopes[0]))


def test_numbers_that_leave_jax_cannot_be_followed() -> None:
    """Said with the line."""

    def loss(x: Any) -> Any:
        return jax.pure_callback(lambda y: np.asarray(y).sum(), jax.ShapeDtypeStruct((), jnp.float64), x)

    with pytest.raises(UntraceableError, match="leave JAX"):
        traced(loss)


def test_random_keys_go_through() -> None:
    """A function that draws with a fixed key is a function."""
    found = slopes(lambda x: jnp.sum(x * jax.random.normal(jax.random.key(0), (6,))))
    with own_settings(jax.devices("cpu")[0]):
        draws = np.asarray(jax.random.normal(jax.random.key(0), (6,)))
    assert float(found.slopes[0]) == pytest.approx(float(draws @ V), rel=1e-12)


def test_casts_are_said() -> None:
    """The derivative is that of the function without the rounding."""
    found = slopes(lambda x: jnp.sum(x.astype(jnp.float32).astype(jnp.float64) ** 2))
    assert float(found.slopes[0]) == pytest.approx(float(2 * X @ V), rel=1e-14)
    assert "rounds" in found.remarks[0]
