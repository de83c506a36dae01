"""The declared network in PyTorch, differentiated by autograd."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.layout import LayerRole, Vector
from xcheck.networks.network import LEAKY_SLOPE, ActivationName, LossName
from xcheck.networks.problem import Problem
from xcheck.trace import Trace
from xcheck_torch.modes import own_modes

ACTIVATIONS: dict[ActivationName, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, LEAKY_SLOPE),
    "elu": F.elu,
    # The default threshold of 20 would replace log(1 + eᶻ) by z and lose e⁻²⁰ = 2e-9 of the slope.
    "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)),
    "gelu": lambda z: F.gelu(z, approximate="none"),
    "silu": F.silu,
}

# Each sums over all examples; the mean is taken once, in `loss`.
LOSSES: dict[LossName, Callable[[Tensor, Tensor], Tensor]] = {
    "binary_cross_entropy": lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="sum"),
    "softmax_cross_entropy": lambda z, y: F.cross_entropy(z, y, reduction="sum"),
    "mean_squared_error": lambda z, y: 0.5 * F.mse_loss(z, y, reduction="sum"),
}


class NetworkObjective(Objective):
    """Loss and gradient of a network by torch autograd."""

    def __init__(self, problem: Problem, device: str, dtype: DtypeName) -> None:
        super().__init__("torch", problem.layout.size)
        self._problem = problem
        self._network = problem.network
        self._device = torch.device("cuda" if device == "gpu" else "cpu")
        self._dtype = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}[dtype]
        with own_modes(self._device):
            self._inputs = self._tensor(problem.inputs)
            self._targets = self._tensor(problem.targets)
            self._masks = [None if mask is None else self._tensor(mask) for mask in problem.masks]

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.tensor(array, dtype=self._dtype, device=self._device)

    def compute(self, theta: Vector) -> tuple[float, Vector]:
        """Return J(θ) and ∂J/∂θ."""
        with own_modes(self._device):
            parameters = {
                place: self._tensor(value).requires_grad_()
                for place, value in self._problem.layout.by_role(theta).items()
            }
            loss = self.loss(parameters)
            # In the order of the layout, which is that of θ.
            gradients = torch.autograd.grad(loss, list(parameters.values()))
            flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
            # float64 holds the numbers of all three dtypes exactly.
            return loss.item(), flat.to(device="cpu", dtype=torch.float64).numpy()

    def trace(self) -> Trace:
        """Return the operations of the loss at θ."""
        return self._trace(lambda loss, theta: [loss])

    def gradient_trace(self) -> Trace:
        """Return the operations of the loss and of autograd at θ."""
        return self._trace(lambda loss, theta: torch.autograd.grad(loss, [theta], materialize_grads=True))

    def _trace(self, what: Callable[[Tensor, Tensor], Sequence[Tensor]]) -> Trace:
        from xcheck_torch.trace import trace_of

        with own_modes(self._device):
            # The operations are the same at every θ.
            theta = torch.zeros(self.size, dtype=self._dtype, device=self._device, requires_grad=True)
            return trace_of(lambda: what(self.loss(self._problem.layout.by_role(theta)), theta), [theta])

    def activations(self, theta: Vector) -> list[np.ndarray]:
        """Return A⁽⁰⁾..A⁽ᴸ⁾ at θ."""
        with own_modes(self._device):
            parameters = self._problem.layout.by_role(theta)
            activations = self.forward({place: self._tensor(value) for place, value in parameters.items()})
            return [a.to(device="cpu", dtype=torch.float64).numpy() for a in activations]

    def forward(self, parameters: Mapping[LayerRole, Tensor]) -> list[Tensor]:
        """Return A⁽⁰⁾..A⁽ᴸ⁾, after dropout."""
        activations = [self._drop(self._inputs, 0)]
        for number, layer in enumerate(self._network.layers, start=1):
            z = F.linear(activations[-1], parameters[number, "weight"], parameters[number, "bias"])
            activations.append(self._drop(ACTIVATIONS[layer.activation](z), number))
        return activations

    def loss(self, parameters: Mapping[LayerRole, Tensor]) -> Tensor:
        """Return J: the mean loss of the examples plus the penalties."""
        m, network = self._problem.examples, self._network
        penalty = self._inputs.new_zeros(())
        for number in range(1, len(network.layers) + 1):
            W = parameters[number, "weight"]
            # Without its λ a penalty is absent, not 0 · Σ: squares of huge weights overflow.
            if network.l2:
                penalty = penalty + network.l2 / (2 * m) * W.square().sum()
            if network.l1:
                penalty = penalty + network.l1 / (2 * m) * W.abs().sum()
        return LOSSES[network.loss](self.forward(parameters)[-1], self._targets) / m + penalty

    def _drop(self, a: Tensor, number: int) -> Tensor:
        """Apply inverted dropout with the mask that was drawn beforehand."""
        mask = self._masks[number]
        return a if mask is None else a * mask / self._network.keep_probs[number]
