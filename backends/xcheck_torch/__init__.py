"""The PyTorch backend: networks and functions in torch, gradients by autograd. It imports torch only to compute."""

import importlib.metadata
import importlib.util
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from xcheck.backend.contract import Backend, Objective
from xcheck.backend.renaming import expand_rename
from xcheck.dtypes import DtypeName
from xcheck.errors import Complaint, DeviceError
from xcheck.functions.arguments import Arguments, Leaf
from xcheck.functions.function import Function
from xcheck.networks.layers import LayeredNetwork
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
        return _versions()

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

    def layered_function(self, network: LayeredNetwork) -> Function:
        """Return a network of any layers in PyTorch."""
        from xcheck_torch.layers import layered_function

        return layered_function(network)

    def leaf(self, value: object) -> Leaf | None:
        """Return the numbers of a tensor."""
        # Without torch imported there is no tensor.
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(value, torch.Tensor):
            return None
        from xcheck_torch.tensors import read_leaf

        return read_leaf(value)

    def parameters(self, value: object) -> Mapping[str, Any] | None:
        """Return the parameters of a torch.nn.Module that are not frozen; all of them, if all are."""
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(value, torch.nn.Module):
            return None
        parameters = dict(value.named_parameters())
        # What is frozen is not trained, and has no gradient. A module that is frozen as a whole is checked as a whole.
        trained = {name: parameter for name, parameter in parameters.items() if parameter.requires_grad}
        return trained or parameters

    def frozen_parameters(self, value: object) -> Mapping[str, Any]:
        """Return the frozen parameters of a torch.nn.Module, of which others are not."""
        trained = self.parameters(value)
        if trained is None:
            return {}
        return {name: part for name, part in value.named_parameters() if name not in trained}  # type: ignore[attr-defined]  # a module

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
        # The CPU is always there, and to look for CUDA takes longer than a small function.
        if device != "cpu" and device not in self.devices():
            raise DeviceError(Complaint(f"PyTorch has no device '{device}' here; use cpu", ("device",)))
        from xcheck.backend.own_parameters import OwnParameters
        from xcheck_torch.function import TorchFunction

        module = None if function.module is None else _named_parameters(function, arguments)
        parameters = OwnParameters.match(function, arguments, wide=wide, module=module)
        return TorchFunction(parameters, device, cotangent=cotangent)


def _named_parameters(function: Function, arguments: Arguments) -> Mapping[str, Any]:
    """Return those parameters of a module that are not frozen, or that are among the arguments all the same."""
    given = {*arguments.leaves, *arguments.frozen}
    rename, _ = expand_rename(function.rename, given)
    return {
        name: parameter
        for name, parameter in function.module.named_parameters()
        if parameter.requires_grad or rename.get(name, name) in given
    }


# The metadata are read from a file: once for a process, not once for a check.
@cache
def _versions() -> Mapping[str, str]:
    return {"torch": importlib.metadata.version("torch")}


backend = TorchBackend()
