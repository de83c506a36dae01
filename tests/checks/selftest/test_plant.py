"""selftest: how good is a check on one's own model? A tester's tester is tested with faults that slip through."""

import math
from typing import Any

import numpy as np
import pytest

import xcheck
from xcheck.backend import registry
from xcheck.checks.selftest.score import FaultOutcome, FaultResult, SelfTest
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.testing import FAULTS, GENERIC_FAULTS, Fault, Planted, scenario
from xcheck.testing.faults import Gradient
from xcheck.verdict import Verdict

BLUNT = 0.05


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
    assert "no fault is planted in numpy" in str(found)


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
    assert "of 3000 components were measured" in found.sampled
    assert "of 3000 components were measured" in str(found).replace("\n  ", " ")


def test_a_gradient_of_zeros_proves_nothing() -> None:
    """Nothing applies, and nothing is found: that is no success."""
    found = xcheck.selftest(cube, np.zeros(2), gradient=slope)
    assert (found.whole.applicable, found.ok) == (0, False)
    assert math.isnan(found.score)
    assert "nothing is shown" in found.headline


def test_a_random_loss_cannot_be_tested() -> None:
    """There is no gradient that could be spoiled."""
    rng = np.random.default_rng(0)
    found = xcheck.selftest(lambda x: cube(x) * (1 + 0.1 * rng.random()), np.ones(2), gradient=slope)
    assert (found.check, found.verdict, found.witnesses) == (Verdict.UNDECIDED, Verdict.UNDECIDED, ())


# --- the command ----------------------------------------------------------------------------------------------------


# --- as people see it -----------------------------------------------------------------------------------------------
