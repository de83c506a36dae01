"""The NumPy backend: networks with hand-written backpropagation, and functions with gradients that people write."""

import importlib.metadata
from collections.abc import Mapping
from functools import cache
from typing import Any

from xcheck.backend.contract import Backend, Objective
from xcheck.dtypes import DtypeName
from xcheck.errors import BackendError
from xcheck.functions.arguments import Arguments, Leaf
from xcheck.functions.function import Function
from xcheck.networks.layers import LayeredNetwork
from xcheck.networks.problem import Problem
from xcheck_numpy.function import read_leaf


class NumpyBackend(Backend):
    """The network in plain NumPy; the backward pass is written out by hand."""

    name = "numpy"
    install = "pip install numpy"
    dtypes = ("float64", "float32")
    differentiates = False  # what people check here is always their own backward pass

    def available(self) -> str | None:
        """Return None: NumPy is a core dependency."""
        return None

    def versions(self) -> Mapping[str, str]:
        """Return the version of NumPy."""
        return _versions()

    def devices(self) -> tuple[str, ...]:
        """Return "cpu": NumPy computes there, also when the others use a GPU."""
        return ("cpu",)

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        """Return the hand-written network; `device` "gpu" is accepted and computed on the CPU.

        Raises:
            BackendError: NumPy has no such dtype.
        """
        if dtype not in self.dtypes:
            raise BackendError(self.name, f"NumPy has no {dtype}: ask torch and jax (--backend torch --backend jax)")
        from xcheck_numpy.network import NetworkObjective

        return NetworkObjective(problem, dtype)

    def layered_function(self, network: LayeredNetwork) -> Function:
        """Return a network of any layers in NumPy, its backward pass written by hand."""
        from xcheck_numpy.layers.network import layered_function

        return layered_function(network)

    def leaf(self, value: object) -> Leaf | None:
        """Return the numbers of a NumPy array or scalar, or of a Python float or complex."""
        return read_leaf(value)

    def function_objective(
        self,
        function: Function,
        arguments: Arguments,
        *,
        device: str = "cpu",
        wide: bool = False,
        cotangent: Any = None,
    ) -> Objective:
        """Return a function of NumPy arrays."""
        from xcheck.backend.own_parameters import OwnParameters
        from xcheck_numpy.function import NumpyFunction

        return NumpyFunction("numpy", OwnParameters.match(function, arguments, wide=wide), cotangent=cotangent)


# The metadata are read from a file: once for a process, not once for a check.
@cache
def _versions() -> Mapping[str, str]:
    return {"numpy": importlib.metadata.version("numpy")}


backend = NumpyBackend()
