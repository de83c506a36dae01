"""Functions whose checks are timed: five of 2,700 to 5,400 parameters in PyTorch, one of 100 in each framework."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from xcheck.layout import Vector

SEED = 0
SMALL = (7, 8, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What is handed over to a checker."""

    loss: Callable[..., Any]
    params: dict[str, Any]
    data: tuple[Any, ...]
    gradient: Callable[..., Any] | None = None

    @property
    def size(self) -> int:
        """Number of components."""
        return sum(int(np.prod(tensor.shape)) for tensor in self.params.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCase:
    """One function.

    Attributes:
        name: as in rows and on the command line.
        framework: whose arrays it takes.
        shape: what it is made of.
        activation: of its hidden layers.
        examples: m.
        large: whether gradcheck is timed on it, too.
        make: draws it.
    """

    name: str
    framework: Literal["torch", "jax", "numpy"]
    shape: str
    activation: str
    examples: int
    large: bool
    make: Callable[[], Made]


# --- PyTorch, thousands of parameters -------------------------------------------------------------------------------


def residual() -> Made:
    """x + Linear(GELU(Linear(LayerNorm(x)))), six times, and a linear head."""
    from torch import nn

    class Block(nn.Module):  # type: ignore[misc] # torch is not analysed
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.LayerNorm(20), nn.Linear(20, 20), nn.GELU(), nn.Linear(20, 20))

        def forward(self, x: Any) -> Any:
            return x + self.inner(x)

    return of_module(lambda: nn.Sequential(*(Block() for _ in range(6)), nn.Linear(20, 3)), (4, 20), 3)


def transformer() -> Made:
    """A layer of a transformer's encoder, and the mean squared error of its outputs."""
    from torch import nn

    return of_module(lambda: nn.TransformerEncoderLayer(20, 4, 80, 0.0, batch_first=True).eval(), (2, 6, 20), None)


def multilayer() -> Made:
    """A multilayer perceptron."""
    from torch import nn

    return of_module(lambda: nn.Sequential(nn.Linear(60, 64), nn.Tanh(), nn.Linear(64, 16)), (32, 60), 16)


def recurrent() -> Made:
    """The outputs of an LSTM over eight steps, and their mean squared error."""
    from torch import nn

    class Outputs(nn.LSTM):  # type: ignore[misc] # torch is not analysed
        def forward(self, x: Any) -> Any:
            # Without the last states, which are among the outputs.
            return super().forward(x)[0]

    return of_module(lambda: nn.Sequential(Outputs(12, 20, batch_first=True), nn.Linear(20, 12)), (4, 8, 12), None)


def attention() -> Made:
    """Multi-head attention of six tokens to themselves, and the mean squared error of its outputs."""
    from torch import nn

    class ToItself(nn.MultiheadAttention):  # type: ignore[misc] # torch is not analysed
        def forward(self, x: Any) -> Any:
            return super().forward(x, x, x, need_weights=False)[0]

    return of_module(lambda: ToItself(26, 2, batch_first=True), (2, 6, 26), None)


def of_module(build: Callable[[], Any], inputs: tuple[int, ...], classes: int | None) -> Made:
    """Return the loss of a module in float64: cross-entropy, or without classes the squared error."""
    import torch

    rng = np.random.default_rng(SEED)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        module = build().double()

    def loss(params: dict[str, Any], x: Any, targets: Any) -> Any:
        outputs = torch.func.functional_call(module, params, (x,))
        compare = torch.nn.functional.mse_loss if classes is None else torch.nn.functional.cross_entropy
        return compare(outputs, targets)

    params = {name: tensor.detach() for name, tensor in module.named_parameters()}
    x = rng.standard_normal(inputs)
    targets = rng.standard_normal(inputs) if classes is None else rng.integers(0, classes, inputs[0])
    return Made(loss=loss, params=params, data=(torch.from_numpy(x), torch.from_numpy(targets)))


# --- 100 parameters: W₂ tanh(W₁ x + b₁) + b₂, the mean of the squares ----------------------------------------------


def small(framework: str) -> Made:
    """The same function in each framework; NumPy's gradient is written by hand."""
    inputs, units, outputs = SMALL
    rng = np.random.default_rng(SEED)
    shapes = {"W1": (units, inputs), "b1": (units,), "W2": (outputs, units), "b2": (outputs,)}
    params: dict[str, Any] = {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}
    X = rng.standard_normal((16, inputs))
    if framework == "torch":
        import torch

        tensors = {name: torch.from_numpy(array) for name, array in params.items()}
        return Made(loss=lambda p, X: small_loss(p, X, torch.tanh), params=tensors, data=(torch.from_numpy(X),))
    if framework == "jax":
        import jax
        import jax.numpy as jnp

        with jax.enable_x64(True):
            arrays = {name: jnp.asarray(array) for name, array in params.items()}
            return Made(loss=lambda p, X: small_loss(p, X, jnp.tanh), params=arrays, data=(jnp.asarray(X),))
    return Made(loss=lambda p, X: small_loss(p, X, np.tanh), params=params, data=(X,), gradient=small_gradient)


def small_loss(p: dict[str, Any], X: Any, tanh: Callable[[Any], Any]) -> Any:
    """Return mean(Y²)/2, Y = tanh(X W₁ᵀ + b₁) W₂ᵀ + b₂."""
    Y = tanh(X @ p["W1"].T + p["b1"]) @ p["W2"].T + p["b2"]
    return (Y**2).mean() / 2


def small_gradient(p: dict[str, Vector], X: Vector) -> dict[str, Vector]:
    """Return the gradient by backpropagation: δ₂ = Y/(m k), δ₁ = δ₂ W₂ (1 − A²)."""
    A = np.tanh(X @ p["W1"].T + p["b1"])
    Y = A @ p["W2"].T + p["b2"]
    delta2 = Y / Y.size
    delta1 = (delta2 @ p["W2"]) * (1 - A**2)
    return {"W1": delta1.T @ X, "b1": delta1.sum(axis=0), "W2": delta2.T @ A, "b2": delta2.sum(axis=0)}


FUNCTIONS: tuple[FunctionCase, ...] = (
    FunctionCase(
        name="residual",
        framework="torch",
        shape="6 x (LayerNorm, 20-20-20), 3",
        activation="gelu",
        examples=4,
        large=True,
        make=residual,
    ),
    FunctionCase(
        name="transformer",
        framework="torch",
        shape="encoder layer, d 20, 4 heads, 6 tokens",
        activation="relu",
        examples=2,
        large=True,
        make=transformer,
    ),
    FunctionCase(
        name="perceptron",
        framework="torch",
        shape="60-64-16",
        activation="tanh",
        examples=32,
        large=True,
        make=multilayer,
    ),
    FunctionCase(
        name="lstm",
        framework="torch",
        shape="LSTM 12-20, 8 steps, 12",
        activation="tanh",
        examples=4,
        large=True,
        make=recurrent,
    ),
    FunctionCase(
        name="attention",
        framework="torch",
        shape="MultiheadAttention, d 26, 2 heads, 6 tokens",
        activation="softmax",
        examples=2,
        large=True,
        make=attention,
    ),
    *(
        FunctionCase(
            name=f"small-{framework}",
            framework=framework,
            shape=f"{'-'.join(map(str, SMALL))} ({framework})",
            activation="tanh",
            examples=16,
            large=False,
            make=partial(small, framework),
        )
        for framework in ("torch", "jax", "numpy")
    ),
)
