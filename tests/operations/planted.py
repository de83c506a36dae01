"""Mistakes in the backward pass of one operation of a network."""

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.operations.networks import NETWORKS, Network

FRAMEWORKS = ("jax", "torch")


def _masked(first: float, last: float) -> Callable[[Any, Any], Any]:
    """Return a mistake: the first half of the numbers times one factor, the second times another."""

    def change(x: Any, asarray: Any) -> Any:
        size = int(np.prod(x.shape))
        mask = np.where(np.arange(size) < (size + 1) // 2, first, last)
        return x * asarray(mask.reshape(tuple(x.shape)))

    return change


def _one_number(x: Any, asarray: Any) -> Any:
    size = int(np.prod(x.shape))
    return x * asarray(np.where(np.arange(size) == size // 2, 1.001, 1.0).reshape(tuple(x.shape)))


# What becomes of a cotangent x̄, given what makes an array of the framework of one of NumPy.
MISTAKES: Mapping[str, Callable[[Any, Any], Any]] = {
    "x 1.01": lambda x, asarray: x * 1.01,
    "sign": lambda x, asarray: -x,
    "zero": lambda x, asarray: x * 0,
    "its mean missing": lambda x, asarray: x - x.mean(),
    "half of it missing": _masked(1.0, 0.0),
    "half of it x 1 + 1e-6": _masked(1.0, 1 + 1e-6),
    "one number x 1.001": _one_number,
    "transposed": lambda x, asarray: x.swapaxes(-1, -2) if len(x.shape) > 1 and x.shape[-1] == x.shape[-2] else x,
}


@dataclass(frozen=True)
class Plant:
    """A mistake at one site of a network.

    Attributes:
        framework: "jax" or "torch".
        network: its name.
        site: such as "rms_norm_2".
        mistake: name of the mistake.
        which: which of the cotangents it is made in, 0 or -1.
    """

    framework: str
    network: str
    site: str
    mistake: str
    which: int = 0

    @property
    def line(self) -> int:
        """The line of the site."""
        return NETWORKS[self.network].lines[self.site]

    def change(self, down: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the cotangents with the mistake."""
        changed = list(down)
        changed[self.which] = MISTAKES[self.mistake](changed[self.which], _arrays_like(changed[self.which]))
        return tuple(changed)

    def loss(self) -> Callable[..., Any]:
        """Return the loss, parameters and data being given."""
        network, ops = NETWORKS[self.network], Operations(self.framework, self)
        return lambda p, x, y: network.loss(p, x, y, ops)


def _arrays_like(array: Any) -> Callable[[Any], Any]:
    """Return what makes an array of NumPy one of the same framework."""
    if type(array).__module__.startswith("torch"):
        import torch

        return lambda values: torch.as_tensor(values, dtype=array.dtype)
    return lambda values: values.astype(array.dtype)


class Operations:
    """The operations of a framework by site, with a mistake in one of them, or none."""

    def __init__(self, framework: str, plant: Plant | None = None) -> None:
        self._module = importlib.import_module(f"tests.operations.in_{framework}")
        self._plant = plant
        self.loop = self._module.loop

    def __getattr__(self, site: str) -> Any:
        name = re.sub(r"_\d+$", "", site)
        function = self._module.OPERATIONS[name]
        if self._plant is None or site != self._plant.site:
            return function
        return self._module.with_rule(name, function, self._plant.change)


def right_loss(framework: str, network: Network) -> Callable[..., Any]:
    """Return the loss of a network without a mistake."""
    ops = Operations(framework)
    return lambda p, x, y: network.loss(p, x, y, ops)


def plants(framework: str) -> Iterator[Plant]:
    """Yield every site with some mistakes: all of them come equally often, in the first and the last cotangent."""
    count = 0
    for name, network in NETWORKS.items():
        for site in network.lines:
            yield Plant(framework, name, site, list(MISTAKES)[count % len(MISTAKES)], -(count // len(MISTAKES) % 2))
            count += 1
            yield Plant(framework, name, site, list(MISTAKES)[count % len(MISTAKES)], -(count // len(MISTAKES) % 2))
            count += 1
