"""The contract: what a backend gets for nothing, and what its failures look like."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.fakes import Fake
from xcheck import backend
from xcheck.backend.contract import Objective, wrap_errors
from xcheck.dtypes import DtypeName
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.layout import Vector
from xcheck.networks.problem import Problem


class Square(Objective):
    """J = θ·θ, with a gradient as a framework may return it."""

    def __init__(self, gradient: Callable[[Vector], object] = lambda theta: 2 * theta) -> None:
        super().__init__("square", 3)
        self._gradient = gradient

    def compute(self, theta: Vector) -> tuple[float, Vector]:
        return float(theta @ theta), self._gradient(theta)  # type: ignore[return-value] # what comes is the test's


THETA = np.array([1.0, 2.0, 3.0])


def test_the_backend_package_hands_on_the_contract_alone() -> None:
    """Those who write a backend need no more, and so do not reach the registry through it."""
    assert backend.__all__ == ["Backend", "Objective"]


@pytest.mark.parametrize(
    "gradient",
    [
        lambda theta: (2 * theta).astype(np.float32),
        lambda theta: (2 * theta).tolist(),
        lambda theta: np.repeat(2 * theta, 2)[::2],
    ],
    ids=["float32", "a list", "with gaps"],
)
def test_gradients_come_out_as_float64_without_gaps(gradient: Callable[[Vector], object]) -> None:
    """Whatever the framework returns."""
    loss, found = Square(gradient).loss_and_gradient(THETA)
    assert (loss, found.tolist()) == (14.0, [2.0, 4.0, 6.0])
    assert (found.dtype.name, found.flags.c_contiguous) == ("float64", True)


def test_a_gradient_of_another_shape_is_refused() -> None:
    """With both shapes."""
    with pytest.raises(BackendError, match=r"square: the gradient has shape \(3, 1\), θ has \(3,\)"):
        Square(lambda theta: theta[:, None]).loss_and_gradient(THETA)


def test_losses_are_a_loop_unless_a_backend_can_do_better() -> None:
    """One for each row."""
    assert Square().losses(np.stack([THETA, 2 * THETA])).tolist() == [14.0, 56.0]


def test_activations_need_not_be_shown() -> None:
    """A backend that does not know them says None."""
    assert Square().activations(THETA) is None


def test_a_foreign_exception_becomes_a_backend_error() -> None:
    """With its kind, its words and its cause."""
    with pytest.raises(BackendError, match="mine: ZeroDivisionError: division by zero") as caught, wrap_errors("mine"):
        _ = 1 / 0
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_error_of_xcheck_is_let_through() -> None:
    """It has been worded already."""
    with pytest.raises(DefinitionError, match=r"^rename it$"), wrap_errors("mine"):
        raise DefinitionError(Complaint("rename it"))


def test_an_interrupt_is_let_through() -> None:
    """A person who presses Ctrl-C wants to stop, and no report of a failure."""
    with pytest.raises(KeyboardInterrupt), wrap_errors("mine"):
        raise KeyboardInterrupt


class NetworksOnly(Fake):
    """A backend that implements what it must, and no more."""

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        return Square()


def test_what_a_backend_need_not_implement() -> None:
    """It knows no arrays, no modules, and its batches are loops."""
    minimal = NetworksOnly()
    assert (minimal.leaf(THETA), minimal.parameters(THETA), minimal.batches) == (None, None, 0)
