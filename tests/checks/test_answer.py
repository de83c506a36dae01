"""What came of calling one witness: its verdict whatever the gradient is, and what a second call keeps."""

import numpy as np
import pytest

from tests.fakes import Answering
from xcheck.checks.answer import Answer, evaluate_twice
from xcheck.compare.evaluation import Evaluation
from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.verdict import Verdict

THETA = np.array([1.0, 2.0])


def squares(theta: Vector) -> tuple[float, Vector]:
    """Σ θ² and its gradient."""
    return float((theta**2).sum()), 2 * theta


def test_two_calls_that_are_the_same_are_one() -> None:
    """Bitwise."""
    evaluation = evaluate_twice("fake", Answering("fake", 2, squares), THETA)
    assert evaluation.again is None
    assert evaluation.gradient.tolist() == [2.0, 4.0]


def test_a_second_call_that_differs_is_kept() -> None:
    """Beside the first, whose buffer the second may have written into."""
    buffer = np.zeros(2)

    def accumulates(theta: Vector) -> tuple[float, Vector]:
        np.add(buffer, 2 * theta, out=buffer)
        return float((theta**2).sum()), buffer

    evaluation = evaluate_twice("fake", Answering("fake", 2, accumulates), THETA)
    assert evaluation.gradient.tolist() == [2.0, 4.0]
    assert evaluation.again is not None
    assert evaluation.again.gradient.tolist() == [4.0, 8.0]


def test_a_second_call_that_fails_says_so() -> None:
    """With the cause of the failure as its own."""
    calls = []

    def once(theta: Vector) -> tuple[float, Vector]:
        calls.append(theta)
        if len(calls) > 1:
            raise ZeroDivisionError("no more")
        return squares(theta)

    with pytest.raises(BackendError, match="a second call at the same θ fails: ZeroDivisionError: no more") as caught:
        evaluate_twice("fake", Answering("fake", 2, once), THETA)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_verdict_of_an_answer() -> None:
    """One that fails is an ERROR, a stale one wrong, one that overwrites undecided, one that is missing nothing."""
    answered = Evaluation("fake", 1.0, THETA)
    failed: Answer[Answering] = Answer("fake")
    failed.fail("raised")
    assert failed.verdict is Verdict.ERROR
    assert failed.findings[0].text == "fake: raised"
    assert Answer[Answering]("fake", evaluation=answered, refuted=True).verdict is Verdict.DISAGREE
    assert Answer[Answering]("fake", evaluation=answered, overwrites=True).verdict is Verdict.UNDECIDED
    assert Answer[Answering]("fake", evaluation=answered).verdict is Verdict.AGREE
    assert Answer[Answering]("missing").verdict is Verdict.AGREE
