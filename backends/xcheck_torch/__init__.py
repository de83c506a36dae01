"""The PyTorch backend: networks and functions in torch, gradients by autograd. It imports torch only to compute."""

import importlib.metadata
import importlib.util
import sys
from collections.abc import Mapping
from typing import Any

from xcheck.backend.contract import Backend, Objective
from xcheck.dtypes import DtypeName
from xcheck.errors import Complaint, DeviceError
from xcheck.functions.arguments import Arguments, Leaf
from xcheck.functions.function import Function
from xcheck.networks.problem import Problem


class TorchBackend(Backend):
    """The network in PyTorch, differentiated by autograd."""

    name = "torch"
    install = "pip install 'xcheck-grad[torch]'"
    batches = 1

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

    def leaf(self, value: object) -> Leaf | None:
        """Return the numbers of a tensor."""
        # Without torch imported there is no tensor.
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(value, torch.Tensor):
            return None
        from xcheck_torch.function import read_leaf

        return read_leaf(value)

    def parameters(self, value: object) -> Mapping[str, Any] | None:
        """Return the parameters of a torch.nn.Module."""
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(value, torch.nn.Module):
            return None
        return dict(value.named_parameters())

    def function_objective(
        self,
        function: Function,
        arguments: Arguments,
        *,
        device: str = "cpu",
        wide: bool = False,
        cotangent: Any = None,
    ) -> Objective:
        """Return a function of tensors, or a module."""
        if device not in self.devices():
            raise DeviceError(Complaint(f"PyTorch has no device '{device}' here; use cpu", ("check", "device")))
        from xcheck.backend.own_parameters import OwnParameters
        from xcheck_torch.function import TorchFunction

        parameters = OwnParameters.match(function, arguments, wide=wide, module=self.parameters(function.module))
        return TorchFunction(parameters, device, cotangent=cotangent)


backend = TorchBackend()
