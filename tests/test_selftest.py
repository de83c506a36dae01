"""selftest: how good is a check on one's own model? A tester's tester is tested with faults that slip through.

After a change that is meant: `python -m tests.test_selftest` writes the golden files anew; read the difference.
"""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xcheck
from tests.commands import SMALL, Typist
from xcheck.backend import registry
from xcheck.checks.selftest.score import FaultOutcome, FaultResult, Limit, SelfTest
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.report.selftest import render
from xcheck.testing import FAULTS, GENERIC_FAULTS, Fault, Planted, scenario
from xcheck.testing.faults import Gradient
from xcheck.verdict import Verdict

GOLDEN = Path(__file__).parent / "report" / "golden"
BLUNT = 0.05
PYTHON = """
import numpy as np
import xcheck

def cube(x):
    return (x**3).sum()

def _case(gradient):
    return xcheck.Case(xcheck.objective(cube, "numpy", gradient=gradient), np.array([1.0, 2.0, -1.5]))

right = _case(lambda x: 3 * x**2)
wrong = _case(lambda x: 2 * x**2)
"""


@pytest.fixture
def typed(typist: Typist) -> Typist:
    """A folder with model.toml and model.py to type commands in."""
    (typist.folder / "model.toml").write_text(SMALL)
    (typist.folder / "model.py").write_text(PYTHON)
    return typist


def cube(x: Any) -> Any:
    """Σ x³."""
    return (x**3).sum()


def slope(x: Any) -> Any:
    """Its gradient."""
    return 3 * x**2


def result(found: SelfTest, name: str) -> FaultResult:
    """The result of one fault."""
    return next(one for one in found.results if one.name == name)


# --- networks -------------------------------------------------------------------------------------------------------


def test_every_fault_is_found_and_named_where_every_fault_applies(problem: Problem) -> None:
    """In a network that is made for it, by all three witnesses."""
    found = xcheck.selftest(problem)
    assert found.check is Verdict.AGREE
    assert found.witnesses == registry.DEFAULTS
    assert [one.name for one in found.results] == [fault.name for fault in FAULTS]
    assert all(one.outcome is FaultOutcome.KILLED and one.named for one in found.results)
    assert (found.score, found.ok, found.verdict) == (1.0, True, Verdict.AGREE)
    assert found.whole.applicable == len(FAULTS)


@pytest.mark.parametrize("number", range(3, len(FAULTS), 6))
def test_what_it_says_of_a_fault_a_check_says_too(number: int, problem: Problem) -> None:
    """A check of a witness with the fault disagrees if and only if the self-test says that it would."""
    fault = FAULTS[number]
    said = result(xcheck.selftest(problem, backends="numpy", tolerance=BLUNT), fault.name).outcome
    report = xcheck.verify(problem, backends=[Planted(registry.get("numpy"), fault)], tolerance=BLUNT)
    assert (report.verdict == "DISAGREE") == (said is FaultOutcome.KILLED)


def test_a_blunt_tolerance_lets_faults_slip_through(problem: Problem) -> None:
    """Those below it, each with its size; the large ones are still found."""
    found = xcheck.selftest(problem, backends=["numpy"], tolerance=BLUNT)
    slipping = {one.name for one in found.slipping}
    assert slipping >= {"everything x 1.001", "one component + 1 %", "rounded to TF32"}
    assert not slipping & {"W2 x 2", "everything x -1", "one component + 10 %", "one component nan"}
    assert (found.verdict, found.check) == (Verdict.UNDECIDED, Verdict.AGREE)
    assert found.score == 1 - len(slipping) / found.whole.applicable
    percent = result(found, "one component + 1 %")
    assert percent.error == pytest.approx(0.01, rel=0.02)
    assert percent.tolerated == pytest.approx(BLUNT, rel=0.01)
    assert percent.component.startswith("W1[")
    assert percent.missed_in == ("numpy",)


def test_what_changes_nothing_is_not_counted_as_found() -> None:
    """Without a penalty no fault of the penalty applies; without dropout none of dropout."""
    rng = np.random.default_rng(0)
    network = Network(inputs=3, layers=(Dense(units=4, activation="tanh"), Dense(units=2)), loss="mean_squared_error")
    found = xcheck.selftest(
        Problem.create(network, rng.standard_normal((5, 3)), rng.standard_normal((5, 2))), backends="numpy"
    )
    classes = {one.kind: one for one in found.classes}
    assert (classes["penalty"].applicable, classes["dropout"].applicable) == (0, 0)
    assert classes["penalty"].inapplicable == sum(fault.kind == "penalty" for fault in FAULTS)
    assert found.ok
    assert found.whole.killed == found.whole.applicable < len(FAULTS)


def test_one_example_has_no_wrong_mean() -> None:
    """With m = 1 the faults of the mean change nothing, and none of them fails."""
    network = Network(inputs=2, layers=(Dense(units=1),), loss="mean_squared_error")
    found = xcheck.selftest(Problem.create(network, [[1.0, 2.0]], [[3.0]]), backends="numpy")
    assert {one.outcome for one in found.results if one.kind == "mean and sum"} == {FaultOutcome.INAPPLICABLE}


def everywhere(gradient: Gradient, problem: Problem) -> None:
    """A tenth more in every tensor."""
    for name in gradient:
        gradient[name] *= 1.1


def test_nothing_is_planted_in_what_is_wrong_already(problem: Problem) -> None:
    """The check disagrees, and that is said first; faults are planted in the other witness."""
    spoiled = Planted(registry.get("numpy"), Fault("x 1.1", "constant factor", everywhere))
    found = xcheck.selftest(problem, backends=[spoiled, "torch"])
    assert (found.check, found.verdict) == (Verdict.DISAGREE, Verdict.DISAGREE)
    assert (found.witnesses, found.skipped) == (("torch",), ("numpy",))
    assert found.score == 1.0
    lines = str(found).splitlines()
    assert lines[0].startswith("DISAGREE")
    assert lines[1] == "  the check itself: DISAGREE"
    assert "none is planted in numpy" in str(found)


def test_a_limit_is_where_a_check_begins_to_see(problem: Problem) -> None:
    """An error 10 % above the worst limit of a tensor is seen in that component, one 10 % below is not."""
    found = xcheck.selftest(problem, backends="numpy")
    limit = next(one for one in found.limits if one.tensor == "W2")
    row, column = (int(part) for part in limit.component.removeprefix("W2[").removesuffix("]").split(","))
    verdicts = []
    for factor in (0.9, 1.1):

        def change(gradient: Gradient, problem: Problem, off: float = factor * limit.worst) -> None:
            gradient["W2"][row, column] *= 1 + off

        spoiled = Planted(registry.get("numpy"), Fault("at the limit", "support", change))
        verdicts.append(xcheck.verify(problem, backends=[spoiled]).verdict)
    assert verdicts == ["AGREE", "DISAGREE"]


def test_a_component_that_is_zero_is_hidden() -> None:
    """A blank input: its weight has gradient zero, and no relative error."""
    network = Network(inputs=2, layers=(Dense(units=1),), loss="mean_squared_error")
    found = xcheck.selftest(Problem.create(network, [[1.0, 0.0]], [[3.0]]), backends="numpy")
    limit = found.limits[0]
    assert (limit.tensor, limit.hidden, limit.of) == ("W1", 1, 2)
    assert limit.absolute < 1e-9
    assert "hidden components are zero, at a kink" in str(found).replace("\n  ", " ")


def test_another_subgradient_at_a_kink_is_undecided() -> None:
    """A fault that stays between the slopes of the loss is not shown to be one: it is not counted as found."""
    found = xcheck.selftest(scenario(0), backends="numpy")
    assert found.check is Verdict.AGREE
    assert [(one.name, one.outcome) for one in found.slipping] == [("b1 x 4", FaultOutcome.UNDECIDED)]
    assert found.slipping[0].error < found.slipping[0].tolerated


# --- functions ------------------------------------------------------------------------------------------------------


def test_functions_as_check_takes_them() -> None:
    """The generic catalogue, without what the tolerance is there to allow."""
    found = xcheck.selftest(cube, np.array([[1.0, 2.0], [-1.5, 0.5]]), gradient=slope)
    assert {one.name for one in found.results} == set(GENERIC_FAULTS) - {"rounded to float32"}
    assert found.score == 1.0
    assert found.whole.named == found.whole.killed


def test_rounding_to_float32_is_a_fault_for_whoever_wants_more() -> None:
    """With a tolerance of 1e-8 it is planted, and found."""
    found = xcheck.selftest(cube, np.array([1.1, 2.3, 3.7]), gradient=slope, tolerance=1e-8)
    assert result(found, "rounded to float32").outcome is FaultOutcome.KILLED


def test_a_case_and_a_dict_of_functions() -> None:
    """Each as in a check; labels choose among them."""
    objectives = {"mine": xcheck.objective(cube, "numpy", gradient=slope), "jax": xcheck.objective(cube, "jax")}
    x = np.array([1.0, 2.0])
    assert xcheck.selftest(objectives, x).witnesses == ("mine", "jax")
    case = xcheck.Case(objectives, x, settings={"tolerance": BLUNT})
    found = xcheck.selftest(case, backends=["mine"])
    assert (found.witnesses, found.tolerance) == (("mine",), BLUNT)
    assert found.slipping


def test_complex_parameters() -> None:
    """A gradient that is conjugated is a fault of its own there."""
    torch = pytest.importorskip("torch")
    z = torch.tensor([1.0 + 2.0j, -0.5 + 0.3j], dtype=torch.complex128)
    found = xcheck.selftest(lambda z: (z**3).real.sum(), z)
    assert result(found, "conjugated").outcome is FaultOutcome.KILLED
    assert found.score == 1.0


def test_a_narrow_function_is_tested_in_float64() -> None:
    """What it is held to there is more."""
    torch = pytest.importorskip("torch")
    found = xcheck.selftest(cube, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float32))
    assert (found.witnesses, found.skipped, found.score) == (("torch in float64",), (), 1.0)


def test_a_sample_sees_faults_along_its_directions() -> None:
    """One component of many is seen, and not named; and what else is not looked at is said."""
    x = np.linspace(1.0, 2.0, 3000)
    found = xcheck.selftest(cube, x, gradient=slope, scope="sample", budget=1e-6)
    assert result(found, "one component zero").outcome is FaultOutcome.KILLED
    assert not result(found, "one component zero").named
    assert found.limits[-1].tensor == DIRECTIONS
    assert "of 3000 components were differenced" in found.sampled
    assert "of 3000 components were differenced" in str(found).replace("\n  ", " ")


def test_a_gradient_of_zeros_proves_nothing() -> None:
    """Nothing applies, and nothing is found: that is no success."""
    found = xcheck.selftest(cube, np.zeros(2), gradient=slope)
    assert (found.whole.applicable, found.ok) == (0, False)
    assert math.isnan(found.score)
    assert "nothing is proved" in found.headline


def test_a_random_loss_cannot_be_tested() -> None:
    """There is no gradient that could be spoiled."""
    rng = np.random.default_rng(0)
    found = xcheck.selftest(lambda x: cube(x) * (1 + 0.1 * rng.random()), np.ones(2), gradient=slope)
    assert (found.check, found.verdict, found.witnesses) == (Verdict.UNDECIDED, Verdict.UNDECIDED, ())


# --- the command ----------------------------------------------------------------------------------------------------


def test_sharp_is_0(typed: Typist) -> None:
    """The score is in the first line, the command in the last."""
    done = typed("selftest", "model.toml")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("SHARP  model.toml: 29 of 29 faults found, 29 of them named\n")
    assert done.out.endswith("  again: python -m xcheck selftest model.toml\n")


def test_blunt_is_3(typed: Typist) -> None:
    """And says what slips through, at 40 columns, too."""
    done = typed("selftest", "model.toml", "--tolerance", "0.05", columns=40)
    assert done.status == 3
    assert done.out.startswith("BLUNT  ")
    assert "one component + 1 %: W1[" in done.out
    assert all(len(line) <= 40 for line in done.out.splitlines() if "again:" not in line)


def test_the_worst_of_several_decides(typed: Typist) -> None:
    """One line of JSON for each, in order."""
    done = typed("selftest", "model.py", "model.toml", "--format", "json")
    assert done.status == 1
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["model"], one["check"], one["exit"]) for one in found] == [
        ("model.py::right", "AGREE", 0),
        ("model.py::wrong", "DISAGREE", 1),
        ("model.toml", "AGREE", 0),
    ]
    assert found[0]["score"] == 1.0
    assert {fault["outcome"] for fault in found[0]["faults"]} == {"killed", "not applicable"}


def test_an_output_file(typed: Typist) -> None:
    """Nothing is left on standard output."""
    done = typed("selftest", "model.toml", "--output", "report.txt")
    assert (done.status, done.out) == (0, "")
    assert (typed.folder / "report.txt").read_text().startswith("SHARP")


def test_a_definition_that_cannot_be_read_is_2(typed: Typist) -> None:
    """As in a check."""
    assert typed("selftest", "missing.toml") == (2, "", "missing.toml: cannot read: no such file\n")


# --- as people see it -----------------------------------------------------------------------------------------------


def self_test() -> SelfTest:
    """Five faults in two classes, of which one slips through, one is undecided and one changes nothing."""
    slips = FaultResult(
        name="everything x 1.0001",
        kind="constant factor",
        outcome=FaultOutcome.SLIPS,
        missed_in=("numpy", "torch"),
        component="W1[7, 24]",
        error=1e-4,
        tolerated=5e-2,
    )
    return SelfTest(
        model="breast_cancer.toml",
        check=Verdict.AGREE,
        headline_of_check="numpy, torch agree with the oracle on all 496 parameters",
        witnesses=("numpy", "torch"),
        skipped=(),
        results=(
            FaultResult(name="W2 x 2", kind="constant factor", outcome=FaultOutcome.KILLED, named=True),
            slips,
            FaultResult(name="one component zero", kind="support", outcome=FaultOutcome.KILLED, named=False),
            replace(
                slips, name="one component + 1 %", kind="support", outcome=FaultOutcome.UNDECIDED, missed_in=("torch",)
            ),
            FaultResult(name="one bias zero", kind="support", outcome=FaultOutcome.INAPPLICABLE),
        ),
        limits=(
            Limit(tensor="W1", of=480, median=5e-2, worst=6.1e-2, component="W1[7, 24]", hidden=16, absolute=3e-15),
            Limit(tensor="b1", of=16, median=math.nan, worst=math.nan, component="", hidden=16, absolute=2e-15),
        ),
        sampled="",
        tolerance=5e-2,
        seed=0,
        check_seconds=1.25,
        seconds=0.03,
        command=("python", "-m", "xcheck", "selftest", "breast_cancer.toml", "--tolerance", "0.05"),
    )


@pytest.mark.parametrize("width", [80, 40])
def test_the_golden_self_test(width: int) -> None:
    """As it should be, and nothing is wider than the terminal but the command to be copied."""
    text = render(self_test(), width=width)
    assert text + "\n" == (GOLDEN / f"self_test_{width}.txt").read_text(encoding="utf-8")
    assert all(len(line) <= width for line in text.splitlines() if "again:" not in line)


def test_many_tensors_are_not_all_shown() -> None:
    """The bluntest are."""
    limit = self_test().limits[0]
    limits = tuple(replace(limit, tensor=f"T{number}", worst=number * 1e-6, hidden=0) for number in range(1, 101))
    text = render(replace(self_test(), limits=limits))
    assert "T100 " in text
    assert "T80 " not in text
    assert "... 80 more" in text


def test_numbers_that_are_not_finite_are_strings() -> None:
    """Every JSON reader accepts it."""
    content = json.loads(self_test().to_json(), parse_constant=pytest.fail)
    assert content["limits"][1]["worst"] == "nan"
    assert content["all"] == {"kind": "all", "killed": 2, "named": 1, "applicable": 4, "inapplicable": 1}
    assert content["score"] == 0.5


if __name__ == "__main__":
    for columns in (80, 40):
        golden = GOLDEN / f"self_test_{columns}.txt"
        golden.write_text(render(self_test(), width=columns) + "\n", encoding="utf-8")
