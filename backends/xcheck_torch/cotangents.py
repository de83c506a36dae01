"""Cotangents of another kind for a person's own backward passes: torch.autograd.Function inside a loss.

What arrives as `grad_output` depends on what comes after the function: contiguous after an elementwise product, of
stride 0 after a sum, transposed after a matrix product, None for an output that is not used. A hook before each such
backward pass exchanges what arrives for numbers of ours, laid out in one way and in another; the gradient must be the
same. They are ours because what arrives may be too plain to tell: a unit vector looks the same in many orders.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from xcheck.backend.cotangents import CotangentFault
from xcheck.errors import quote
from xcheck.functions.arguments import Numbers
from xcheck_torch.graph import nodes_below

Cotangents: TypeAlias = Sequence[Tensor | None]
Arrange: TypeAlias = Callable[[Cotangents], Cotangents]
Gradient: TypeAlias = Mapping[str, Numbers | None]
# Returns the gradient when every cotangent of these backward passes is arranged anew; all of them by default.
Differentiate: TypeAlias = Callable[[Arrange, Sequence[str] | None], Gradient]

# What cotangents are like that lie in memory in other ways.
_GAPS, _TURNED = "has gaps in memory", "has its axes in another order in memory"
# Two gradients are the same if they differ by less than this share of the largest number. A guess: another layout adds
# in another order, maybe in float32 (1e-7 each), and a mistake about memory mixes up numbers.
_SAME = 1e-4
# In narrow dtypes, so many roundings.
_ROUNDINGS = 2.0**6
# What cancels, as all of a mean that is subtracted from equal numbers, leaves rounding of other parts, where nothing is
# the same: so many roundings of the largest number of the gradient, as everywhere.
_NOISE = 2.0**10


def own_backward_passes(value: Tensor) -> list[Any]:
    """Return the nodes of the graph below a tensor that are a person's own backward passes, not those of torch."""
    own = (node for node in nodes_below(value) if isinstance(node, BackwardCFunction))
    return [node for node in own if not _forward_of(node).__module__.startswith("torch.")]


def name_of(node: Any) -> str:
    """Return how a person calls a backward pass: by its torch.autograd.Function."""
    return str(_forward_of(node).__name__)


def _forward_of(node: Any) -> type:
    forward: type = node._forward_cls  # noqa: SLF001 - torch has no other way from a node to its Function
    return forward


def intercept(value: Tensor, arrange: Arrange, names: Sequence[str] | None) -> None:
    """Arrange what arrives at a person's own backward passes below a tensor: those of these names, or all."""
    for node in own_backward_passes(value):
        if names is None or name_of(node) in names:
            node.register_prehook(lambda arriving: tuple(arrange(arriving)))


def find_faults(differentiate: Differentiate, names: Sequence[str], roundoff: float) -> list[CotangentFault]:
    """Return one fault of each backward pass that is not up to every kind of cotangent.

    Args:
        differentiate: see above.
        names: of the backward passes.
        roundoff: the coarsest unit roundoff among the parameters.
    """
    # All at once first: where nothing is wrong, that is all.
    if _first_fault(differentiate, None, roundoff) is None:
        return []
    each = [(name, _first_fault(differentiate, [name], roundoff)) for name in names]
    return [CotangentFault(fault[0], name, fault[1]) for name, fault in each if fault is not None]


def _first_fault(differentiate: Differentiate, names: Sequence[str] | None, roundoff: float) -> tuple[Any, str] | None:
    watched = _Watched()
    plain = _try(differentiate, watched.arrange, names)
    if watched.written:
        return "writes", ""
    outputs = range(watched.outputs)
    zeros = [
        (_without(place, torch.zeros_like), _without(place, lambda _: None)) for place in outputs if len(outputs) > 1
    ]
    trials: list[tuple[str, Any, Arrange]] = [
        (_GAPS, plain, _each(lambda one: _with_gaps(_numbers(one)))),
        (_TURNED, plain, _each(lambda one: _transposed(_numbers(one)))),
        ("is one number, expanded", _each(_ones), _each(_expanded_ones)),
        *(("is None, of an output that is not used", whole, without) for whole, without in zeros),
    ]
    for text, expected, arrange in trials:
        reference = _try(differentiate, expected, names) if callable(expected) else expected
        found = _try(differentiate, arrange, names)
        if isinstance(reference, str):
            continue  # it fails whatever the memory is like: at these numbers it need not work
        if isinstance(found, str):
            return "fails", f"{text}: {found}"
        noise = _NOISE * roundoff * max(map(_largest, (plain, reference)))
        if not _same(reference, found, max(_SAME, _ROUNDINGS * roundoff), noise):
            return "wrong", text
    return None


def arrangements_of(one: Tensor) -> list[tuple[str, Tensor]]:
    """Return one cotangent as it may lie in memory as well, and what each is like."""
    return [(_GAPS, _with_gaps(one)), (_TURNED, _transposed(one))] if one.ndim else []


def _try(differentiate: Differentiate, arrange: Arrange, names: Sequence[str] | None) -> Gradient | str:
    """Return the gradient, or the words of what was raised."""
    try:
        return differentiate(arrange, names)
    except Exception as error:  # noqa: BLE001 - a person's backward pass may raise anything
        return quote(error)


def _largest(gradient: Gradient | str) -> float:
    """Return the largest number of a gradient; 0 where there is none."""
    if isinstance(gradient, str):
        return 0.0
    parts = [np.abs(np.asarray(part)) for part in gradient.values() if part is not None]
    return max((float(part.max(initial=0.0)) for part in parts if np.isfinite(part).all()), default=0.0)


def _same(a: Gradient, b: Gradient, close: float, noise: float) -> bool:
    """Return whether two gradients are close: relative to each tensor, and what cancels to rounding to that."""
    for name, part in a.items():
        mine, theirs = np.asarray(0.0 if part is None else part), b[name]
        apart = np.abs(mine - np.asarray(0.0 if theirs is None else theirs))
        # What is not finite in both is no difference.
        if (apart > close * np.abs(mine).max(initial=0.0) + noise).any():
            return False
    return True


# --- arrangements of what arrives -----------------------------------------------------------------------------------


class _Watched:
    """Contiguous numbers in place of what arrives, which notice that they are written into.

    Attributes:
        outputs: the largest number of outputs of a backward pass.
    """

    def __init__(self) -> None:
        self.outputs = 0
        self._given: list[tuple[Tensor, Tensor]] = []

    def arrange(self, arriving: Cotangents) -> Cotangents:
        """Return the numbers."""
        self.outputs = max(self.outputs, len(arriving))
        copies = [None if one is None else _numbers(one) for one in arriving]
        self._given += [(copy, copy.clone()) for copy in copies if copy is not None]
        return copies

    @property
    def written(self) -> bool:
        """Whether a copy is not what it was."""
        return any(not torch.equal(torch.nan_to_num(now), torch.nan_to_num(was)) for now, was in self._given)


def _each(arrange: Callable[[Tensor], Tensor]) -> Arrange:
    return lambda arriving: [None if one is None else arrange(one) for one in arriving]


def _numbers(one: Tensor) -> Tensor:
    """Return contiguous numbers that are all different, in place of one cotangent."""
    count = torch.arange(1, one.numel() + 1, dtype=torch.float64, device=one.device)
    return torch.sin(count).to(one.dtype).reshape(one.shape)


def _with_gaps(one: Tensor) -> Tensor:
    """Return the same numbers, every second one of their memory."""
    if not one.ndim:
        return one
    return one.new_zeros((*one.shape[:-1], 2 * one.shape[-1]))[..., ::2].copy_(one)


def _transposed(one: Tensor) -> Tensor:
    """Return the same numbers, in memory in the order of the transposed array."""
    backwards = tuple(reversed(range(one.ndim)))
    return one.permute(backwards).clone(memory_format=torch.contiguous_format).permute(backwards)


def _ones(one: Tensor) -> Tensor:
    return torch.ones_like(one, memory_format=torch.contiguous_format)


def _expanded_ones(one: Tensor) -> Tensor:
    """Return ones that are one number in memory, as the backward pass of a sum makes them."""
    return one.new_ones(()).expand(one.shape)


def _without(place: int, exchange: Callable[[Tensor], Tensor | None]) -> Arrange:
    """Exchange one cotangent of several, if another is there: of an output that is not used at all nothing is asked."""

    def arrange(arriving: Cotangents) -> Cotangents:
        others = [one for number, one in enumerate(arriving) if number != place and one is not None]
        given = arriving[place] if place < len(arriving) else None
        if given is None or not others:
            return arriving
        return [exchange(given) if number == place else one for number, one in enumerate(arriving)]

    return arrange
