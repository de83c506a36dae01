"""PyTorch witness: the network in torch, the gradient by autograd. Imports torch only when it computes."""

import importlib.metadata
import importlib.util
from collections.abc import Mapping

from xcheck.errors import Complaint, DeviceError
from xcheck.backend import Backend, Objective
from xcheck.problem import DtypeName, Problem


class TorchBackend(Backend):
    """The network in PyTorch, differentiated by autograd."""

    name = "torch"
    install = "pip install 'xcheck-grad[torch]'"

    def available(self) -> str | None:
        """Return None when torch is installed."""
        return None if importlib.util.find_spec("torch") else "PyTorch is not installed"

    def versions(self) -> Mapping[str, str]:
        """Return the version of torch."""
        return {"torch": importlib.metadata.version("torch")}

    def devices(self) -> tuple[str, ...]:
        """Return "cpu", and "gpu" where torch has CUDA."""
        import torch

        return ("cpu", "gpu") if torch.cuda.is_available() else ("cpu",)

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        """Return the network in torch on `device`."""
        if device not in self.devices():
            raise DeviceError(Complaint(f"PyTorch has no device '{device}' here; use cpu", ("check", "device")))
        from xcheck_torch.network import NetworkObjective

        return NetworkObjective(problem, device, dtype)


backend = TorchBackend()
