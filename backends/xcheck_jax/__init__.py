"""The JAX backend: networks and functions in jax.numpy, gradients by jax.grad. It imports jax only to compute."""

import importlib.metadata
import importlib.util
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from xcheck.backend.contract import Backend, Objective
from xcheck.dtypes import DtypeName
from xcheck.errors import Complaint, DeviceError
from xcheck.functions.arguments import Arguments, Leaf
from xcheck.functions.function import Function
from xcheck.networks.layers import LayeredNetwork
from xcheck.networks.problem import Problem


class JaxBackend(Backend):
    """The network in JAX, differentiated by jax.grad."""

    name = "jax"
    install = "pip install jax"
    batches = 2

    def available(self) -> str | None:
        """Return None when jax is installed."""
        return None if importlib.util.find_spec("jax") else "JAX is not installed"

    def versions(self) -> Mapping[str, str]:
        """Return the versions of jax and jaxlib."""
        return _versions()

    def devices(self) -> tuple[str, ...]:
        """Return "cpu", and "gpu" where jaxlib has one."""
        import jax

        try:
            jax.devices("gpu")
        except RuntimeError:
            return ("cpu",)
        return ("cpu", "gpu")

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        """Return the network in JAX on `device`."""
        if device not in self.devices():
            raise DeviceError(Complaint(f"JAX has no device '{device}' here; use cpu", ("check", "device")))
        from xcheck_jax.network import NetworkObjective

        return NetworkObjective(problem, device, dtype)

    def layered_function(self, network: LayeredNetwork) -> Function:
        """Return a network of any layers in JAX."""
        from xcheck_jax.layers import layered_function

        return layered_function(network)

    def leaf(self, value: object) -> Leaf | None:
        """Return the numbers of a JAX array."""
        # Without jax imported there is no JAX array.
        jax = sys.modules.get("jax")
        if jax is None or not isinstance(value, jax.Array) or isinstance(value, jax.core.Tracer):
            return None
        if jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
            return None  # the key of a random generator holds no numbers; it is carried along
        from xcheck_jax.arrays import read_leaf

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
        """Return a function of JAX arrays."""
        if device not in self.devices():
            raise DeviceError(Complaint(f"JAX has no device '{device}' here; use cpu", ("device",)))
        from xcheck.backend.own_parameters import OwnParameters
        from xcheck_jax.function import JaxFunction

        return JaxFunction(OwnParameters.match(function, arguments, wide=wide), device, cotangent=cotangent)


# The metadata are read from files: once for a process, not once for a check.
@cache
def _versions() -> Mapping[str, str]:
    return {name: importlib.metadata.version(name) for name in ("jax", "jaxlib")}


backend = JaxBackend()
