"""Attacks on check that once succeeded: right gradients that were called wrong, wrong ones that passed."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import xcheck
from tests.checks.functions.layer import codes
from xcheck import Report, Verdict
from xcheck.errors import DefinitionError

RNG = np.random.default_rng(0)
X = torch.tensor([-0.5, 0.3, 1.1, 2.0], dtype=torch.float64)


def draws(*shape: int, seed: int = 0) -> Any:
    """Gaussian numbers as a tensor of float64."""
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


_DATA = draws(16, 6).float()

# --- right gradients ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.0, 3.0, 10.0, 100.0])
def test_float32_inside_beside_any_offset(offset: float) -> None:
    """Staircases are told from what close samples do not do, however large the loss is beside its slopes."""
    report = xcheck.check(lambda x: x.float().sin().sum() + offset, X)
    assert report.verdict in (Verdict.AGREE, Verdict.UNDECIDED), report
    assert "XC417" in codes(report)


def test_half_precision_inside() -> None:
    """Treads so wide that several spacings are tried."""
    p, x = draws(6, 4).float(), draws(32, 6, seed=1).float()
    report = xcheck.check(lambda p, x: (x.bfloat16() @ p.bfloat16()).float().tanh().pow(2).mean(), p, (x,))
    assert report.verdict is not Verdict.DISAGREE, report
    assert "XC417" in codes(report)


def _attention_bias() -> Report:
    params = {"W": draws(3, 6).float(), "c": draws(1).float()}
    target = torch.zeros(16, dtype=torch.long)
    return xcheck.check(lambda p, x: F.cross_entropy(x @ p["W"].T + p["c"], target), params, (draws(16, 6).float(),))


def _batch_norm_bias() -> Report:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5))
    loss = xcheck.objective(net, "torch", loss=lambda out: out.tanh().pow(3).mean())
    return xcheck.check(loss, data=(draws(16, 6).float(),))


@pytest.mark.parametrize("case", [_attention_bias, _batch_norm_bias])
def test_what_cancels_to_zero_in_float32(case: Callable[[], Report]) -> None:
    """Rounding of a gradient that cancels is that of the others."""
    assert case().ok, case()


@pytest.mark.parametrize(
    ("loss", "params"),
    [
        (lambda z: F.cross_entropy(z + 1e4, torch.tensor([1])), torch.tensor([[0.3, -0.2, 1.0]])),
        (lambda w: torch.sin(1e3 * w).mean(), draws(10, 20).float()),
        (lambda w: ((_DATA @ w - _DATA.sum(1)) ** 2).mean(), torch.ones(6)),
    ],
    ids=["large logits", "fast sine", "stationary"],
)
def test_ill_conditioned_float32_is_undecided(loss: Callable[..., Any], params: Any) -> None:
    """In float64 the same function agrees: rounding is not called a wrong gradient, nor a right one."""
    report = xcheck.check(loss, params)
    assert report.verdict in (Verdict.AGREE, Verdict.UNDECIDED), report


def test_noise_that_sits_in_one_component() -> None:
    """The naive cross-entropy of one saturated logit: its own noise is measured before anybody is blamed."""
    z = np.linspace(-2, 2, 100)
    z[57] = 25.0

    def loss(z: Any) -> float:
        return float(np.mean(-np.log(1 - 1 / (1 + np.exp(-z)))))

    report = xcheck.check(loss, z, gradient=lambda z: 1 / (1 + np.exp(-z)) / z.size)
    assert report.verdict is Verdict.UNDECIDED, report
    assert report.pairs[0].undecided == 1


@pytest.mark.parametrize("seed", range(3))
def test_kinks_of_thousands_of_examples(seed: int) -> None:
    """Where every step crosses kinks, extrapolation may agree with itself by coincidence: that is not believed."""
    params = {"W1": draws(6, 8, seed=seed) / 3, "b": draws(6, seed=seed + 1) / 10, "w": draws(6, seed=seed + 2) / 4}
    x, y = draws(3000, 8, seed=seed + 3), draws(3000, seed=seed + 4)
    report = xcheck.check(lambda p: F.mse_loss(torch.relu(x @ p["W1"].T + p["b"]) @ p["w"], y), params)
    assert report.verdict is not Verdict.DISAGREE, report


@pytest.mark.parametrize(
    ("loss", "at", "slope"),
    [
        (lambda x: np.sign(x) * abs(x) ** 1.5, 0.0, lambda x: 1.5 * abs(x) ** 0.5),
        (lambda x: x**2 + np.tanh(1e6 * x) / 1e6, 1e-7, lambda x: 2 * x + np.cosh(1e6 * x) ** -2.0),
        (lambda x: x**2 + np.sin(1e6 * x) / 1e6, 0.3, lambda x: 2 * x + np.cos(1e6 * x)),
    ],
    ids=["power", "narrow step", "fast wave"],
)
def test_odd_powers_and_narrow_features(loss: Any, at: float, slope: Any) -> None:
    """Nobody is blamed for what happens inside the first step."""
    report = xcheck.check(lambda x: float(loss(x[0])), np.array([at]), gradient=slope)
    assert report.verdict is not Verdict.DISAGREE, report


def test_second_derivatives_of_any_scale() -> None:
    """Steps become as short as it takes."""
    assert xcheck.check(lambda z: (1e6 * z).tanh().sum(), draws(4) * 1e-6, order=2).ok


def test_a_second_derivative_that_is_zero() -> None:
    """Autograd's stand-in for zeros."""
    assert xcheck.check(lambda z: z.abs().sum(), draws(3), order=2).ok


def test_a_loss_that_differentiates() -> None:
    """A gradient penalty with respect to the parameters themselves."""

    def loss(p: Any) -> Any:
        (gradient,) = torch.autograd.grad((p**3).sum(), p, create_graph=True)
        return gradient.square().sum()

    assert xcheck.check(loss, draws(3)).ok


def test_the_key_of_a_random_generator_is_carried_along() -> None:
    """It holds no numbers, and the function is deterministic."""
    with jax.enable_x64(True):
        p = jnp.ones(3)
    assert xcheck.check(lambda p, key: jnp.sum(p * jax.random.normal(key, (3,))), p, (jax.random.key(0),)).ok


def test_a_hand_written_jax_gradient_in_float64() -> None:
    """The person's own code runs in 64 bits, whatever the flags are."""

    def loss(p: Any, x: Any) -> Any:
        return jnp.mean(jnp.tanh(x @ p) ** 2)

    def gradient(p: Any, x: Any) -> Any:
        t = jnp.tanh(x @ p)
        return x.T @ (2 * t * (1 - t**2)) / len(x)

    handed = xcheck.objective(loss, "jax", gradient=gradient)
    assert xcheck.check(handed, np.ones(6) / 3, (RNG.standard_normal((50, 6)),)).ok


# --- wrong gradients ------------------------------------------------------------------------------------------------


class _Memo:
    """A gradient that is computed once and for all."""

    def __init__(self) -> None:
        self.kept: Any = None

    def __call__(self, x: Any) -> Any:
        if self.kept is None:
            self.kept = 3 * x**2
        return self.kept


class _Forward:
    """A gradient that takes what the last call of the loss has left behind."""

    def loss(self, x: Any) -> float:
        """Keeps its input."""
        self.x = x.copy()
        return float((x**3).sum())

    def gradient(self, x: Any) -> Any:
        """Ignores its own."""
        return 3 * self.x**2


def test_a_gradient_that_is_kept_for_ever() -> None:
    """Right at θ, and the same elsewhere."""
    report = xcheck.check(lambda x: float((x**3).sum()), np.ones(6), gradient=_Memo())
    assert report.verdict is Verdict.DISAGREE
    assert "XC108" in codes(report)
    assert "kept from the first call" in report.headline


def test_a_gradient_that_depends_on_the_last_loss() -> None:
    """Called after the loss at another θ, it is another."""
    mine = _Forward()
    report = xcheck.check(mine.loss, np.ones(6), gradient=mine.gradient)
    assert report.verdict is Verdict.DISAGREE
    assert "XC108" in codes(report)


def test_a_constant_gradient_is_no_stale_one() -> None:
    """A linear loss has the same gradient everywhere, and so has |x| around a point."""
    assert xcheck.check(lambda x: float(x.sum()), np.ones(3), gradient=np.ones_like).ok
    assert xcheck.check(lambda x: float(np.abs(x).sum()), np.array([1.0, -2.0]), gradient=np.sign).ok


def test_entries_at_a_kink_make_no_stale_gradient() -> None:
    """Piecewise linear losses have the same gradient on both sides of many kinks."""
    at_kinks = np.array([0.0, 1.0, -1.0])
    assert xcheck.check(lambda p: float(np.maximum(p, 0).sum()), at_kinks, gradient=lambda p: 1.0 * (p > 0)).ok
    hinge = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    assert xcheck.check(lambda x: (torch.clamp(1 - x, min=0) * torch.tensor([1.0, 2.0, 3.0])).sum(), hinge).ok
    assert xcheck.check(lambda x: torch.frac(x).sum(), hinge - 1e-7).ok


def test_a_kept_gradient_at_a_kink_is_stale() -> None:
    """Right where it was computed, a subgradient even; wrong where it is given again."""
    tied = np.array([1.0, 1.0, 0.0])
    report = xcheck.check(lambda x: float(x.max() + x @ x), tied, gradient=lambda _: np.array([3.0, 2.0, 0.0]))
    assert report.verdict is Verdict.DISAGREE
    assert "XC108" in codes(report)


def _sine(backward: Callable[[Any], Any]) -> Any:
    """sin x with a faulty treatment of what arrives from above."""

    class Sine(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> Any:
            return backward(grads[0]) * ctx.saved_tensors[0].cos()

    return Sine


@pytest.mark.parametrize("scope", ["auto", "jacobian"])
@pytest.mark.parametrize(
    "backward", [torch.abs, torch.square, torch.ones_like, lambda g: g.clamp(-1, 1)], ids=["abs", "square", "1", "clip"]
)
def test_a_backward_that_is_not_linear(backward: Callable[[Any], Any], scope: Any) -> None:
    """What arrives is never 1: a backward that ignores it, or bends it, is found."""
    report = xcheck.check(lambda x: _sine(backward).apply(x), X, scope=scope)
    assert report.verdict is Verdict.DISAGREE
    alone = xcheck.check(lambda x: _sine(backward).apply(x.sum()), X)
    assert alone.verdict is Verdict.DISAGREE


@pytest.mark.parametrize(
    "source", [np.arange(1.0, 7.0)[::-1], np.arange(1.0, 13.0)[::2]], ids=["backwards", "with gaps"]
)
def test_wrong_in_one_memory_layout_only(source: Any) -> None:
    """NumPy arrays keep their strides."""
    contiguous = xcheck.check(lambda x: float((x**2).sum()), source.copy(), gradient=_by_layout)
    assert contiguous.ok
    assert xcheck.check(lambda x: float((x**2).sum()), source, gradient=_by_layout).verdict is Verdict.DISAGREE


def _by_layout(x: Any) -> Any:
    return 2 * x if x.strides == (x.itemsize,) else 3 * x


def test_wrong_with_a_storage_offset_only() -> None:
    """Tensors that do not begin where their storage does stay so."""

    class Twice(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.offset = x.storage_offset()
            return 2 * x

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> Any:
            return grads[0] * (3 if ctx.offset else 2)

    assert xcheck.check(lambda x: Twice.apply(x).sin().sum(), draws(6)).ok
    assert xcheck.check(lambda x: Twice.apply(x).sin().sum(), draws(8)[2:]).verdict is Verdict.DISAGREE


# --- bad input ------------------------------------------------------------------------------------------------------


def test_parameters_without_components() -> None:
    """Nothing to divide by, and nothing to check."""
    with pytest.raises(DefinitionError, match="the parameters have no components"):
        xcheck.check(lambda x: x.sum(), torch.zeros(0))


def test_a_gradient_as_a_list_of_numbers() -> None:
    """As people write it for a few parameters."""
    assert xcheck.check(lambda x: float((x**2).sum()), np.ones(3), gradient=lambda x: [2 * v for v in x.tolist()]).ok


def test_a_forgotten_return() -> None:
    """None as a whole is a mistake, and no gradient of zero."""
    report = xcheck.check(lambda x: float((x**2).sum()), np.ones(3), gradient=lambda x: None)
    assert report.verdict is Verdict.ERROR
    assert "the gradient returned None: is a return missing?" in report.headline


def test_a_hand_written_gradient_of_an_array() -> None:
    """There is no cotangent that it could be given."""
    with pytest.raises(DefinitionError, match="a hand-written gradient needs one real number"):
        xcheck.check(np.sin, np.ones(2), gradient=np.cos)
