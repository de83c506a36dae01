"""Taps: what flows through autograd's graph at chosen places, without changing the program that made the graph.

What an operation reads is handed to it as an alias of itself: a view, so that memory is shared and what is written into
it is written into the original. A hook on the alias sees the cotangent of this use alone. What an operation writes into
is passed before through an identity in place.

What a program has cut off with `detach` has no graph. So that what goes on behind the cut can be judged, too, it is
computed once more beside the program, from copies that ask for gradients.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xcheck.trace.model import Array


class Cotangents:
    """Takes what arrives at tensors when the loss is differentiated."""

    def __init__(self) -> None:
        self._arrived: dict[int, Tensor] = {}
        self._count = 0

    def new_key(self) -> int:
        """Return a number that nothing has yet."""
        self._count += 1
        return self._count

    def put(self, key: int, cotangent: Tensor | None) -> None:
        """Note what has arrived."""
        if cotangent is not None:
            dense = cotangent if cotangent.layout is torch.strided else cotangent.to_dense()
            self._arrived[key] = dense.detach().to(torch.float64, copy=True)

    def watch(self, tensor: Tensor, key: int | None = None) -> int:
        """Note what will arrive at a tensor that asks for a gradient; return its key."""
        found = self.new_key() if key is None else key
        tensor.register_hook(lambda cotangent: self.put(found, cotangent))
        return found

    def read(self, key: int | None, shape: tuple[int, ...], weight: float) -> Array:
        """Return what has arrived, over a weight; zeros where nothing has."""
        found = None if key is None else self._arrived.get(key)
        if found is None:
            return np.zeros(shape)
        array: Array = found.cpu().numpy().reshape(shape) / weight
        return array


class Identity(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """An identity in place, which notes the cotangent that passes through it.

    Where the tensor has no graph, but a copy beside the program has, the cotangent goes to the copy.
    """

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, beside: Tensor | None, note: Callable[[Tensor], None]) -> Tensor:
        """Return the tensor."""
        ctx.mark_dirty(tensor)
        ctx.note, ctx.is_beside = note, beside is not None
        return tensor

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        """Hand on what arrives."""
        ctx.note(cotangents[0])
        return (None, cotangents[0], None) if ctx.is_beside else (cotangents[0], None, None)


class Graph:
    """The graph of a program, with taps, and what is computed beside it.

    Attributes:
        cotangents: what arrives at the taps.
        leaves: where graphs beside the program, and the program's own behind a cut, begin.
    """

    def __init__(self) -> None:
        self.cotangents = Cotangents()
        self.leaves: list[Tensor] = []
        # By the number that a tensor has in Python: itself, so that no other gets the number, and its copy.
        self._beside: dict[int, tuple[Tensor, Tensor]] = {}
        # In the same way: the key of what arrives at what an operation has returned.
        self._keys: dict[int, tuple[Tensor, int]] = {}

    def beside(self, tensor: Tensor) -> Tensor:
        """Return a tensor of the same numbers that asks for a gradient."""
        known = self._beside.get(id(tensor))
        # In the meantime something may have been written into it, or into what it is a view of.
        if known is not None and known[1].shape == tensor.shape and torch.equal(known[1], tensor):
            return known[1]
        return self.begin_beside(tensor)

    def begin_beside(self, tensor: Tensor) -> Tensor:
        """Begin a graph at a tensor that has none, and return the copy that it begins with."""
        with torch.inference_mode(False):
            copy = tensor.detach().clone().requires_grad_()
        self.leaves.append(copy)
        self.put_beside(tensor, copy)
        return copy

    def put_beside(self, tensor: Tensor, copy: Tensor) -> None:
        """Note which tensor beside the program has the numbers of one that has no graph."""
        self._beside[id(tensor)] = (tensor, copy)

    def tap_use(self, tensor: Tensor) -> tuple[Tensor, int]:
        """Return what is to be handed to an operation in place of a tensor, and the key of what arrives there."""
        # Behind a cut a program may ask for a gradient anew, and yet the cut is to be seen.
        if not tensor.requires_grad or (tensor.is_leaf and id(tensor) in self._beside):
            return self.tap_beside(tensor)
        if tensor.is_leaf:
            self.leaves.append(tensor)
        alias = torch.ops.aten.alias(tensor)
        return alias, self.cotangents.watch(alias)

    def tap_beside(self, tensor: Tensor) -> tuple[Tensor, int]:
        """Return the same, in memory of its own."""
        alias = torch.ops.aten.alias(self.beside(tensor))
        # The program may write into its tensor later, which is not to matter here.
        return alias.clone(), self.cotangents.watch(alias)

    def tap_before_writing(self, tensor: Tensor) -> int | None:
        """Return the key of what arrives at a tensor as it is before it is written into; None where none is known."""
        if tensor.is_inference() or (tensor.is_leaf and tensor.requires_grad):
            return None
        beside = None if tensor.requires_grad else self.beside(tensor)
        return self._pass_through_identity(tensor, beside)

    def tap_output(self, tensor: Tensor, *, is_written: bool = False) -> int:
        """Return the key of what arrives at a tensor that an operation has returned, or written into."""
        if not tensor.requires_grad:
            return self.cotangents.watch(self.begin_beside(tensor))
        # What is written into a view reaches the whole, whose gradient does not come through the view any more.
        if is_written and tensor._is_view():  # noqa: SLF001 - torch's name for it
            # What the operation has saved is still what it was.
            self._keys.pop(id(tensor), None)
            with torch.autograd._unsafe_preserve_version_counter(tensor):  # noqa: SLF001 - it has no public name
                return self._pass_through_identity(tensor, None)
        key = self.cotangents.watch(tensor)
        self._keys[id(tensor)] = (tensor, key)
        return key

    def watch_again(self, tensor: Tensor) -> None:
        """Let what arrives at an operation be what a hook has made of it that is put on its output later."""
        if id(tensor) in self._keys:
            self.cotangents.watch(tensor, self._keys[id(tensor)][1])

    def _pass_through_identity(self, tensor: Tensor, beside: Tensor | None) -> int:
        key = self.cotangents.new_key()
        with torch.enable_grad():
            Identity.apply(tensor, beside, lambda cotangent: self.cotangents.put(key, cotangent))
        return key
