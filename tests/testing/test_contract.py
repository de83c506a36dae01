"""The contract is checked: a backend that breaks a law is told so."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from tests.fakes import Answering, Fake, numpy_answer
from xcheck.backend import Objective
from xcheck.dtypes import DtypeName
from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.testing import check_contract

Says = Callable[[Vector], tuple[float, Vector]]


def drifts(says: Says) -> Says:
    """A witness that says something else at every call."""
    calls = iter(range(10**6))
    return lambda theta: (says(theta)[0] + next(calls), says(theta)[1])


def overwrites(says: Says) -> Says:
    """A witness that changes θ."""

    def answer(theta: Vector) -> tuple[float, Vector]:
        found = says(theta)
        theta.flags.writeable = True
        theta += 1.0
        return found

    return answer


def shortens(says: Says) -> Says:
    """A witness whose gradient lacks a component."""
    return lambda theta: (says(theta)[0], says(theta)[1][:-1])


class Told(Fake):
    """The NumPy witness with a law broken, in float64 alone."""

    name = "told"
    dtypes = ("float64",)

    def __init__(self, wrap: Callable[[Says], Says]) -> None:
        self._wrap = wrap

    def versions(self) -> Mapping[str, str]:
        return {"numpy": np.__version__}

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        return Answering(self.name, problem.layout.size, self._wrap(numpy_answer(problem, dtype)))


@pytest.mark.parametrize(
    ("wrap", "words"),
    [
        (drifts, "law 1: a second call of told gives another loss"),
        (overwrites, "law 2: θ was changed by told"),
        (shortens, r"told: the gradient has shape \(\d+,\), θ has"),
    ],
)
def test_a_law_that_is_broken_is_named(wrap: Callable[[Says], Says], words: str) -> None:
    """By an assertion, or an error of the backend: never by silence."""
    with pytest.raises((AssertionError, BackendError), match=words):
        check_contract(Told(wrap))
