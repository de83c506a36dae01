"""Problem: a network with its data and everything that is random drawn, so that J is a function of θ alone."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xcheck.dtypes import DtypeName, round_to
from xcheck.layout import Layout, Vector
from xcheck.networks.initializers import initialize, network_layout
from xcheck.networks.network import Network
from xcheck.networks.streams import mask_generator, theta_generator

Mask = NDArray[np.bool_]


def _freeze(array: ArrayLike) -> Vector:
    """Return a copy that cannot be written to: all backends compute with the same arrays."""
    copy = np.array(array, dtype=np.float64, order="C")
    copy.flags.writeable = False
    return copy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A network with its data at one point θ.

    Attributes:
        network: what is computed.
        inputs: X, shape (m, n₀), one example per row.
        targets: Y, shape (m, n_L).
        theta: θ, shape (n,).
        masks: per activation a⁽⁰⁾..a⁽ᴸ⁾ the units that are kept, shape (m, nₗ), or None where all are kept.
        seed: where everything random came from.
        name: how reports call it.
    """

    network: Network
    inputs: Vector
    targets: Vector
    theta: Vector
    masks: tuple[Mask | None, ...]
    seed: int = 0
    name: str = "problem"
    layout: Layout = field(init=False)

    def __post_init__(self) -> None:
        for name in ("inputs", "targets", "theta"):
            object.__setattr__(self, name, _freeze(getattr(self, name)))
        object.__setattr__(self, "layout", network_layout(self.network))  # asked for at every step of a check
        # J is a mean over the examples, and that of none is nan.
        if self.examples == 0:
            raise ValueError("a problem needs at least one example")
        # From here on, what is not finite comes from the network and not from its data.
        if not all(np.isfinite(getattr(self, name)).all() for name in ("inputs", "targets", "theta")):
            raise ValueError("inputs, targets and theta must be finite")
        expected = {
            "inputs": (self.examples, self.network.widths[0]),
            "targets": (self.examples, self.network.widths[-1]),
            "theta": (self.layout.size,),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                came = getattr(self, name).shape
                raise ValueError(f"{name} has shape {came}, the network needs {shape}")

    @classmethod
    def create(
        cls,
        network: Network,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        theta: ArrayLike | None = None,
        dropout: Literal["pinned", "off"] = "pinned",
        seed: int = 0,
        name: str = "problem",
    ) -> "Problem":
        """Draw what is random (θ unless given, dropout masks) from `seed` and pin it.

        Args:
            network: what is computed; with `dropout="off"` its keep probabilities become 1.
            inputs: X, shape (m, n₀).
            targets: Y, shape (m, n_L).
            theta: θ, shape (n,); by default drawn by the initializers.
            dropout: "pinned" draws one mask per example and unit; "off" keeps everything.
            seed: of all random draws.
            name: how reports call it.

        Raises:
            ValueError: shapes that do not fit the network.
        """
        if dropout == "off":
            # All keep probabilities become 1: no masks are drawn, and nobody divides by them.
            network = network.without_dropout()
        if theta is None:
            theta = initialize(network, theta_generator(seed))
        inputs = np.asarray(inputs, dtype=np.float64)
        return cls(
            network=network,
            inputs=inputs,
            targets=np.asarray(targets, dtype=np.float64),
            theta=np.asarray(theta, dtype=np.float64),
            masks=draw_masks(network, len(inputs), seed),
            seed=seed,
            name=name,
        )

    @property
    def examples(self) -> int:
        """Number of examples m."""
        return len(self.inputs)

    def rounded(self, dtype: DtypeName) -> "Problem":
        """Return the problem with X, Y and θ rounded to numbers of `dtype`, stored as float64.

        A backend that computes in a narrow dtype must be asked about the same point as the oracle, which computes in
        float64: otherwise the rounding of X, Y and θ would look like an error of the gradient.
        """
        if dtype == "float64":
            return self
        inputs, targets, theta = (round_to(values, dtype) for values in (self.inputs, self.targets, self.theta))
        # Validated anew: rounding may have overflowed.
        return replace(self, inputs=inputs, targets=targets, theta=theta)


def draw_masks(network: Network, examples: int, seed: int, *, step: int | None = None) -> tuple[Mask | None, ...]:
    """Draw the dropout masks once: true where a unit is kept, `random < keep_prob`.

    Those of a check are drawn from the seed alone; every step of training has its own: "on different passes through
    the training set, you should randomly zero out different hidden units".

    The masks hold no 1/keep_prob: dividing by it is left to the backends, since forgetting it is a common mistake.

    Source: lecture notes, "Dropout implementation (Inverted dropout)".

    Returns:
        One (m, nₗ) array per activation a⁽⁰⁾..a⁽ᴸ⁾, None where keep_prob is 1.
    """
    # A stream of its own: with dropout off, everything else is drawn as before.
    rng = mask_generator(seed, step)
    masks: list[Mask | None] = []
    for units, keep_prob in zip(network.widths, network.keep_probs, strict=True):
        masks.append(None if keep_prob == 1.0 else rng.random((examples, units)) < keep_prob)
    return tuple(masks)
