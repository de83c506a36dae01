"""Errors in ulps: gradients whose errors are known, formulas that lose digits, and what cannot be measured."""

import itertools
import math
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from xcheck import Verdict
from xcheck.checks.accuracy import measure
from xcheck.checks.accuracy.accuracy import TensorAccuracy
from xcheck.checks.prover import Prover

RANDOM = np.random.default_rng(0)
X, C = 2 * RANDOM.normal(size=12), RANDOM.normal(size=12)


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    """JAX in float64."""
    with jax.enable_x64(True):
        yield


def only(found: xcheck.Accuracy) -> TensorAccuracy:
    """The one tensor of the one witness."""
    [witness] = found.witnesses
    [tensor] = witness.tensors
    return tensor


def by_hand(loss: Any, gradient: Any, params: Any, **settings: Any) -> xcheck.Accuracy:
    """The accuracy of a hand-written gradient of a loss in JAX."""
    return xcheck.accuracy(xcheck.objective(loss, "jax", gradient=gradient), params, **settings)


def test_what_is_rounded_once_is_off_by_half_an_ulp_at_most() -> None:
    """In float64, exact to 60 digits before; and in float32, exact in float64 before."""

    def rounded_once(x: Any) -> Any:
        with localcontext(prec=60):
            return np.array([float(Decimal(float(one)).exp()) for one in x])

    found = by_hand(lambda x: jnp.exp(x).sum(), rounded_once, jnp.asarray(X))
    assert found.ok
    assert 0.1 < only(found).worst <= 0.5
    assert only(found).exceeding == (0, 0, 0, 0)

    def narrow(x: Any) -> Any:
        return (3 * np.asarray(x, "float64") ** 2).astype("float32")

    found = by_hand(lambda x: (x**3).sum(), narrow, jnp.asarray(X, "float32"))
    assert 0.1 < only(found).worst <= 0.5
    assert only(found).dtype == "float32"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_three_ulps_in_one_component_are_found(dtype: str) -> None:
    """And counted to the digit, since everything else is exact."""
    params = np.arange(1.0, 13.0).astype(dtype)

    def planted(x: Any) -> Any:
        gradient = 2 * np.asarray(x)
        gradient[7] += 3 * np.spacing(gradient[7])
        return gradient

    found = by_hand(lambda x: (x**2).sum(), planted, jnp.asarray(params))
    assert found.ok
    assert (only(found).worst, only(found).component, only(found).median) == (3.0, "x[7]", 0.0)
    assert only(found).exceeding == (1, 1, 0, 0)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_softmax_and_layer_norm_are_off_by_some_ulps_of_the_largest(dtype: str) -> None:
    """Whatever their own small components do."""

    def layer_norm(x: Any, c: Any) -> Any:
        return ((x - x.mean()) * jax.lax.rsqrt(x.var() + 1e-5)) @ c

    for loss in (lambda x, c: jax.nn.softmax(x) @ c, layer_norm):
        found = xcheck.accuracy(loss, jnp.asarray(X, dtype), (jnp.asarray(C, dtype),))
        assert found.ok, found.headline
        assert only(found).dtype == dtype
        assert 0 < only(found).of_largest < 40
        assert only(found).of_largest <= only(found).worst


def test_digits_lost_near_zero_are_said_with_their_component() -> None:
    """JAX's slope of sinc is a difference of two large terms there; its own rounding explains what is left."""
    found = xcheck.accuracy(lambda x: jnp.sinc(x).sum(), jnp.array([0.3, 1e-6, 1.3]))
    lost = only(found).lost
    assert lost is not None
    assert (lost.component, lost.explained) == ("x[1]", "yes")
    assert 8 < lost.digits < 15
    assert "x[1] has lost" in str(found)


def test_whether_rounding_explains_lost_digits_may_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no program can be looked into; where rounding does not explain them, the gradient is wrong."""
    params = jnp.array([0.3, 1e-6, 1.3])
    for known, word in ((None, "unknown"), (0.0, "wrong")):
        monkeypatch.setattr(
            Prover,
            "spread",
            lambda _, name, directions, known=known: None if known is None else np.full(len(directions), known),
        )
        lost = only(xcheck.accuracy(lambda x: jnp.sinc(x).sum(), params)).lost
        assert lost is not None
        assert lost.explained == word


def test_small_components_that_cancel_are_expected_to_lose_digits() -> None:
    """One ulp of the terms is many of what is left of them."""
    params = {"w": jnp.array([1.1, 1.0])}
    found = xcheck.accuracy(lambda p: (jnp.exp(p["w"][0]) - math.exp(1.1)) * p["w"][1] + 3 * p["w"][0], params)
    assert only(found).component == "w[1]"
    assert only(found).of_largest < 4


def test_digits_that_another_formula_keeps_are_said() -> None:
    """The slope of log(1 + exp(x)) far below 0, beside 1 - 1/(1 + exp(x)), which cancels there."""

    def loss(x: Any) -> Any:
        return jax.nn.softplus(x).sum()

    cancelling = xcheck.objective(loss, "jax", gradient=lambda x: 1 - 1 / (1 + np.exp(np.asarray(x))))
    found = xcheck.accuracy({"cancelling": cancelling, "autodiff": loss}, jnp.array([-30.0, 1.0, 2.0]))
    first, second = (witness.tensors[0] for witness in found.witnesses)
    assert (first.component, first.avoidable, second.avoidable) == ("x[0]", True, False)
    assert first.cancels
    assert "another gradient is off by" in " ".join(str(found).split())


def test_a_wrong_gradient_disagrees() -> None:
    """Beside one whose program explains what rounding does; the sentence is that of a proof."""

    def loss(x: Any) -> Any:
        return jnp.sin(x).sum()

    wrong = xcheck.objective(loss, "jax", gradient=lambda x: np.cos(np.asarray(x)) * (1 + 1e-9))
    found = xcheck.accuracy({"right": loss, "wrong": wrong}, jnp.asarray(X))
    assert found.verdict is Verdict.DISAGREE
    assert "wrong is proved to be wrong" in found.headline
    right, other = found.witnesses
    assert right.worst < 10
    assert other.median > 1e5
    alone = by_hand(loss, lambda x: 2 * np.cos(np.asarray(x)), jnp.asarray(X))
    assert alone.verdict is Verdict.DISAGREE


def test_what_may_be_wrong_or_inaccurate_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no program can be looked into; its errors are counted all the same."""
    monkeypatch.setattr(Prover, "spread", lambda *_: None)
    found = by_hand(lambda x: (x**2).sum(), lambda x: 3 * np.asarray(x), jnp.asarray(X))
    assert found.verdict is Verdict.UNDECIDED
    assert found.headline == "nothing is proved: jax: its program cannot be looked into"
    assert only(found).worst > 1e14


def test_both_parts_of_complex_parameters_are_measured() -> None:
    """By their own names."""
    found = xcheck.accuracy(lambda z: jnp.abs(z).sum(), jnp.array([1 + 2j]))
    assert found.verdict is Verdict.AGREE
    [witness] = found.witnesses
    assert [(one.tensor, one.worst < 4) for one in witness.tensors] == [("z.real", True), ("z.imag", True)]


def test_zero_is_exact() -> None:
    """A gradient of zeros is off by none."""
    found = xcheck.accuracy(lambda x: 0 * jnp.sum(x), jnp.ones(3))
    assert (only(found).worst, only(found).of_largest) == (0.0, 0.0)


def test_scalars_and_tensors_without_components() -> None:
    """A scalar is called by its name alone; of nothing there is no row."""
    found = xcheck.accuracy(lambda p: p["s"] ** 3 + p["empty"].sum(), {"empty": jnp.zeros((0, 3)), "s": jnp.array(2.0)})
    assert (only(found).tensor, only(found).component, only(found).of) == ("s", "s", 1)


def test_components_at_kinks_are_left_out_and_counted() -> None:
    """With the operation; where nothing else is there, nothing is measured."""
    found = xcheck.accuracy(lambda x: jnp.abs(x).sum(), jnp.array([0.0, 1.0, -2.0]))
    assert (found.kinks, only(found).of, found.ok) == (1, 2, True)
    assert "`abs` at" in found.operations[0]
    found = xcheck.accuracy(lambda x: jnp.abs(x).sum(), jnp.array([0.0]))
    assert (found.verdict, found.witnesses) == (Verdict.UNDECIDED, ())
    assert "at a kink" in found.headline


def test_more_components_than_wanted_are_drawn() -> None:
    """By the seed; their names are those of the whole."""
    found = xcheck.accuracy(lambda x: jnp.sin(x).sum(), jnp.linspace(0, 3, 50), most=5)
    assert (found.looked, found.parameters, only(found).of) == (5, 50, 5)
    assert "5 of 50 components, drawn at random" in str(found)
    with pytest.raises(xcheck.DefinitionError, match="most"):
        xcheck.accuracy(lambda x: x.sum(), jnp.ones(2), most=0)


def test_what_has_no_rule_is_named_with_its_line() -> None:
    """In one sentence."""
    found = xcheck.accuracy(lambda x: jnp.abs(jnp.linalg.eigvals(jnp.outer(x, x))).sum(), jnp.ones(3))
    assert found.verdict is Verdict.UNDECIDED
    assert found.headline.startswith("nothing is proved: jax: ")
    assert "test_measure.py" in found.headline


def test_a_function_that_fails_is_an_error() -> None:
    """As in a check."""

    def loss(x: Any) -> Any:
        raise ValueError("no")

    found = xcheck.accuracy(loss, jnp.ones(2))
    assert found.verdict is Verdict.ERROR
    assert "ValueError: no" in found.headline


def test_a_random_function_has_no_slopes() -> None:
    """It is said, and undecided."""
    random = np.random.default_rng(0)
    found = by_hand(lambda x: x.sum(), lambda x: np.ones(2) * random.normal(), jnp.ones(2))
    assert found.verdict is Verdict.UNDECIDED
    assert "differs from call to call" in found.headline


def test_a_gradient_that_rounds_in_turn_is_measured() -> None:
    """Two calls whose sums are taken in another order are one gradient."""
    factors = itertools.cycle([1.0, 1.0 + 2.0**-52])
    found = by_hand(lambda x: (x**2).sum(), lambda x: 2 * np.asarray(x) * next(factors), jnp.ones(2))
    assert found.verdict is Verdict.AGREE
    assert found.witnesses[0].worst <= 1


def test_without_flint_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be measured without."""
    monkeypatch.setattr(measure, "has_flint", lambda: False)
    with pytest.raises(xcheck.BackendError, match=r"pip install 'xcheck-grad\[proof\]'"):
        xcheck.accuracy(lambda x: x.sum(), jnp.ones(2))


def test_a_definition() -> None:
    """All witnesses, tensor by tensor."""
    definition = {
        "data": {"synthetic": {"inputs": 2, "examples": 4}},
        "network": {"layers": [{"units": 2, "activation": "tanh"}, {"units": 1}], "loss": "mean_squared_error"},
    }
    found = xcheck.accuracy(definition, backends=["numpy", "jax"])
    assert found.ok
    assert [witness.name for witness in found.witnesses] == ["numpy", "jax"]
    assert [tensor.tensor for tensor in found.witnesses[0].tensors] == ["W1", "b1", "W2", "b2"]
    assert all(0 <= tensor.of_largest < 100 for witness in found.witnesses for tensor in witness.tensors)
