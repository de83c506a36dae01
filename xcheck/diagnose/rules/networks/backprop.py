"""Backpropagation of a declared network in which any step can be replaced, to see what gradient a mistake gives.

With δ⁽ˡ⁾ = ∂(Σₑ Lₑ)/∂z⁽ˡ⁾ of shape (m, nₗ), the loss's slope s, activations g and masks d/p:

    u⁽ᴸ⁾ = s(a⁽ᴸ⁾, y)     δ⁽ˡ⁾ = (u⁽ˡ⁾ ∘ d/p) ∘ g'(z⁽ˡ⁾)     u⁽ˡ⁻¹⁾ = δ⁽ˡ⁾ W⁽ˡ⁾
    ∂J/∂W⁽ˡ⁾ = δ⁽ˡ⁾ᵀ a⁽ˡ⁻¹⁾/m + penalty               ∂J/∂b⁽ˡ⁾ = Σₑ δ⁽ˡ⁾ₑ /m

It takes no part in the verdict: after the oracle has shown that a gradient is wrong, it shows which mistake makes the
same wrong numbers. Source: Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", 1986.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis
from xcheck.diagnose.rules.networks.derivatives import LOSS_SLOPES, SLOPES
from xcheck.findings import DETACHED
from xcheck.layout import Tensor, Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.estimate import CERTAIN
from xcheck.oracle.network.forward import NATURAL, NUMPY

Change = Callable[[Vector], Vector]


def apply_mask(mask: Flags, keep: float) -> Change:
    """Return the step u ∘ d/p, with mask d and probability p."""
    return lambda upstream: upstream * mask / keep


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of backpropagation that are replaced, each by number of its layer; all others are as they should be.

    Attributes:
        loss: the loss's slope s, shape (m, n_L).
        slope: g'(z), shape (m, nₗ).
        drop: u ∘ d/p.
        down: u⁽ˡ⁻¹⁾ of δ⁽ˡ⁾.
        bias: ∂J/∂b⁽ˡ⁾ of δ⁽ˡ⁾.
        examples: weights of the examples in the sums, shape (m,).
    """

    loss: Vector | None = None
    slope: dict[int, Vector] = field(default_factory=dict)
    drop: dict[int, Change] = field(default_factory=dict)
    down: dict[int, Change] = field(default_factory=dict)
    bias: dict[int, Change] = field(default_factory=dict)
    examples: Vector | None = None


class Backprop:
    """The backward pass of a declared network at θ.

    Args:
        evidence: against a witness; layout, θ and penalty are taken from it.
        problem: the network.
    """

    def __init__(self, evidence: Evidence, problem: Problem) -> None:
        self.problem = problem
        self.network = problem.network
        self.layout = evidence.layout
        self.trace = evidence.trace
        self._theta = evidence.theta
        self._penalty = evidence.penalty

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.network.layers)

    def z(self, number: int) -> Vector:
        """Return z of a layer, shape (m, nₗ)."""
        return self.trace.z[number - 1]

    def a(self, number: int) -> Vector:
        """Return g(z) of a layer, before dropout, shape (m, nₗ)."""
        return np.asarray(NATURAL[self.network.layers[number - 1].activation](NUMPY, self.z(number)))

    def slope(self, number: int) -> Vector:
        """Return g'(z) of a layer, shape (m, nₗ)."""
        return SLOPES[self.network.layers[number - 1].activation](self.z(number))

    def tensors(self, number: int) -> tuple[Tensor, ...]:
        """Return the tensors of a layer."""
        return tuple(tensor for tensor in self.layout if tensor.layer == number)

    def weights(self, number: int) -> Vector:
        """Return W of a layer, shape (nₗ, nₗ₋₁)."""
        tensor = self.layout.tensor(number, "weight")
        return self._theta[tensor.span].reshape(tensor.shape)

    @cached_property
    def loss_slope(self) -> Vector:
        """The loss's slope s, shape (m, n_L)."""
        return LOSS_SLOPES[self.network.loss](self.trace.a[-1], self.problem.targets)

    def dropped(self, upstream: Vector, number: int) -> Vector:
        """Return u ∘ d/p of a layer, u itself where nothing is dropped; shape (m, nₗ)."""
        mask = self.problem.masks[number]
        return upstream if mask is None else upstream * mask / self.network.keep_probs[number]

    # A mistaken formula may divide by zero where the right one does not.
    @np.errstate(all="ignore")
    def gradient(self, steps: Steps | None = None) -> Vector:
        """Return ∂J/∂θ as it comes out with these steps, shape (n,)."""
        # No step changes the penalty: the examples are added on top of it.
        steps, flat = steps or Steps(), self._penalty.copy()
        m, upstream = self.problem.examples, self.loss_slope if steps.loss is None else steps.loss
        # From the loss down: δ of a layer needs that of the layer above.
        for number in range(self.depth, 0, -1):
            drop = steps.drop.get(number)
            upstream = self.dropped(upstream, number) if drop is None else drop(upstream)
            delta = upstream * (steps.slope[number] if number in steps.slope else self.slope(number))
            summed = delta if steps.examples is None else delta * steps.examples[:, None]
            flat[self.layout.tensor(number, "weight").span] += (summed.T @ self.trace.a[number - 1] / m).ravel()
            # A replaced sum gets δ of every example, and counts them itself.
            bias = steps.bias.get(number)
            flat[self.layout.tensor(number, "bias").span] += summed.sum(0) / m if bias is None else bias(delta)
            down = steps.down.get(number)
            upstream = delta @ self.weights(number) if down is None else down(delta)
        return flat

    @cached_property
    def deltas(self) -> dict[int, Vector]:
        """δ of every layer, shapes (m, nₗ)."""
        # The sums of the biases are where δ of each layer can be seen: they are replaced by ones that keep it.
        deltas: dict[int, Vector] = {}

        def keep(number: int) -> Change:
            def sums(delta: Vector) -> Vector:
                deltas[number] = delta
                return delta.sum(0) / self.problem.examples

            return sums

        self.gradient(Steps(bias={number: keep(number) for number in range(1, self.depth + 1)}))
        return deltas


def hypothesis_of_steps(
    evidence: Evidence, backprop: Backprop, code: str, place: str, text: str, steps: Steps, *, free: int = 0
) -> Hypothesis:
    """Return the hypothesis about all tensors that the steps change; about none if they leave the penalty alone."""
    flat = backprop.gradient(steps)
    # Whatever is within the noise of r is not changed, and the hypothesis is not about it.
    uncertainty = CERTAIN * evidence.uncertainty + evidence.fine * evidence.magnitude
    with np.errstate(invalid="ignore"):
        moved = ~(np.abs(flat - evidence.trusted) <= uncertainty + 2 * evidence.tolerance * np.abs(evidence.trusted))
    spans = {tensor.name: tensor.span for tensor in evidence.layout if moved[tensor.span].any()}
    # A step that leaves no gradient of the data is a detached layer under another name.
    nothing = all(np.array_equal(flat[span], evidence.penalty[span]) for span in spans.values())
    changed = {} if nothing and code != DETACHED else {name: flat[span] for name, span in spans.items()}
    return Hypothesis(code, text, changed, {}, free=free, rank=free, place=place)
