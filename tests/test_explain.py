"""explain: the page of a code, and one component from close up.

After a change that is meant: `python -m tests.test_explain` writes the golden files anew; read the difference.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import xcheck
from tests.commands import SMALL, Typist
from tests.fakes import Fake
from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.checks.explain.component import component_of
from xcheck.checks.explain.explanation import Explanation, Kink, WitnessValue
from xcheck.checks.explain.sweep import Step, nearest_kink, sweep_steps
from xcheck.checks.networks.check import natural_engine
from xcheck.errors import DefinitionError
from xcheck.layout import Layout, Location
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.pages import codes, page
from xcheck.report.component import render
from xcheck.testing import FAULTS, Planted
from xcheck.verdict import Verdict

GOLDEN = Path(__file__).parent / "report" / "golden"
LAYOUT = Layout.of({"W1": (2, 3), "b1": (2,), "enc.0.W": (4, 5), "scale": (), "one": (1,), "none": (0,)})
PYTHON = """
import numpy as np
import xcheck

def loss(params, x):
    return np.abs(x @ params["w"]).sum() + params["scale"] ** 3

def gradient(params, x):
    return {"w": x.T @ np.sign(x @ params["w"]), "scale": 3 * params["scale"] ** 2}

def _case(w, gradient):
    params = {"w": np.array(w), "scale": np.array(2.0)}
    return xcheck.Case(xcheck.objective(loss, "numpy", gradient=gradient), params, (np.eye(2),))

right = _case([0.0, 2.0], gradient)
wrong = _case([0.0, 2.0], lambda params, x: {"w": 5 + params["w"], "scale": 2 * params["scale"] ** 2})
"""


@pytest.fixture
def typed(typist: Typist) -> Typist:
    """A folder with model.toml and model.py to type commands in."""
    (typist.folder / "model.toml").write_text(SMALL)
    (typist.folder / "model.py").write_text(PYTHON)
    return typist


# --- codes ----------------------------------------------------------------------------------------------------------


def test_a_page_is_printed_as_it_is_in_a_pipe(typed: Typist) -> None:
    """Whatever the case of the code."""
    assert typed("explain", "xc404") == (0, page("XC404").text, "")


def test_a_page_is_rendered_on_a_terminal(typed: Typist) -> None:
    """By rich: headings are no longer marked by number signs."""
    out = typed("explain", "XC404", "--color", "always").out
    assert "What it means" in out
    assert "## What it means" not in out


def test_without_an_argument_all_codes_are_listed(typed: Typist) -> None:
    """With their titles."""
    lines = typed("explain").out.splitlines()
    assert lines == [f"{code}  {page(code).title}" for code in codes()]


def test_a_page_as_json(typed: Typist) -> None:
    """One object for each code."""
    found = json.loads(typed("explain", "XC404", "--format", "json").out)
    assert (found["code"], found["title"]) == ("XC404", "at a kink")
    assert set(found) == {"code", "title", "summary", "text"}


def test_an_unknown_code(typed: Typist) -> None:
    """Did you mean; exit status 2."""
    assert typed("explain", "XC4055") == (2, "", "there is no code XC4055; did you mean XC405?\n")


@pytest.mark.parametrize("arguments", [["model.toml"], ["model.toml", "b1[0]", "b1[1]"], ["XC404", "b1[0]"]])
def test_what_cannot_be_meant(typed: Typist, arguments: list[str]) -> None:
    """A MODEL goes with one component."""
    done = typed("explain", *arguments)
    assert (done.status, done.out) == (2, "")


# --- names of components --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flat", range(LAYOUT.size))
def test_a_name_leads_back_to_its_component(flat: int) -> None:
    """The inverse of Layout.locate, with and without a space; and so does the flat index itself."""
    name = str(LAYOUT.locate(flat))
    assert [component_of(LAYOUT, text) for text in (name, name.replace(" ", ""), str(flat))] == [flat] * 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w1x[0]", "there is no parameter w1x; known: W1, b1, enc.0.W, scale, one, none"),
        ("enc.0.V[1, 1]", "there is no parameter enc.0.V; did you mean 'enc.0.W'?"),
        ("W1[2, 0]", "W1[2, 0] is out of range: W1 has shape (2, 3), index 0 goes from 0 to 1"),
        ("W1[0, -1]", "W1[0, -1] is out of range: W1 has shape (2, 3), index 1 goes from 0 to 2"),
        ("W1[1]", "W1[1] has 1 indices, W1 has shape (2, 3); write it like 'W2[3, 1]', or as a flat index"),
        ("W1", "W1 has no indices, W1 has shape (2, 3); write it like 'W2[3, 1]', or as a flat index"),
        ("W1[a]", "W1[a] names no component: W1 has shape (2, 3); write it like 'W2[3, 1]', or as a flat index"),
        ("scale[0]", "scale[0] has 1 indices, scale is one number; write it like 'W2[3, 1]', or as a flat index"),
        ("none[0]", "none[0] is out of range: none has shape (0,), index 0 goes from nothing: it is empty"),
        ("30", "there is no component 30: flat indices go from 0 to 29"),
    ],
)
def test_a_component_that_is_not_there(text: str, expected: str) -> None:
    """The shape, the valid range, or a name that is close."""
    with pytest.raises(DefinitionError) as caught:
        component_of(LAYOUT, text)
    assert str(caught.value) == expected


def test_one_component_needs_no_index() -> None:
    """A scalar, or a tensor of one component."""
    assert (component_of(LAYOUT, "scale"), component_of(LAYOUT, "one")) == (28, 29)


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


def test_the_sweep_is_a_v(problem: Problem) -> None:
    """Truncation falls like h², roundoff rises like 1/h, and between them D(h) meets the oracle."""
    found = xcheck.explain(problem, "W3[2, 1]", backends=["numpy"])
    off = [abs(step.central - found.value) for step in found.steps]
    assert [round(math.log10(step.h)) for step in found.steps] == list(range(-1, -13, -1))
    assert 50 < off[0] / off[1] < 200
    assert min(off) < 1e-10
    assert off[-1] > 1e-6


def test_the_right_component_is_told_by_the_cli(typed: Typist) -> None:
    """Text and JSON, and exit status 0."""
    done = typed("explain", "model.toml", "W1[3, 1]")
    assert done.status == 0
    assert done.out.startswith("AGREE  model.toml, W1[3, 1]: numpy is right\n")
    assert done.out.endswith("  again: python -m xcheck explain model.toml 'W1[3, 1]'\n")
    found = json.loads(typed("explain", "model.toml", "W1[3, 1]", "--format", "json").out)
    assert found["component"]["flat"] == 10
    assert len(found["sweep"]) == 12
    assert found["witnesses"][0]["verdict"] == "AGREE"


def test_settings_mean_the_same_as_in_a_check(typed: Typist) -> None:
    """Another seed is another θ, another dtype another tolerance, and another backend another witness."""
    command = ("explain", "model.toml", "W1[3, 1]", "--format", "json")
    plain = json.loads(typed(*command).out)
    other = json.loads(typed(*command, "--seed", "1", "--dtype", "float32", "--backend", "jax").out)
    assert plain["component"]["theta"] != other["component"]["theta"]
    assert (plain["tolerance"], other["tolerance"]) == (1e-7, 2.0**-14)
    assert other["witnesses"][0]["name"] == "jax"


def test_an_unknown_component_is_2(typed: Typist) -> None:
    """Before anything is computed."""
    done = typed("explain", "model.toml", "W1[4, 0]")
    assert done == (2, "", "W1[4, 0] is out of range: W1 has shape (4, 3), index 0 goes from 0 to 3\n")


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


@pytest.mark.parametrize(("name", "distance"), [("W1[0, 0]", -0.03125), ("b1[0]", -0.03125), ("W2[0, 0]", math.nan)])
def test_the_nearest_kink_is_found(name: str, distance: float) -> None:
    """z = 1/32: the unit stops when its weight or bias shrinks by so much; above it nothing has a kink."""
    problem = relu_network(bias=-0.21875)
    found = nearest_kink(problem, component_of(problem.layout, name), 0.1)
    assert found == pytest.approx(distance, abs=1e-12, nan_ok=True)


def test_the_sweep_crosses_the_kink() -> None:
    """The real loss is differenced, and no piece continued: with a step beyond the kink D(h) is off."""
    problem = relu_network(bias=-0.21875)
    found = xcheck.explain(problem, "W1[0, 0]", backends=["numpy"])
    assert abs(found.steps[0].central - found.value) > 0.1 * abs(found.value)
    assert abs(found.steps[2].central - found.value) < 1e-6


def test_the_loss_of_the_sweep_is_that_of_the_witnesses(problem: Problem) -> None:
    """With its penalties and its dropout."""
    loss, _ = registry.get("numpy").network_objective(problem).loss_and_gradient(problem.theta)
    assert natural_engine(problem).losses[0] == pytest.approx(loss, rel=1e-14)


def test_a_weight_at_the_kink_of_its_penalty(problem: Problem) -> None:
    """|w| has its kink at w = 0."""
    flat = component_of(problem.layout, "W1[0, 0]")
    theta = problem.theta.copy()
    theta[flat] = 1e-5
    assert nearest_kink(replace(problem, theta=theta), flat, 0.1) == pytest.approx(-1e-5)


def test_a_step_that_vanishes_has_no_slope() -> None:
    """1e-12 beside 1e6 cannot be taken."""
    network = Network(inputs=1, layers=(Dense(units=1),), loss="mean_squared_error")
    problem = Problem.create(network, [[1.0]], [[0.0]], theta=[1e6, 0.0])
    steps = sweep_steps(natural_engine(problem), 0, 1.0)
    assert math.isnan(steps[-1].central)


# --- components of functions ----------------------------------------------------------------------------------------


def test_a_kink_of_a_function(typed: Typist) -> None:
    """|w| at w = 0, in a file of one's own."""
    done = typed("explain", "model.py::right", "w[0]")
    assert done.status == 0
    assert "right: at a kink, any slope in [-1, 1] is" in done.out
    assert "nearest kink along this component: at θ" in done.out


def test_outside_the_slopes_at_a_kink_is_wrong(typed: Typist) -> None:
    """5 is no subgradient of |w|."""
    done = typed("explain", "model.py::wrong", "w[0]")
    assert done.status == 1
    assert "numpy is wrong: outside [-1, 1], the slopes at the kink" in done.out.replace("\n", " ")


def test_a_scalar_of_a_function(typed: Typist) -> None:
    """By its name alone; the status is that of the component."""
    done = typed("explain", "model.py::wrong", "scale", columns=40)
    assert done.status == 1
    assert "0.6667 x the oracle" in done.out.replace("\n", " ")
    assert max(map(len, done.out.splitlines()[:-1])) <= 40


def test_one_of_several_cases_must_be_named(typed: Typist) -> None:
    """All are listed."""
    done = typed("explain", "model.py", "scale")
    expected = "model.py: offers several cases; name one of model.py::right, model.py::wrong\n"
    assert done == (2, "", expected)


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


def explanation() -> Explanation:
    """θ³ at 1, whose noise is a tenth of a rounding: the example of the lecture notes."""
    steps = []
    for exponent in range(1, 13):
        h, noise = 10.0**-exponent, 1e-17 * 10.0**exponent
        steps.append(Step(h, 3 + h * h + noise, 3 + 3 * h + h * h + noise, 3 - 3 * h + h * h - noise))
    return Explanation(
        model="cube.py::cube",
        component=Location("theta", (0,), 0),
        theta=1.0,
        loss=1.0,
        verdict=Verdict.DISAGREE,
        headline="mine is wrong: 0.6667 x the oracle, 1e+12 bars off; jax is right",
        value=3.0,
        error_bar=1e-12,
        lower=3.0,
        upper=3.0,
        allowed=3e-7,
        statements=(
            WitnessValue(
                name="mine", value=2.0, bars=1e12, verdict=Verdict.DISAGREE, text="wrong: 0.6667 x the oracle"
            ),
            WitnessValue(name="jax", value=3.0, bars=0.0, verdict=Verdict.AGREE, text="right"),
        ),
        steps=tuple(steps),
        slopes=steps[6],
        kink=Kink(distance=-0.025, exact=True, sight=0.1),
        findings=(),
        seed=0,
        tolerance=1e-7,
        command=("python", "-m", "xcheck", "explain", "cube.py", "theta[0]"),
    )


@pytest.mark.parametrize("width", [80, 40])
def test_the_golden_explanation(width: int) -> None:
    """As it should be, and nothing is wider than the terminal but the command to be copied."""
    text = render(explanation(), width=width)
    assert text + "\n" == (GOLDEN / f"explanation_{width}.txt").read_text(encoding="utf-8")
    assert all(len(line) <= width for line in text.splitlines() if "again:" not in line)


def test_numbers_that_are_not_finite_are_strings() -> None:
    """Every JSON reader accepts it."""
    found = replace(explanation(), value=math.nan, kink=Kink(distance=math.nan, exact=False, sight=0.1))
    content = json.loads(found.to_json(), parse_constant=pytest.fail)
    assert (content["oracle"]["value"], content["kink"]["distance"]) == ("nan", "nan")


if __name__ == "__main__":
    for columns in (80, 40):
        (GOLDEN / f"explanation_{columns}.txt").write_text(
            render(explanation(), width=columns) + "\n", encoding="utf-8"
        )
