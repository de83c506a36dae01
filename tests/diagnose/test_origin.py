"""Where a fault entered: backpropagation runs from the last layer to the first."""

import numpy as np
import pytest

from tests.diagnose.rules.conftest import spoiled
from tests.testing.test_faults import with_slope
from xcheck import Report, verify
from xcheck.backend import registry
from xcheck.layout import Vector
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.testing import Fault, Planted


def starts(problem: Problem, *names: str) -> str:
    """What is said when these tensors are wrong."""

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        for name in names:
            gradient[name] *= np.linspace(1.5, 2.5, gradient[name].size).reshape(gradient[name].shape)

    report = verify(problem, backends=[Planted(registry.get("numpy"), Fault("some", "", spoil)), "torch"])
    return report.starts["numpy"]


@pytest.mark.parametrize(
    ("names", "beginning"),
    [
        (("W1", "b1"), "between layer 2 and layer 1: layers 2 to 3 are right, layer 1 is wrong"),
        (("W1", "b1", "W2", "b2"), "between layer 3 and layer 2: layer 3 is right, layers 1 to 2 are wrong"),
        (("W1", "b1", "W2", "b2", "W3", "b3"), "layer 3, the last one: the derivative of the loss"),
        (("W2",), "in W2 alone: the product δᵀ a, or the penalty"),
        (("b1", "b2", "b3"), "in b1, b2, b3 alone: the sum over the examples, or a penalty"),
        (("W3", "b3"), "in W3, b3 alone; everything else is right"),
    ],
)
def test_where_it_starts(names: tuple[str, ...], beginning: str, problem: Problem) -> None:
    """From the layers that are wrong and those that are right."""
    assert starts(problem, *names).startswith(beginning)


def failing(problem: Problem) -> Report:
    """A witness whose tanh has no derivative."""
    return verify(problem, backends=[with_slope("tanh", lambda z, a: np.ones_like(z)), "torch", "jax"])


def test_the_report_is_a_diagnosis(problem: Problem) -> None:
    """Odd one out, where it starts, the cause, what to type next; in JSON, too."""
    report = failing(problem)
    text = " ".join(str(report).split())
    assert "odd one out: numpy" in text
    assert "torch and jax agree with the oracle" in text
    assert "starts: numpy: between layer 2 and layer 1" in text
    assert (
        "cause XC241, activation slope: numpy: layer 1: the derivative of tanh is taken to be 1: no derivative at all"
        in text
    )
    assert "next: python -m xcheck explain XC241" in text
    assert text.index("cause XC241") < text.index("worst components") < text.index("next:")
    content = report.to_dict()
    assert content["starts"] == {"numpy": report.starts["numpy"]}
    assert content["pairs"][0]["apart"] > 1e3 > content["pairs"][1]["apart"]


def test_a_passing_report_is_two_lines_and_the_tightest_component(problem: Problem) -> None:
    """Nothing more, unless it is asked for."""
    report = verify(problem, backends=["numpy", "torch"])
    first, *rest = str(report).splitlines()
    assert first.startswith("AGREE  bench")
    text = " ".join(" ".join(rest).split())
    assert "difference" in text
    assert "great" in text
    assert "tightest: " in text
    assert "oracle" in text
    assert len(rest) <= 5


def test_a_gradient_that_accumulates_is_told(problem: Problem) -> None:
    """The second call gives the first gradient and another one on top."""
    from tests.fakes import Answering, Fake, numpy_answer
    from xcheck.backend.contract import Objective
    from xcheck.dtypes import DtypeName

    class Accumulating(Fake):
        name = "mine"

        def network_objective(
            self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64"
        ) -> Objective:
            answer, kept = numpy_answer(problem, dtype), [np.zeros(problem.layout.size)]

            def add(theta: Vector) -> tuple[float, Vector]:
                loss, gradient = answer(theta)
                kept[0] = kept[0] + gradient
                return loss, kept[0].copy()

            return Answering(self.name, problem.layout.size, add)

    report = verify(problem, backends=[Accumulating(), "torch"])
    assert {"XC107", "XC207"} <= {finding.code for finding in report.findings}
    assert not any(finding.code == "XC200" for finding in report.findings)


def test_the_last_layers_own_derivative_is_suspected() -> None:
    """Where it has one."""
    layers = (Dense(units=4, activation="tanh"), Dense(units=2, activation="tanh"))
    rng = np.random.default_rng(0)
    curved = Network(inputs=3, layers=layers, loss="mean_squared_error")
    problem = Problem.create(curved, rng.standard_normal((9, 3)), rng.standard_normal((9, 2)))
    starts = spoiled(problem, lambda g, rng: g * rng.uniform(0.5, 1.5, g.shape)).starts["numpy"]
    assert "that of its own activation" in starts
