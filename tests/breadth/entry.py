"""An entry of the catalogue: an ordinary function, and how to draw its parameters and its data.

Every array is float64 or int64. The losses of JAX want `jax.enable_x64(True)` around each call, or they are computed
in float32.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Framework = Literal["numpy", "torch", "jax"]
Array = np.ndarray[Any, Any]
Params = dict[str, Any]
Draw = Callable[[np.random.Generator], Array]
Loss = Callable[..., Any]
Make = Callable[[np.random.Generator], tuple[Params, tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """An ordinary function to be checked.

    Attributes:
        name: unique in the catalogue.
        framework: whose arrays it takes.
        loss: `loss(params, *data)`, a scalar unless `array_valued`.
        make: draws `(params, data)`; the same generator gives the same numbers.
        gradient: `gradient(params, *data)`, written by hand, one array for each parameter; None where autodiff has it.
        array_valued: whether the loss returns an array.
        single_inside: whether the framework computes a part of it in float32, although all arrays are float64.
    """

    name: str
    framework: Framework
    loss: Loss
    make: Make
    gradient: Loss | None = None
    array_valued: bool = False
    single_inside: bool = False


def normal(*shape: int, scale: float = 1.0) -> Draw:
    """N(0, scale²)."""
    return lambda rng: scale * rng.standard_normal(shape)


def uniform(low: float, high: float, *shape: int) -> Draw:
    """Uniform between `low` and `high`."""
    return lambda rng: rng.uniform(low, high, shape)


def integers(high: int, *shape: int) -> Draw:
    """0, …, high − 1."""
    return lambda rng: rng.integers(0, high, shape)


def signs(*shape: int) -> Draw:
    """−1.0 or 1.0."""
    return lambda rng: rng.choice(np.array([-1.0, 1.0]), shape)


def one_hot(rows: int, classes: int) -> Draw:
    """One 1.0 in each row."""
    return lambda rng: np.eye(classes)[rng.integers(0, classes, rows)]


def square(n: int) -> Draw:
    """A matrix without symmetry, far from singular: 3 I + N(0, 0.5²)."""
    return lambda rng: 3.0 * np.eye(n) + 0.5 * rng.standard_normal((n, n))


def constant(*values: int) -> Draw:
    """Given integers."""
    return lambda rng: np.array(values)


def arrays_of(framework: Framework) -> Callable[[Array], Any]:
    """Return what makes an array of the framework from one of NumPy."""
    if framework == "numpy":
        return lambda array: array
    if framework == "torch":
        import torch

        return torch.from_numpy
    import jax.numpy as jnp

    def convert(array: Array) -> Any:
        with precision_of("jax"):
            return jnp.asarray(array)

    return convert


def precision_of(framework: Framework) -> AbstractContextManager[Any]:
    """Return the context in which the framework computes in float64."""
    if framework != "jax":
        return nullcontext()
    import jax

    return jax.enable_x64(True)


class Collection:
    """The entries of one module, collected by decorators."""

    def __init__(self, framework: Framework) -> None:
        self.framework = framework
        self.entries: list[Entry] = []

    def add(
        self, params: Mapping[str, Draw], *data: Draw, array_valued: bool = False, single_inside: bool = False
    ) -> Callable[[Loss], Loss]:
        """Decorate a loss: its name is the entry's."""

        def register(loss: Loss) -> Loss:
            self.put(loss.__name__, loss, params, *data, array_valued=array_valued, single_inside=single_inside)
            return loss

        return register

    def gradient_of(self, loss: Loss, params: Mapping[str, Draw], *data: Draw) -> Callable[[Loss], Loss]:
        """Decorate a gradient written by hand: the loss's name is the entry's."""

        def register(gradient: Loss) -> Loss:
            self.put(loss.__name__, loss, params, *data, gradient=gradient)
            return gradient

        return register

    def put(
        self,
        name: str,
        loss: Loss,
        params: Mapping[str, Draw],
        *data: Draw,
        gradient: Loss | None = None,
        array_valued: bool = False,
        single_inside: bool = False,
    ) -> None:
        """Add an entry; its name is preceded by the framework's."""

        def make(rng: np.random.Generator) -> tuple[Params, tuple[Any, ...]]:
            convert = arrays_of(self.framework)
            drawn = {key: convert(np.asarray(draw(rng))) for key, draw in params.items()}
            return drawn, tuple(convert(np.asarray(draw(rng))) for draw in data)

        full_name = f"{self.framework}.{name}"
        self.entries.append(Entry(full_name, self.framework, loss, make, gradient, array_valued, single_inside))
