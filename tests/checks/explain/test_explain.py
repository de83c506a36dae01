"""explain: the page of a code, and one component from close up."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from tests.fakes import Fake
from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.errors import DefinitionError
from xcheck.layout import Layout
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.testing import FAULTS, Planted
from xcheck.verdict import Verdict

LAYOUT = Layout.of({"W1": (2, 3), "b1": (2,), "enc.0.W": (4, 5), "scale": (), "one": (1,), "none": (0,)})


# --- codes ----------------------------------------------------------------------------------------------------------


# --- names of components --------------------------------------------------------------------------------------------


# --- components of networks -----------------------------------------------------------------------------------------


def test_a_planted_fault_is_seen_in_its_component(problem: Problem) -> None:
    """The witness is wrong, by so much; the others are right; elsewhere it is right, too."""
    spoiled = Planted(registry.get("numpy"), next(fault for fault in FAULTS if fault.name == "W2 x 2"))
    found = xcheck.explain(problem, "W2[3, 1]", backends=[spoiled, "torch"])
    numpy, torch = found.statements
    assert (numpy.verdict, numpy.text) == (Verdict.DISAGREE, "wrong: 2 x the oracle")
    assert numpy.bars > 1e6
    assert (torch.verdict, torch.text) == (Verdict.AGREE, "right")
    assert found.verdict is Verdict.DISAGREE
    assert found.headline.startswith("numpy is wrong: 2 x the oracle, ")
    assert found.headline.endswith(" bars off; torch is right")
    assert xcheck.explain(problem, "W3[2, 1]", backends=[spoiled, "torch"]).verdict is Verdict.AGREE


def test_a_witness_that_fails_never_looks_like_a_disagreement(problem: Problem) -> None:
    """It is quoted, and the others are shown all the same."""

    class Failing(Fake):
        def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: str = "float64") -> Objective:
            raise ValueError("cheese")

    found = xcheck.explain(problem, "b1[0]", backends=["numpy", Failing()])
    assert found.verdict is Verdict.ERROR
    assert found.findings == ("fake: ValueError: cheese",)
    assert [one.verdict for one in found.statements] == [Verdict.AGREE]


def relu_network(bias: float) -> Problem:
    """Two relu units of one input each, one example x = 1: z = W + b, and W = 0.25."""
    network = Network(inputs=1, layers=(Dense(units=2, activation="relu"), Dense(units=1)), loss="mean_squared_error")
    theta = [0.25, -0.25, bias, 1.0, 1.0, 1.0, 0.0]
    return Problem.create(network, [[1.0]], [[0.0]], theta=theta)


def test_a_relu_at_exactly_zero_is_explained() -> None:
    """The kink is at θ, both one-sided slopes are shown, and relu'(0) = 0 is right."""
    problem = relu_network(bias=-0.25)
    found = xcheck.explain(problem, "W1[0,0]", backends=["numpy"])
    assert found.at_kink
    assert found.kink.distance == 0
    assert found.verdict is Verdict.AGREE
    assert found.statements[0].text == f"right: at a kink, any slope in [0, {found.upper:.6g}] is"
    assert found.slopes is not None
    assert found.slopes.left == 0
    assert found.slopes.right == pytest.approx(found.upper, abs=1e-6)
    assert "at θ: the slopes on both sides stay apart" in str(found)


# --- components of functions ----------------------------------------------------------------------------------------


def square(x: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    """Σ x²."""
    return float((x**2).sum())


def test_a_sample_includes_the_component() -> None:
    """Although most others are left out."""
    x = np.linspace(1.0, 2.0, 2000)
    found = xcheck.explain(square, 1234, x, gradient=lambda x: 2 * x, scope="sample", budget=1e-6)
    assert found.verdict is Verdict.AGREE
    assert found.value == pytest.approx(2 * x[1234], rel=1e-8)
    assert found.component.flat == 1234


def test_a_narrow_gradient_is_asked_again_in_float64() -> None:
    """Both answers are shown; what rounding does to the first is no mistake."""
    torch = pytest.importorskip("torch")
    x = torch.linspace(1.0, 2.0, 5, dtype=torch.float32)
    found = xcheck.explain(lambda x: torch.sin(x).sum(), "params[2]", x)
    assert [one.name for one in found.statements] == ["torch", "torch in float64"]
    assert found.verdict is Verdict.AGREE


def test_a_random_loss_is_undecided() -> None:
    """With its spread."""
    rng = np.random.default_rng(0)
    found = xcheck.explain(lambda x: square(x) * (1 + 0.1 * rng.random()), 0, np.ones(2), gradient=lambda x: 2 * x)
    assert found.verdict is Verdict.UNDECIDED
    assert "between two calls at the same θ" in found.headline


def test_a_gradient_kept_from_the_first_call_is_wrong() -> None:
    """Even where this component of it is right."""
    kept: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    found = xcheck.explain(square, 0, np.array([1.0, 3.0]), gradient=lambda x: kept.setdefault("g", 2 * x))
    assert found.statements[0].verdict is Verdict.AGREE
    assert found.verdict is Verdict.DISAGREE
    assert "kept from the first call" in found.headline


def test_a_function_that_raises_is_an_error() -> None:
    """What it says is quoted, and nothing is plotted."""

    def broken(x: object) -> float:
        raise ValueError("cheese")

    found = xcheck.explain(broken, 0, np.ones(2), gradient=lambda x: 2 * x)
    assert found.verdict is Verdict.ERROR
    assert "cheese" in str(found)
    assert found.steps == ()


def test_an_infinite_loss_is_undecided() -> None:
    """There is nothing to be differenced."""
    found = xcheck.explain(lambda x: np.inf * square(x), 0, np.ones(2), gradient=lambda x: 2 * x)
    assert found.verdict is Verdict.UNDECIDED
    assert "no finite slope" in found.headline


def test_an_output_of_many_is_not_explained() -> None:
    """With scope 'jacobian' there is more than one gradient."""
    jnp = pytest.importorskip("jax.numpy")
    with pytest.raises(DefinitionError, match="gradient of its own"):
        xcheck.explain(jnp.tanh, 0, jnp.ones(3), scope="jacobian")


# --- as people see it -----------------------------------------------------------------------------------------------


def test_the_slope_is_proved_where_that_is_asked_for(problem: Problem) -> None:
    """With more digits than differences have; without it nothing is said."""
    assert xcheck.explain(problem, "W1[0, 0]").proved is None
    found = xcheck.explain(problem, "W1[0, 0]", proof=True)
    assert found.proved is not None
    assert found.proved.right == found.proved.left
    midpoint = float(found.proved.right.strip("[").split()[0])
    assert midpoint == pytest.approx(found.value, rel=1e-6)
    assert str(found.proved).startswith("the slope is [")


def test_both_slopes_at_a_kink_are_proved() -> None:
    """And what cannot be proved says why."""
    with jax.enable_x64(True):
        found = xcheck.explain(lambda x: jnp.abs(x).sum(), "x[0]", jnp.zeros(1), proof=True)
        assert (
            str(found.proved)
            == "the slopes are 1.000000000000000000000000 right of θ, -1.000000000000000000000000 left of it"
        )
        found = xcheck.explain(lambda x: jnp.fmod(x, 0.7).sum(), "x[0]", jnp.ones(2), proof=True)
    assert found.proved is not None
    assert str(found.proved).startswith("nothing is proved: jax: `")
