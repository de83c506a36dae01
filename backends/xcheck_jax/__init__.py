"""JAX witness: the network in jax.numpy, the gradient by jax.grad. Imports jax only when it computes."""

import importlib.metadata
import importlib.util
from collections.abc import Mapping

from xcheck.errors import Complaint, DeviceError
from xcheck.backend import Backend, Objective
from xcheck.problem import DtypeName, Problem


class JaxBackend(Backend):
    """The network in JAX, differentiated by jax.grad."""

    name = "jax"
    install = "pip install jax"

    def available(self) -> str | None:
        """Return None when jax is installed."""
        return None if importlib.util.find_spec("jax") else "JAX is not installed"

    def versions(self) -> Mapping[str, str]:
        """Return the versions of jax and jaxlib."""
        return {name: importlib.metadata.version(name) for name in ("jax", "jaxlib")}

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


backend = JaxBackend()
