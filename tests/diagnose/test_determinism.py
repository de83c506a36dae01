"""Witnesses whose second call at the same θ is not the first: random ones are undecided, forgetful ones are wrong."""

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from tests.fakes import Answering, Fake, numpy_answer
from xcheck import Problem, Report, verify
from xcheck.backend.contract import Objective
from xcheck.compare.evaluation import Evaluation
from xcheck.diagnose import Evidence
from xcheck.diagnose.determinism import accumulated_gradient
from xcheck.dtypes import DtypeName
from xcheck.layout import Layout, Vector

Answer = Callable[[int, float, Vector], tuple[float, Vector]]


class Moody(Fake):
    """The NumPy witness, whose right answer is changed depending on how often it was asked before."""

    name = "moody"

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        right, calls = numpy_answer(problem, dtype), count()
        return Answering(self.name, problem.layout.size, lambda theta: self._answer(next(calls), *right(theta)))


def asked(problem: Problem, answer: Answer) -> Report:
    """The report on such a witness beside an honest one."""
    return verify(problem, backends=[Moody(answer), "jax"])


def accumulated(calls: int, loss: float, gradient: Vector) -> tuple[float, Vector]:
    """The gradient is added to what was there."""
    return loss, (calls + 1) * gradient


def warmed_up(calls: int, loss: float, gradient: Vector) -> tuple[float, Vector]:
    """The first call is wrong in one component."""
    gradient[7] *= 1 if calls else 3
    return loss, gradient


def redrawn(calls: int, loss: float, gradient: Vector) -> tuple[float, Vector]:
    """A mask drawn anew in the backward pass, each time another."""
    return loss, gradient * (np.random.default_rng(calls).random(gradient.shape) < 0.9)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (accumulated, "only the first agrees with the oracle (105 of 105 wrong): "),
        (warmed_up, "only the second agrees with the oracle (1 of 105 wrong): W1[1, 1] is "),
        (redrawn, "neither agrees with the oracle ("),
    ],
)
def test_a_gradient_that_is_right_once_is_wrong(answer: Answer, told: str, problem: Problem) -> None:
    """With the loss unchanged: a finding says which of the calls is right, and it is the headline."""
    report = asked(problem, answer)
    assert (report.verdict, report.odd_one_out) == ("DISAGREE", ("moody",))
    assert [finding.code for finding in report.findings if finding.code != "XC207"] == ["XC107"]
    assert f"moody: the second call at the same θ gives another gradient, and {told}" in report.headline


def test_a_random_loss_is_undecided_with_its_spread(problem: Problem) -> None:
    """Two draws of a random function are no mismatch: nobody is odd, nothing is verified, and the spread is named."""
    report = asked(problem, lambda calls, loss, gradient: (loss + calls / 4, gradient * (1 + calls)))
    assert (report.verdict, report.odd_one_out, report.verified) == ("UNDECIDED", (), 0)
    assert report.headline == "moody is undecided: its loss differs by 0.25 between two calls at the same θ"
    assert report.findings == ()
    (warning,) = [warning for warning in report.warnings if warning.code == "XC416"]
    assert warning.value == pytest.approx(0.25)
    assert "moody: the loss is not deterministic: " in warning.text
    assert "a spread of 0.25; nothing can be said about its gradient" in warning.text
    assert [(pair.verdict, pair.wrong, pair.undecided) for pair in report.pairs] == [
        ("UNDECIDED", 0, 105),
        ("AGREE", 0, 0),
        ("UNDECIDED", 0, 105),
    ]
    assert "XC405" not in {warning.code for warning in report.warnings}


def test_a_random_loss_that_is_once_infinite_is_undecided(problem: Problem) -> None:
    """An infinite spread is a spread."""
    report = asked(problem, lambda calls, loss, gradient: (np.inf if calls else loss, gradient))
    assert (report.verdict, report.to_dict()["pairs"][0]["spread"]) == ("UNDECIDED", "inf")


def test_a_random_loss_does_not_excuse_another_witness(problem: Problem) -> None:
    """Who is wrong is wrong beside one who is undecided."""

    class Wrong(Moody):
        name = "wrong"

    random = Moody(lambda calls, loss, gradient: (loss + calls, gradient))
    report = verify(problem, backends=[random, Wrong(lambda calls, loss, gradient: (loss, 2 * gradient)), "jax"])
    assert (report.verdict, report.odd_one_out) == ("DISAGREE", ("wrong",))


def test_another_order_of_summation_is_harmless(problem: Problem) -> None:
    """A last bit that differs is told, and changes no verdict."""
    report = asked(problem, lambda calls, loss, gradient: (loss, gradient * (1 + calls * 2.0**-52)))
    assert (report.verdict, report.verified) == ("AGREE", report.parameters)
    (warning,) = [warning for warning in report.warnings if warning.code == "XC416"]
    assert "differ by 0.0e+00 in the loss and " in warning.text


def test_a_gradient_that_is_wrong_twice_alike_is_plainly_wrong(problem: Problem) -> None:
    """Rounding between two calls is not what is wrong with it."""
    report = asked(problem, lambda calls, loss, gradient: (loss, gradient * (2 + calls * 2.0**-51)))
    assert (report.verdict, [finding.code for finding in report.findings]) == ("DISAGREE", ["XC201"])


def test_a_buffer_that_is_used_again_hides_nothing(problem: Problem) -> None:
    """The second call writes into the array that the first one returned."""
    buffer = np.zeros(problem.layout.size)

    def answer(calls: int, loss: float, gradient: Vector) -> tuple[float, Vector]:
        buffer[:] += gradient
        return loss, buffer

    assert [finding.code for finding in asked(problem, answer).findings] == ["XC107", "XC207"]


def test_a_second_call_that_fails_says_so(problem: Problem) -> None:
    """Such as a graph that is freed after its first use."""

    def answer(calls: int, loss: float, gradient: Vector) -> tuple[float, Vector]:
        if calls:
            raise RuntimeError("backward through the graph a second time")
        return loss, gradient

    report = asked(problem, answer)
    assert report.verdict == "ERROR"
    assert report.headline == (
        "moody: a second call at the same θ fails: RuntimeError: backward through the graph a second time"
    )


def test_a_gradient_that_accumulates_is_told_although_its_evidence_was_read() -> None:
    """Properties that the evidence has cached are those of the first call, and are left behind."""
    right = np.array([1.0, -2.0, 0.5])
    evidence = Evidence(
        witness="moody",
        layout=Layout.of({"w": (3,)}),
        theta=np.ones(3),
        gradient=right,
        trusted=right,
        uncertainty=np.full(3, 1e-12),
        magnitude=np.abs(right),
        wrong=np.zeros(3, dtype=bool),
        tolerance=1e-7,
        roundoff=2.0**-53,
    )
    assert evidence.wrong_tensors == ()
    twice = Evaluation("moody", 0.7, right, again=Evaluation("moody", 0.7, 2 * right))
    (finding,) = accumulated_gradient(twice, evidence)
    assert finding.code == "XC207"
    other = Evaluation("moody", 0.7, right, again=Evaluation("moody", 0.7, 3 * right))
    assert accumulated_gradient(other, evidence) == []


def test_the_witnesses_are_steady(problem: Problem) -> None:
    """Ours give the same to the last bit."""
    assert "XC416" not in {warning.code for warning in verify(problem).warnings}
