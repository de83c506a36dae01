"""Planted faults: a backend whose gradients have a mistake, made on purpose."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from xcheck.backend.contract import Backend, Objective
from xcheck.dtypes import DtypeName
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.testing.faults import Fault


class _PlantedObjective(Objective):
    """An objective whose gradient has a fault."""

    def __init__(self, inner: Objective, fault: Fault, problem: Problem) -> None:
        super().__init__(inner.backend, inner.size)
        self._inner = inner
        self._fault = fault
        self._problem = problem

    def compute(self, theta: Vector) -> tuple[float, Vector]:
        """Return the right loss and a wrong gradient; the penalty's share is that of the θ that is asked for."""
        loss, gradient = self._inner.loss_and_gradient(theta)
        problem = self._problem
        # No Problem can be made with a θ that is not finite: there the penalty is that of its own θ.
        if not np.array_equal(problem.theta, theta) and np.isfinite(theta).all():
            problem = replace(problem, theta=theta)
        return loss, self._fault.plant(problem, gradient)


class Planted(Backend):
    """A backend with a fault in its gradients; it keeps the name of the one that it spoils."""

    def __init__(self, inner: Backend, fault: Fault) -> None:
        self.name = inner.name
        self.install = inner.install
        self._inner = inner
        self._fault = fault

    def available(self) -> str | None:
        """Return what the inner backend says."""
        return self._inner.available()

    def versions(self) -> Mapping[str, str]:
        """Return what the inner backend says."""
        return self._inner.versions()

    def devices(self) -> tuple[str, ...]:
        """Return what the inner backend says."""
        return self._inner.devices()

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        """Return the inner objective with the fault planted."""
        inner = self._inner.network_objective(problem, device=device, dtype=dtype)
        return _PlantedObjective(inner, self._fault, problem)
