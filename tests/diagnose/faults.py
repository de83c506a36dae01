"""The mistakes of people in a network's backward pass, each with the codes that name its cause.

Changes of a reported gradient come from `xcheck.testing`; mistakes on the way are made in the NumPy witness, by putting
another step in the place of one of its own. Nothing here knows how the diagnosis works.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xcheck.layout import Vector
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import ACTIVATIONS as ACTIVATION_NAMES
from xcheck.networks.network import LOSSES as LOSS_NAMES
from xcheck.networks.network import ActivationName, Dense, LossName, Network
from xcheck.networks.problem import Problem
from xcheck.testing import FAULTS
from xcheck_numpy.activations import ACTIVATIONS, Activation, Array, sigmoid
from xcheck_numpy.losses import LOSSES, Loss
from xcheck_numpy.network import NetworkObjective

Plant = Callable[[Problem], Vector | None]


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        name: what was done.
        codes: any of these names the cause.
        plant: returns the faulty gradient, None where the mistake cannot be made.
        needs: what a network must have for it; see `network`.
    """

    name: str
    codes: frozenset[str]
    plant: Plant
    needs: Mapping[str, Any] = field(default_factory=dict)


# --- networks -------------------------------------------------------------------------------------------------------


def network(
    number: int,
    *,
    first: ActivationName | None = None,
    loss: LossName | None = None,
    keep: float | None = None,
    square: bool | None = None,
    depth: int | None = None,
    l2: float | None = None,
    ties: bool = False,
    examples: int | None = None,
) -> Problem:
    """Return a random network of 2 to 4 layers with dropout, penalties, and biases that are not zero.

    Args:
        number: which one.
        first: activation of the first layer.
        loss: its loss.
        keep: of the first layer.
        square: whether all hidden layers and the inputs are of one width.
        depth: hidden layers.
        l2: its penalty.
        ties: whether the first layer sits on its kinks in some examples.
        examples: how many.
    """
    rng = np.random.default_rng([number, 77])
    hidden, width = depth or int(rng.integers(1, 4)), int(rng.integers(3, 9))
    alike = bool(rng.random() < 0.5) if square is None else square
    loss = loss or LOSS_NAMES[rng.integers(len(LOSS_NAMES))]
    layers = [
        Dense(
            units=width if alike else int(rng.integers(3, 10)),
            activation=CURVED[rng.integers(len(CURVED))],
            keep_prob=float(rng.choice([1.0, 1.0, 0.8, 0.5])),
        )
        for _ in range(hidden)
    ]
    layers[0] = replace(layers[0], activation=first or layers[0].activation, keep_prob=keep or layers[0].keep_prob)
    outputs = int(rng.integers(2, 6))
    inputs, m = width if alike else int(rng.integers(3, 12)), int(rng.integers(8, 40))
    m = examples or m
    net = Network(
        inputs=inputs,
        layers=(*layers, Dense(units=outputs)),
        loss=loss,
        l2=float(rng.choice([0.7, 0.1, 2.0])) if l2 is None else l2,
        l1=float(rng.choice([0.0, 0.0, 0.1])) if l2 is None else 0.0,
    )
    X, theta = rng.standard_normal((m, inputs)), 0.6 * rng.standard_normal(network_layout(net).size)
    if ties:
        X[: m // 4] = 0.0
        theta[network_layout(net)["b1"].span] = 0.0
    return Problem.create(net, X, _targets(loss, m, outputs, rng), theta=theta, seed=number, name=f"random {number}")


def _targets(loss: LossName, m: int, outputs: int, rng: np.random.Generator) -> Vector:
    match loss:
        case "softmax_cross_entropy":
            return np.eye(outputs)[rng.integers(0, outputs, m)]
        case "binary_cross_entropy":
            return rng.integers(0, 2, (m, outputs)).astype(np.float64)
        case "mean_squared_error":
            return rng.standard_normal((m, outputs))


CURVED: tuple[ActivationName, ...] = tuple(name for name in ACTIVATION_NAMES if name != "identity")


# --- in what is reported --------------------------------------------------------------------------------------------

# Where only one number is small enough, flushing it is no other fault than setting it to zero.
REPORTED: dict[str, str] = {
    "W2 x 2": "XC201",
    "b1 x 4": "XC201",
    "everything x 1/2": "XC201",
    "everything x -1": "XC202",
    "everything x 1.001": "XC201",
    "everything x 1.0001": "XC201",
    "1/m missing": "XC203",
    "1/m twice": "XC203",
    "mean over the outputs": "XC204",
    "one example not counted": "XC204",
    "biases averaged twice": "XC206",
    "penalty with a minus sign": "XC211",
    "penalty missing for W1": "XC211",
    "penalty missing": "XC211",
    "penalty without 1/m": "XC211",
    "penalty doubled": "XC211",
    "penalty averaged again": "XC211",
    "sign(W) for W": "XC212",
    "penalty on biases": "XC213",
    "square gradients transposed": "XC221",
    "rows of W1 swapped": "XC222",
    "W1 rolled by one": "XC222",
    "two tensors of one shape swapped": "XC223",
    "last row of W1 missing": "XC232",
    "one component zero": "XC233",
    "one component + 10 %": "XC233",
    "one component + 1 %": "XC233",
    "one component + 1e-4": "XC233",
    "one component + 1e-6": "XC233",
    "one bias zero": "XC233",
    "one unit's weights sign-flipped": "XC234",
    "first layer detached": "XC231",
    "all but the last layer detached": "XC231",
    "1/keep_prob missing in backward": "XC205",
    "accumulated over two calls": "XC201",
    "rounded to bfloat16": "XC251",
    "rounded to float16": "XC251",
    "rounded to TF32": "XC251",
    "clipped": "XC252",
    "underflow": "XC253 XC233",
}


NEEDS: dict[str, dict[str, Any]] = {
    "square gradients transposed": {"square": True},
    "two tensors of one shape swapped": {"square": True, "depth": 3},
    "1/keep_prob missing in backward": {"keep": 0.6},
}


def reported(name: str) -> Plant:
    """Plant a fault of `xcheck.testing`."""
    fault = next(fault for fault in FAULTS if fault.name == name)

    def plant(problem: Problem) -> Vector | None:
        right = NetworkObjective(problem, "float64").loss_and_gradient(problem.theta)[1]
        return fault.plant(problem, right) if fault.touched(problem, right) else None

    return plant


# --- on the way -----------------------------------------------------------------------------------------------------


def with_slope(derivative: Callable[[Array, Array], Array]) -> Plant:
    """Put another g' in the place of that of the first layer's activation, wherever that is used."""

    def plant(problem: Problem) -> Vector | None:
        name = problem.network.layers[0].activation
        activations = {**ACTIVATIONS, name: Activation(ACTIVATIONS[name].value, derivative)}
        return NetworkObjective(problem, "float64", activations=activations).loss_and_gradient(problem.theta)[1]

    return plant


def of_the_activation(problem: Problem) -> Vector | None:
    """g' of a, where it belongs of z."""
    right = ACTIVATIONS[problem.network.layers[0].activation].derivative
    return with_slope(lambda z, a: right(a, ACTIVATIONS[problem.network.layers[0].activation].value(a)))(problem)


def rolled(axis: int) -> Plant:
    """g' of the neighbour."""

    def plant(problem: Problem) -> Vector | None:
        right = ACTIVATIONS[problem.network.layers[0].activation].derivative
        return with_slope(lambda z, a: np.roll(right(z, a), 1, axis=axis))(problem)

    return plant


def with_loss_slope(derivative: Callable[[Array, Array], Array]) -> Plant:
    """Put another ∂L/∂z in the place of that of the loss."""

    def plant(problem: Problem) -> Vector | None:
        name = problem.network.loss
        losses = {**LOSSES, name: Loss(LOSSES[name].value, derivative)}
        return NetworkObjective(problem, "float64", losses=losses).loss_and_gradient(problem.theta)[1]

    return plant


def with_methods(**methods: Callable[..., Array]) -> Plant:
    """Put other methods in the place of those of the backward pass."""
    spoiled = type("Spoiled", (NetworkObjective,), methods)

    def plant(problem: Problem) -> Vector | None:
        gradient: Vector = spoiled(problem, "float64").loss_and_gradient(problem.theta)[1]
        return gradient

    return plant


def softmax(z: Array) -> Array:
    """Probabilities."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def divided_twice(problem: Problem) -> Vector | None:
    """The mean over the examples in the loss's slope, and again in the sums."""
    right = LOSSES[problem.network.loss].derivative
    return with_loss_slope(lambda z, y: right(z, y) / problem.examples)(problem)


def unscaled(self: NetworkObjective, upstream: Array, number: int) -> Array:
    """The mask without its 1/keep_prob."""
    mask = self.problem.masks[number]
    return upstream if mask is None else upstream * mask


def redrawn(self: NetworkObjective, upstream: Array, number: int) -> Array:
    """Another mask."""
    keep = self.network.keep_probs[number]
    return upstream * (np.random.default_rng(99).random(upstream.shape) < keep) / keep


def over_units(self: NetworkObjective, delta: Array) -> Array:
    """The sum over the other axis; what does not fit is cut off, or repeated."""
    return np.resize(delta.sum(axis=1) / self.examples, delta.shape[1])


def partly_detached(self: NetworkObjective, delta: Array, W: Array) -> Array:
    """Nothing for a third of the units."""
    below = delta @ W
    below[:, : max(1, below.shape[1] // 3)] = 0
    return np.asarray(below)


def transposed_if_square(self: NetworkObjective, delta: Array, W: Array) -> Array:
    """The transposed matrix where that fits."""
    return delta @ (W.T if W.shape[0] == W.shape[1] else W)


def narrow(bits: int) -> Callable[[Array], Array]:
    """Round to so many bits."""

    def rounded(values: Array) -> Array:
        _, exponent = np.frexp(values)
        unit = np.ldexp(1.0, exponent - bits)
        return np.asarray(np.round(values / unit) * unit)

    return rounded


def with_narrow_products(bits: int) -> Plant:
    """Both sides of every product of the backward pass are rounded first, as tensor cores do."""
    rounded = narrow(bits)
    return with_methods(
        weight_gradient=lambda self, delta, a: rounded(delta).T @ rounded(a) / self.examples,
        pass_down=lambda self, delta, W: rounded(delta) @ rounded(W),
    )


SOFTMAX, BINARY, SQUARED = (
    {"loss": name} for name in ("softmax_cross_entropy", "binary_cross_entropy", "mean_squared_error")
)

ON_THE_WAY: tuple[Mistake, ...] = tuple(
    Mistake(name, frozenset(codes.split()), plant, needs)
    for name, codes, plant, needs in (
        ("tanh'(a) for tanh'(z)", "XC241", of_the_activation, {"first": "tanh"}),
        ("sigmoid'(a) for sigmoid'(z)", "XC241", of_the_activation, {"first": "sigmoid"}),
        ("sigmoid' as a (1 + a)", "XC241", with_slope(lambda z, a: a * (1 + a)), {"first": "sigmoid"}),
        ("tanh' as 1 + a²", "XC241", with_slope(lambda z, a: 1 + a**2), {"first": "tanh"}),
        ("sigmoid' twice", "XC241", with_slope(lambda z, a: (a * (1 - a)) ** 2), {"first": "sigmoid"}),
        ("no derivative at all", "XC241", with_slope(lambda z, a: np.ones_like(z)), {}),
        ("gelu without z φ(z)", "XC241", with_slope(lambda z, a: a / z), {"first": "gelu"}),
        ("relu' with its threshold at 0.5", "XC241", with_slope(lambda z, a: (z > 0.5) * 1.0), {"first": "relu"}),
        ("leaky_relu' of 0.1", "XC241", with_slope(lambda z, a: np.where(z > 0, 1, 0.1)), {"first": "leaky_relu"}),
        (
            "relu' of 3 exactly at 0",
            "XC246",
            with_slope(lambda z, a: (z > 0) + 3.0 * (z == 0)),
            {"first": "relu", "ties": True},
        ),
        ("g' of the neighbouring unit", "XC243", rolled(1), {}),
        ("g' of the neighbouring example", "XC243", rolled(0), {}),
        ("softmax's diagonal only", "XC242", with_loss_slope(lambda z, y: -y * (1 - softmax(z))), SOFTMAX),
        ("softmax without − y", "XC242", with_loss_slope(lambda z, y: softmax(z)), SOFTMAX),
        ("−y/p, without softmax's Jacobian", "XC242", with_loss_slope(lambda z, y: -y / softmax(z)), SOFTMAX),
        ("softmax's gradient divided twice", "XC203", divided_twice, SOFTMAX),
        ("cross-entropy without (1 − y)", "XC242", with_loss_slope(lambda z, y: -y * (1 - sigmoid(z))), BINARY),
        (
            "cross-entropy with p' twice",
            "XC242",
            with_loss_slope(lambda z, y: (sigmoid(z) - y) * sigmoid(z) * sigmoid(-z)),
            BINARY,
        ),
        ("the ½ of the squared error", "XC204", with_loss_slope(lambda z, y: 2 * (z - y)), SQUARED),
        ("bias gradient of one example", "XC206", with_methods(bias_gradient=lambda s, d: d[0] / s.examples), {}),
        ("bias gradient not averaged", "XC206", with_methods(bias_gradient=lambda s, d: d.sum(axis=0)), {}),
        ("bias gradient summed over the units", "XC239", with_methods(bias_gradient=over_units), {}),
        (
            "bias gradient summed over units and examples",
            "XC239",
            with_methods(bias_gradient=lambda s, d: np.full(d.shape[1], d.sum() / s.examples)),
            {},
        ),
        (
            "last example not counted",
            "XC204",
            with_methods(
                weight_gradient=lambda s, d, a: d[:-1].T @ a[:-1] / s.examples,
                bias_gradient=lambda s, d: d[:-1].sum(axis=0) / s.examples,
            ),
            {},
        ),
        ("mask not applied", "XC245", with_methods(drop_backward=lambda s, u, n: u), {"keep": 0.6}),
        ("1/keep_prob missing", "XC205", with_methods(drop_backward=unscaled), {"keep": 0.6}),
        ("mask drawn anew", "XC245", with_methods(drop_backward=redrawn), {"keep": 0.6, "examples": 4}),
        ("δ Wᵀ on square layers", "XC224", with_methods(pass_down=transposed_if_square), {"square": True, "depth": 2}),
        ("a branch detached", "XC244", with_methods(pass_down=partly_detached), {}),
        ("bfloat16 products", "XC251", with_narrow_products(8), {}),
        ("TF32 products", "XC251", with_narrow_products(11), {}),
        ("float32 products", "XC251", with_narrow_products(24), {}),
    )
)

MISTAKES: tuple[Mistake, ...] = (
    *(Mistake(name, frozenset(codes.split()), reported(name), NEEDS.get(name, {})) for name, codes in REPORTED.items()),
    *ON_THE_WAY,
)
