"""Peer: `torch.autograd.gradcheck`, slow and fast, at its documented defaults (eps 1e-6, atol 1e-5, rtol 1e-3).

The loss is the PyTorch witness's; its backward pass is replaced by one that returns the gradient in question.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from benchmarks.peers.method import Judgement, Method
from xcheck import Problem
from xcheck.layout import Vector
from xcheck_torch.network import NetworkObjective


class _Reported(torch.autograd.Function):  # type: ignore[misc]  # torch is not analysed, so its classes are Any
    """A loss whose backward pass returns a gradient that is given."""

    @staticmethod
    def forward(ctx: Any, some: Tensor, loss: Callable[[Tensor], Tensor], gradient: Tensor) -> Tensor:
        ctx.gradient = gradient
        return loss(some)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        return upstream * ctx.gradient, None, None


class Gradcheck(Method):
    """gradcheck in slow mode: every component of the Jacobian."""

    losses_to_reject = 2
    overhead = 2e-4
    fast: ClassVar[bool] = False

    def __init__(self, problem: Problem, gradient: Vector, device: str) -> None:
        super().__init__(problem, gradient, device)
        self._objective = NetworkObjective(problem, device, "float64")
        self._device = "cuda" if device == "gpu" else "cpu"
        self._theta = self._tensor(problem.theta)
        self._indices = torch.tensor(self.indices, device=self._device)
        self._verdict: Judgement = "undecided"

    def _tensor(self, values: Vector) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self._device)

    def _loss(self, some: Tensor) -> Tensor:
        self.evaluations += 1
        theta = self._theta.index_copy(0, self._indices, some)
        return self._objective.loss(self.problem.layout.by_role(theta))

    def run(self) -> None:
        """Check the right gradient."""
        self.evaluations = 0
        self._verdict = self.judge(self.gradient)

    def judge(self, gradient: Vector) -> Judgement:
        """Return what gradcheck says; it takes its differences again."""
        reported = self._tensor(gradient[self.indices])
        some = self._theta[self._indices].requires_grad_()
        passed = torch.autograd.gradcheck(
            lambda values: _Reported.apply(values, self._loss, reported),
            (some,),
            fast_mode=self.fast,
            raise_exception=False,
        )
        return "agree" if passed else "disagree"

    def verdict(self) -> Judgement:
        """Return what the last run has said."""
        return self._verdict


class FastGradcheck(Gradcheck):
    """gradcheck in fast mode: one random projection of the whole Jacobian.

    When that does not match, it goes through all components in slow mode, for the sake of its message: rejecting costs
    as much as in slow mode.
    """

    losses_per_component = None
    fast = True
