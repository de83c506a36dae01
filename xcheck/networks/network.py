"""Network: a frozen description of a fully connected network and its loss, without arithmetic.

This page is the specification. Every backend and the oracle implement it on their own. With m examples, layer
l = 1..L, a⁽⁰⁾ = the inputs, and dropout masks d⁽ˡ⁾ drawn beforehand (kept with probability p):

    z⁽ˡ⁾ = W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾        a⁽ˡ⁾ = g(z⁽ˡ⁾) · d⁽ˡ⁾ / p⁽ˡ⁾         (inverted dropout; the inputs likewise)
    J = (1/m) Σₑ L(a⁽ᴸ⁾ₑ, yₑ) + l2/(2m) Σₗ ‖W⁽ˡ⁾‖² + l1/(2m) Σₗ Σ|W⁽ˡ⁾|          (biases are not regularised)

Activations g(z), with σ(z) = 1/(1 + e⁻ᶻ) and Φ the standard normal distribution function:

    identity    z                    relu        max(z, 0)                  softplus    log(1 + eᶻ)
    sigmoid     σ(z)                 leaky_relu  z if z > 0 else 0.01 z     gelu        z Φ(z)
    tanh        tanh(z)              elu         z if z > 0 else eᶻ − 1     silu        z σ(z)

Losses of one example, with z the outputs (logits for the first two) and y the target:

    binary_cross_entropy     Σₖ log(1 + e^zₖ) − yₖ zₖ          one or more independent 0/1 targets
    softmax_cross_entropy    log Σₖ e^zₖ − Σₖ yₖ zₖ            y sums to one
    mean_squared_error       ½ Σₖ (zₖ − yₖ)²

Source: lecture notes on practical aspects of deep networks, equations (2), (4), (6)-(8) and the section on inverted
dropout; gelu: Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

ActivationName = Literal["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu"]
LossName = Literal["binary_cross_entropy", "softmax_cross_entropy", "mean_squared_error"]
InitializerName = Literal["he", "xavier", "normal", "zeros"]

ACTIVATIONS: tuple[ActivationName, ...] = get_args(ActivationName)
LOSSES: tuple[LossName, ...] = get_args(LossName)
INITIALIZERS: tuple[InitializerName, ...] = get_args(InitializerName)

# The slope of leaky_relu for z < 0: the one of Maas, Hannun & Ng, 2013, and the default of PyTorch and JAX.
LEAKY_SLOPE = 0.01

# About half of the variance of z is lost in these: the factor 2 of "he" makes up for it.
_RELU_FAMILY = frozenset({"relu", "leaky_relu", "elu", "softplus", "gelu", "silu"})


def default_initializer(activation: ActivationName) -> InitializerName:
    """Return "he" for the relu family, "xavier" otherwise.

    >>> default_initializer("relu"), default_initializer("tanh")
    ('he', 'xavier')
    """
    return "he" if activation in _RELU_FAMILY else "xavier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """One fully connected layer.

    Attributes:
        units: number of outputs, at least 1.
        activation: g.
        initializer: how W is drawn; by default what suits the activation.
        keep_prob: probability of keeping a unit (inverted dropout), in (0, 1].

    Raises:
        ValueError: an unknown word, or a number out of range.
    """

    units: int
    activation: ActivationName = "identity"
    initializer: InitializerName | None = None
    keep_prob: float = 1.0

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError(f"a layer needs at least 1 unit, not {self.units}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {self.activation!r}; known: {', '.join(ACTIVATIONS)}")
        if self.initializer is not None and self.initializer not in INITIALIZERS:
            raise ValueError(f"unknown initializer {self.initializer!r}; known: {', '.join(INITIALIZERS)}")
        if not 0 < self.keep_prob <= 1:
            raise ValueError(f"keep_prob must be in (0, 1], not {self.keep_prob}")

    @property
    def initializer_name(self) -> InitializerName:
        """The initializer that is used: the one asked for, or the default of the activation."""
        return self.initializer or default_initializer(self.activation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """An L2- and L1-regularised fully connected network; the last layer is the output.

    Attributes:
        inputs: number of input features n₀.
        layers: the layers 1..L.
        loss: the loss of one example.
        l2: λ of the L2 penalty, at least 0.
        l1: λ of the L1 penalty, at least 0.
        input_keep_prob: probability of keeping an input, in (0, 1].

    Raises:
        ValueError: an unknown word, or a number out of range.
    """

    inputs: int
    layers: tuple[Dense, ...]
    loss: LossName
    l2: float = 0.0
    l1: float = 0.0
    input_keep_prob: float = 1.0

    def __post_init__(self) -> None:
        # A list is taken too; a tuple can be hashed, and compiled functions are kept by network.
        object.__setattr__(self, "layers", tuple(self.layers))
        if self.loss not in LOSSES:
            raise ValueError(f"unknown loss {self.loss!r}; known: {', '.join(LOSSES)}")
        if not self.layers:
            raise ValueError("a network needs at least one layer")
        # `not λ >= 0` refuses nan as well.
        bad = {"inputs": self.inputs < 1, "l2": not self.l2 >= 0, "l1": not self.l1 >= 0}
        bad["input_keep_prob"] = not 0 < self.input_keep_prob <= 1
        for name in (name for name, out_of_range in bad.items() if out_of_range):
            raise ValueError(f"{name} is {getattr(self, name)}, which is out of range")

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per layer, the inputs first: n₀, n₁, ..., n_L."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def keep_probs(self) -> tuple[float, ...]:
        """Keep probabilities, the inputs' first: one for each of a⁽⁰⁾, ..., a⁽ᴸ⁾."""
        return (self.input_keep_prob, *(layer.keep_prob for layer in self.layers))

    @property
    def drops(self) -> bool:
        """Whether units or inputs are dropped at random."""
        return any(keep_prob < 1 for keep_prob in self.keep_probs)

    def without_dropout(self) -> "Network":
        """Return the network as it predicts: every keep probability is 1."""
        layers = tuple(replace(layer, keep_prob=1.0) for layer in self.layers)
        return replace(self, layers=layers, input_keep_prob=1.0)
