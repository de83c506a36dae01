"""LayeredProblem: a network of any layers with its data and everything that is random drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xcheck.layout import Layout, Vector
from xcheck.networks.initializers import draw_weights
from xcheck.networks.layers.network import LayeredNetwork
from xcheck.networks.streams import mask_generator, theta_generator

# Of the inputs; those of layer l are called after its number.
INPUT_MASK = "0"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayeredProblem:
    """A network of any layers at one point θ.

    Attributes:
        network: what is computed.
        inputs: X, shape (m, *input_shape).
        targets: Y, shape (m, n_L).
        theta: the tensors by name, float64.
        masks: which activations are kept, by the number of the layer, "0" for the inputs, shape (m, ...); only of
            layers that drop.
        seed: where everything random came from.
        name: how reports call it.
    """

    network: LayeredNetwork
    inputs: Vector
    targets: Vector
    theta: Mapping[str, Vector]
    masks: Mapping[str, NDArray[np.bool_]]
    seed: int = 0
    name: str = "problem"

    @classmethod
    def create(
        cls,
        network: LayeredNetwork,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        theta: Vector | None = None,
        dropout: Literal["pinned", "off"] = "pinned",
        seed: int = 0,
        name: str = "problem",
    ) -> "LayeredProblem":
        """Draw what is random (θ unless given, dropout masks) from `seed` and pin it.

        Args:
            network: what is computed; with `dropout="off"` its keep probabilities become 1.
            inputs: X, shape (m, *input_shape).
            targets: Y, shape (m, n_L).
            theta: θ, shape (n,); by default drawn by the initializers.
            dropout: "pinned" draws one mask per example and activation; "off" keeps everything.
            seed: of all random draws.
            name: how reports call it.
        """
        network = network if dropout == "pinned" else network.without_dropout()
        X = np.asarray(inputs, dtype=np.float64)
        return cls(
            network=network,
            inputs=X,
            targets=np.asarray(targets, dtype=np.float64),
            theta=initialize_layers(network, seed) if theta is None else layered_layout(network).unflatten(theta),
            masks=_draw_masks(network, len(X), seed),
            seed=seed,
            name=name,
        )

    @property
    def examples(self) -> int:
        """Number of examples m."""
        return len(self.inputs)


def layered_layout(network: LayeredNetwork) -> Layout:
    """Lay out the tensors of a network, layer by layer."""
    return Layout.of(network.shapes)


def initialize_layers(network: LayeredNetwork, seed: int) -> dict[str, Vector]:
    """Draw the tensors: weights by each layer's initializer, biases 0, gains 1."""
    # The stream of fully connected networks: layer by layer from one generator, so that equal layers begin alike.
    rng = theta_generator(seed)
    theta: dict[str, Vector] = {}
    for placed in network.walk():
        for each in placed.parameters:
            if each.role == "weight":
                theta[placed.named(each)] = draw_weights(placed.layer.initializer_name, each.shape, each.inputs, rng)
            else:
                theta[placed.named(each)] = np.full(each.shape, 1.0 if each.role == "gain" else 0.0)
    return theta


def _draw_masks(network: LayeredNetwork, examples: int, seed: int) -> dict[str, NDArray[np.bool_]]:
    rng = mask_generator(seed)
    drops = [(INPUT_MASK, network.input_shape, network.input_keep_prob)]
    drops += [(placed.number, placed.outputs, placed.layer.keep_prob) for placed in network.walk()]
    return {number: rng.random((examples, *shape)) < keep_prob for number, shape, keep_prob in drops if keep_prob < 1.0}
