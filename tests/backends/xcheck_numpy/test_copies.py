"""Copies of functions: what they reach is followed, and nothing of the person's program is changed."""

import functools
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import objective_of, trace_of
from xcheck.trace import replay
from xcheck_numpy.copies import Copies
from xcheck_numpy.tracing.recorder import Recorder
from xcheck_numpy.tracing.tracer import Tracer

X = np.array([0.5, -1.25, 2.0])
A = np.arange(9.0).reshape(3, 3)
STORE: dict[str, Any] = {"A": A, "seen": []}


class Base:
    """A class of a person's."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.cache: dict[str, Any] = {}

    def forward(self, x: Any) -> Any:
        """Return what is written into an array of its own."""
        self.cache["out"] = np.tanh(x) * self.scale
        return self.cache["out"]

    def fill(self, x: Any) -> Any:
        """Return what is written into an array of its own."""
        out = np.zeros(3)
        for number in range(3):
            out[number] = math.tanh(x[number]) * self.scale
        return out


class Net(Base):
    """One that calls what it overrides."""

    def forward(self, x: Any) -> Any:
        """Return the sum of both."""
        return super().forward(x) + self.act(A.dot(x)) + self.twice

    @staticmethod
    def act(x: Any) -> Any:
        """Return a number of Python of each element."""
        return np.array([float(part) for part in x])

    @property
    def twice(self) -> float:
        """A number."""
        return 2.0 * self.scale

    def loss(self, x: Any) -> Any:
        """Return a loss that is a method."""
        return np.sum(self.forward(x) ** 2) * self.scale


MODEL = Net(1.5)


@dataclass
class Layer:
    """A dataclass that is made while the loss runs."""

    W: Any
    parts: list[Any] = field(default_factory=list)

    def __call__(self, x: Any) -> Any:
        self.parts.append(A.dot(self.W))
        return self.parts[-1] * x


def _helper(x: Any, B: Any = A) -> Any:
    return B.dot(x)


def _of_globals(x: Any) -> Any:
    STORE["seen"].append(_helper(x))
    return sum(STORE["seen"][-1]) + STORE["A"].dot(x).sum()


class Settings(dict[str, Any]):
    """A dict of a person's."""

    def weight(self) -> Any:
        """Return what it holds."""
        return self["weight"]


SETTINGS = Settings(weight=A[0])
MASKED = np.ma.masked_greater(A, 4.0)


def _closure() -> Any:
    B = A + 1

    def inner(x: Any) -> Any:
        return B.dot(x)

    return lambda x: np.sum(inner(x) * inner(x))


@pytest.mark.parametrize(
    "loss",
    [
        _of_globals,
        _closure(),
        functools.partial(lambda B, x: B.dot(x).sum(), A),
        lambda x: np.sum(MODEL.forward(x)),
        lambda x: np.sum(Base(2.0).fill(x) * MODEL.fill(x)),
        MODEL.loss,
        lambda x: np.sum(SETTINGS.weight().dot(x)) + len(SETTINGS),
        lambda x: float(MASKED.sum()) * x[0],
        lambda x: Layer(x)(X).sum() * isinstance(Layer(x), Layer),
        lambda x: float(np.max(x)) * isinstance(1.0, float) + math.sqrt(x[2]) + math.log(x[2], 3) + math.pi,
        lambda x: np.sum([[x[0], 1], [2, x[1]]]) + np.full(3, x[0]).sum() + np.zeros(2, dtype=float).sum(),
        lambda x: np.array([x[0], x[1]], dtype=float).astype(float).sum() + math.fsum(x) + math.dist(x, [1, 2, 3]),
        lambda x: sum(map(float, x)) + math.floor(x[2] + 0.5) + round(x[0] + 0.1) + math.ceil(x[1]) + int(x[2] + 0.1),
    ],
)
def test_what_a_loss_reaches_is_followed(loss: Any) -> None:
    """Globals, closures, defaults, partial functions, methods, classes; `math`, `float`, lists."""
    trace = trace_of(loss, X)
    for factor in (1.0, 1.0 + 2**-10):
        [found] = replay(trace, [X * factor])
        assert found == pytest.approx(objective_of(loss, X).evaluate(X * factor), rel=1e-13)


def test_names_that_functions_change_are_shared_by_their_copies() -> None:
    """Both functions see one count, and the person's own stays as it was."""
    count = 0

    def add() -> None:
        nonlocal count
        count += 1

    def loss(x: Any) -> Any:
        add()
        return np.sum(x) * count

    [found] = replay(trace_of(loss, X), [X])
    assert found == np.sum(X)
    assert count == 0


def test_nothing_is_left_in_the_program() -> None:
    """Neither in containers of the module nor in objects."""
    trace_of(_of_globals, X)
    trace_of(MODEL.loss, X)
    assert not any(isinstance(part, Tracer) for part in STORE["seen"])
    assert not any(isinstance(part, Tracer) for part in MODEL.cache.values())
    assert _of_globals.__globals__["A"] is A
    assert type(MODEL) is Net


def test_a_copy_is_made_once() -> None:
    """A loss and its gradient share what they keep between them; functions of others are not copied."""
    copies = Copies(Recorder())
    assert copies.of(_helper) is copies.of(_helper)
    assert copies.of(STORE) is copies.of(STORE)
    assert copies.of(functools.reduce) is functools.reduce
    assert copies.of(np.linalg) is np.linalg
    assert isinstance(copies.of(A), Tracer)
    assert isinstance(Layer(1.0), copies.of(Layer))


def test_a_gradient_reads_what_its_loss_has_kept() -> None:
    """The usual pair of a forward and a backward pass of one object."""

    class Pair:
        def __init__(self) -> None:
            self.kept: Any = None

        def forward(self, x: Any) -> Any:
            self.kept = np.tanh(x)
            return np.sum(self.kept)

        def backward(self, x: Any) -> Any:
            return 1 - self.kept**2

    pair = Pair()
    objective = objective_of(pair.forward, X, gradient=pair.backward)
    [found] = replay(objective.gradient_trace(), [X])
    assert np.allclose(found, 1 - np.tanh(X) ** 2, rtol=1e-15)
    assert pair.kept is None
