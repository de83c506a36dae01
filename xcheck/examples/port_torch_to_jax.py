"""A port: a torch.nn.Module beside the same network in JAX, with other names, other axes and another memory order.

What one learns: `rename` and `layout` say once what is called how and which way round it lies, and a name that does not
exist is an error before anything is computed. Losses are compared first, then gradients, in the names of the module.
`buggy` penalises all leaves of the tree, biases too, which the module does not: the losses differ, XC110 names the two
biases, and XC263 the line that adds them.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

import xcheck

L2 = 0.1


class Network(torch.nn.Module):  # type: ignore[misc] # torch is not analysed
    """Convolution, tanh, linear; returns its outputs and the penalty on its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, kernel_size=3)
        self.fc = torch.nn.Linear(3 * 3 * 3, 2)

    def forward(self, images: Any) -> Any:
        """Images (m, channels, 5, 5) -> outputs (m, 2) and a number."""
        outputs = self.fc(torch.tanh(self.conv(images)).flatten(1))
        return outputs, L2 * (self.conv.weight.square().sum() + self.fc.weight.square().sum())


def torch_loss(found: Any, targets: Any) -> Any:
    """Return the mean squared error and the penalty."""
    outputs, penalty = found
    return torch.nn.functional.mse_loss(outputs, targets) + penalty


def jax_network(params: Any, images: Any) -> Any:
    """Return the outputs; inside, channels come last."""
    conv, dense = params["conv"], params["dense"]
    z = jax.lax.conv_general_dilated(
        images.transpose(0, 2, 3, 1), conv["kernel"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    a = jnp.tanh(z + conv["bias"])
    # The linear layer of the module expects channels first: flattening in JAX's own order would mix up its inputs.
    return a.transpose(0, 3, 1, 2).reshape(len(a), -1) @ dense["kernel"] + dense["bias"]


def jax_loss(params: Any, images: Any, targets: Any) -> Any:
    """Return the mean squared error and the penalty on kernels."""
    weights = params["conv"]["kernel"], params["dense"]["kernel"]
    return jnp.mean((jax_network(params, images) - targets) ** 2) + L2 * sum(jnp.sum(W**2) for W in weights)


def jax_loss_with_biases(params: Any, images: Any, targets: Any) -> Any:
    """Return the mean squared error and the penalty on everything."""
    penalty = sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))
    return jnp.mean((jax_network(params, images) - targets) ** 2) + L2 * penalty


def compared(loss: Any) -> xcheck.Case:
    """Return the module and a port, at a random point that has the module's names and shapes."""
    rng, network = np.random.default_rng(0), Network()
    params = {name: 0.3 * rng.normal(size=tensor.shape) for name, tensor in network.named_parameters()}
    port = xcheck.objective(
        loss,
        "jax",
        rename={"conv.kernel": "conv.weight", "dense.kernel": "fc.weight", "dense.bias": "fc.bias"},
        layout={"conv.kernel": (2, 3, 1, 0), "dense.kernel": "transpose"},
    )
    objectives = {"torch": xcheck.objective(network, "torch", loss=torch_loss), "jax": port}
    data = rng.normal(size=(4, 2, 5, 5)), rng.normal(size=(4, 2))
    return xcheck.Case(objectives=objectives, params=params, data=data)


@xcheck.case
def right() -> xcheck.Case:
    """Weights are penalised, biases are not."""
    return compared(jax_loss)


@xcheck.case
def buggy() -> xcheck.Case:
    """Biases are penalised, too."""
    return compared(jax_loss_with_biases)
