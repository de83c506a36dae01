"""The contract between xcheck and a framework.

A `Backend` makes an `Objective` of a `Problem`; an `Objective` gives loss and gradient at θ. A backend implements
`Backend.available`, `versions`, `devices`, `network_objective` and `Objective.compute`; everything else has a default.

Laws, checked for every backend by `xcheck.testing.check_contract`:

1. called twice with the same θ gives bitwise the same;
2. θ is not changed;
3. the gradient is float64, C-order, of shape (n,);
4. dtype "float32" is computed in float32 and returned as float64;
5. a foreign exception comes out as `BackendError` with its cause;
6. the global state of the framework (default dtype, x64 flag, random generators, threads, grad mode) is left as it was.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xcheck.dtypes import DtypeName
from xcheck.errors import BackendError, XcheckError, quote
from xcheck.functions.arguments import Arguments, Leaf
from xcheck.functions.function import Function
from xcheck.layout import Vector
from xcheck.networks.layers import LayeredNetwork
from xcheck.networks.problem import Problem
from xcheck.trace import BackwardPass, Nodes, Trace, UntraceableError


@contextmanager
def wrap_errors(backend: str) -> Iterator[None]:
    """Turn an exception of a framework, or of a person's function, into a BackendError with that cause.

    Reports show it as an error of this backend, never as a disagreement of gradients. Errors that xcheck raises itself
    are let through.
    """
    try:
        yield
    except XcheckError:
        raise
    except Exception as error:  # KeyboardInterrupt is none: a person who presses Ctrl-C is obeyed
        raise BackendError(backend, quote(error)) from error


class Objective(ABC):
    """J as a function of θ, with its gradient.

    Attributes:
        backend: name of the framework, for errors.
        size: number of components n of θ.
    """

    def __init__(self, backend: str, size: int) -> None:
        self.backend = backend
        self.size = size

    @abstractmethod
    def compute(self, theta: Vector) -> tuple[float, ArrayLike]:
        """Return the loss and its gradient, shape (n,), at θ; each backend implements this."""

    def loss_and_gradient(self, theta: Vector) -> tuple[float, Vector]:
        """Return the loss and its gradient at θ.

        Args:
            theta: shape (n,), float64; it is not changed.

        Returns:
            J(θ) and ∂J/∂θ, float64, C-order, shape (n,).

        Raises:
            BackendError: the framework failed (the cause is chained), or the gradient has another shape.
        """
        with wrap_errors(self.backend):
            loss, gradient = self.compute(theta)
        # Law 3 costs a backend nothing: dtype and order are made right here. A shape cannot be, so it is an error.
        result = np.ascontiguousarray(gradient, dtype=np.float64)
        if result.shape != (self.size,):
            text = f"the gradient has shape {result.shape}, θ has {(self.size,)}"
            raise BackendError(self.backend, text)
        return float(loss), result

    def losses(self, thetas: Vector) -> Vector:
        """Return the loss at each row of `thetas`, shape (k, n) -> (k,); a loop unless overridden."""
        # The gradients are thrown away: correct for every backend, and slow.
        return np.array([self.loss_and_gradient(theta)[0] for theta in thetas], dtype=np.float64)

    def activations(self, theta: Vector) -> Sequence[ArrayLike] | None:
        """Return A⁽⁰⁾..A⁽ᴸ⁾ of a declared network at θ, after dropout, shapes (m, nₗ); None if they are not known.

        They are asked for only when the loss differs from the oracle's: the first layer that differs is then named.
        """
        return None

    def trace(self) -> Trace:
        """Return the operations of the loss at θ, a real number; its inputs are as in `traced_arrays`.

        Raises:
            UntraceableError: it cannot be traced; the text says why.
        """
        raise UntraceableError(f"{self.backend} has no traces")

    def gradient_trace(self) -> Trace:
        """Return the operations of the framework's gradient at θ: the inputs of `trace`, and for each its gradient.

        Raises:
            UntraceableError: it cannot be traced, or is written by hand.
        """
        raise UntraceableError(f"{self.backend} has no traces of gradients")

    def backward_pass(self) -> BackwardPass:
        """Return what the backward pass of the loss at θ does, operation by operation.

        Raises:
            UntraceableError: it cannot be looked into; the text says why.
        """
        raise UntraceableError(f"{self.backend} does not show its backward pass")

    def nodes(self) -> Nodes:
        """Return the values that the parameters act on linearly, at θ; losses are those of the traced program.

        Raises:
            UntraceableError: there are none, or they cannot be moved; the text says why.
            BackendError: the framework failed (the cause is chained).
        """
        raise UntraceableError(f"{self.backend} shows no values inside of a loss")

    def traced_arrays(self, vector: Vector) -> Sequence[NDArray[Any]]:
        """Return a vector like θ, shape (n,), as the arrays that a trace takes, float64, complex ones in two parts."""
        return [vector]


class Backend(ABC):
    """A framework that computes losses and gradients.

    Attributes:
        name: as in `backends = [...]`; the name of the entry point.
        install: what to type to get the framework.
        differentiates: whether it has gradients of its own, or people write them by hand.
        batches: how well it evaluates many θ at once, 0 if it cannot; where one loss is written for several backends,
            the oracle evaluates that of the backend with the largest number.
        dtypes: the dtypes of `network_objective`; from a check in another one the backend is left out, with a warning
            if it is there by default, with an error if it was asked for by name.
    """

    name: str
    install: str
    differentiates: bool = True
    batches: int = 0
    dtypes: tuple[DtypeName, ...] = ("float64", "float32", "bfloat16")

    @abstractmethod
    def available(self) -> str | None:
        """Return None, or why the framework cannot be used; must not import the framework."""

    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """Return name and version of the framework (and what it needs); must not import it."""

    @abstractmethod
    def devices(self) -> tuple[str, ...]:
        """Return the devices that `network_objective` accepts here: "cpu", and "gpu" if there is one."""

    @abstractmethod
    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        """Return this framework's own implementation of the network in `problem`.

        Raises:
            BackendError: the framework cannot be used.
            DeviceError: `device` is not there.
        """

    def layered_function(self, network: LayeredNetwork) -> Function:
        """Return this framework's own implementation of a network of any layers.

        It is a function `loss(params, X, Y, masks)`: of the tensors by name, of inputs and targets, and of the dropout
        masks by the number of their layer, as `LayeredProblem` has them.

        Raises:
            BackendError: the framework cannot be used, or knows fully connected networks only.
        """
        raise BackendError(self.name, "this backend knows fully connected layers only")

    def leaf(self, value: object) -> Leaf | None:
        """Return the numbers of `value` if it is an array of this framework; must not import the framework."""
        return None

    def parameters(self, value: object) -> Mapping[str, Any] | None:
        """Return the parameters of `value` by name if it is a module of this framework; must not import it."""
        return None

    def frozen_parameters(self, value: object) -> Mapping[str, Any]:
        """Return those parameters of a module that `parameters` leaves out, because they are not trained."""
        return {}

    def function_objective(
        self,
        function: Function,
        arguments: Arguments,
        *,
        device: str = "cpu",
        wide: bool = False,
        cotangent: Any = None,
    ) -> Objective:
        """Return a person's own function in this framework.

        Args:
            function: what is computed.
            arguments: θ, and the data.
            device: where arrays of other frameworks are put; those of this one stay where they are.
            wide: whether to compute in 64 bits whatever the dtypes of the arguments; so the oracle does.
            cotangent: v, shape of the loss, where that is an array y: the objective is Re Σ v̄ y.

        Raises:
            BackendError: the framework cannot do this.
            DefinitionError: names or shapes do not fit.
        """
        raise BackendError(self.name, "this backend knows declared networks only, not functions")
