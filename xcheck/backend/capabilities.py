"""Capabilities: what a framework may be able to do with a person's function, or know of it.

Each has a default that says "it cannot", or "nothing is known"; a framework overrides those that it has.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xcheck.backend.call_arguments import CallArguments
from xcheck.errors import BackendError
from xcheck.functions.arguments import Numbers
from xcheck.layout import Vector


class Capabilities(CallArguments):
    """What `FunctionObjective` asks of a framework beside values and gradients."""

    def second(
        self, params: Mapping[str, Any], vector: Mapping[str, Any], data: tuple[Any, ...]
    ) -> Mapping[str, Numbers | None]:
        """Return H v by own name."""
        raise BackendError(self.backend, "second derivatives are not supported")

    def jacobian(self, theta: Vector) -> tuple[Vector, Vector] | None:
        """Return all outputs at θ and their gradients, shapes (outputs,) and (outputs, n), or None."""
        return None

    def settle(self) -> None:
        """Take note that the function is known to give the same at the same θ; called before many calls.

        A framework that traces need not trace for each call from now on.
        """

    def modes(self) -> AbstractContextManager[None]:
        """Return the framework's own settings, for whatever of the person's code is called."""
        return nullcontext()

    def batch(self, thetas: Vector) -> Vector | None:
        """Return the losses at all of `thetas` at once, shape (k, n) -> (k,), or None where that is impossible."""
        return None

    def hooks(self) -> list[str]:
        """Return what is to be said of hooks that change a gradient behind the function's back."""
        return []

    def undone(self) -> list[str]:
        """Return what the framework does to the gradient by design, and was undone before it is checked."""
        return []

    def narrow(self) -> float | None:
        """Return the coarsest unit roundoff that a part of the loss at θ is computed with, though asked for in 64 bits.

        0 where all of it is computed in 64 bits, None where that is not known. 64 bits are few beside huge numbers: see
        `xcheck.trace.absorption`.
        """
        return None

    def gradient_along_paths(self, theta: Vector) -> Vector | None:
        """Return the gradient with each sample differentiated along its own random numbers, shape (n,).

        Samplers that a framework differentiates implicitly have another derivative, which is right on average only.
        Return None where the loss has none of them.
        """
        return None

    def own_code_behind_inputs(self) -> list[str]:
        """Return what of a person's own code the gradient of a module's inputs passes through."""
        return []

    def cautions(self) -> list[str]:
        """Return what of a module depends on the mode it is in."""
        return []

    @property
    def moved(self) -> Callable[[Vector, NDArray[np.intp], Vector], Vector] | None:
        """θ, components (k,) of one tensor and values (k,) -> losses (k,); None where whole θ are as good."""
        return None

    def arrangements(self, cotangent: Any) -> list[tuple[str, Any]]:
        """Return a cotangent as it may lie in memory as well, and what each is like: it "has gaps in memory"."""
        return []
