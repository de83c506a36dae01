"""Fakes: backends that are always there, on the CPU, with an answer of their own."""

from collections.abc import Callable, Mapping

from xcheck.backend import registry
from xcheck.backend.contract import Backend, Objective
from xcheck.dtypes import DtypeName
from xcheck.layout import Vector
from xcheck.networks.problem import Problem

Answer = tuple[float, Vector]
Says = Callable[[Vector], Answer]


class Fake(Backend):
    """A backend that needs nothing; what is left to say is its objective."""

    name = "fake"
    install = ""

    def available(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return {self.name: "1"}

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)


class Answering(Objective):
    """An objective that is a function of θ."""

    def __init__(self, backend: str, size: int, answer: Says) -> None:
        super().__init__(backend, size)
        self._answer = answer

    def compute(self, theta: Vector) -> Answer:
        return self._answer(theta)


def numpy_answer(problem: Problem, dtype: DtypeName) -> Says:
    """What the NumPy witness says, to be spoiled."""
    return registry.get("numpy").network_objective(problem, dtype=dtype).loss_and_gradient


class Wrapped(Fake):
    """The NumPy witness under another name, with something around what it says."""

    def __init__(self, name: str, wrap: Callable[[Says], Says]) -> None:
        self.name, self._wrap = name, wrap

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        return Answering(self.name, problem.layout.size, self._wrap(numpy_answer(problem, dtype)))
