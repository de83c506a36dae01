"""Losses at many θ at once, by torch.func.vmap.

torch has no batching rule for its LSTM, GRU and RNN, but says what they are made of: where vmap fails, they are
computed step by step from operations that can be batched. Thousands of small networks take a third of the time that
they take one after the other. The oracle alone evaluates so, and holds the first losses against calls of the layer.
"""

import warnings
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._decomp import get_decompositions
from torch.overrides import TorchFunctionMode

from xcheck.layout import Vector


class LossMap:
    """Evaluates losses by vmap, and remembers whether recurrent layers must be taken apart for that."""

    def __init__(self) -> None:
        self._unrolls = False

    def __call__(
        self, loss: Callable[[dict[str, Tensor]], Tensor], given: Mapping[str, Tensor], varied: Collection[str]
    ) -> Vector:
        """Return the losses, shape (k,).

        Args:
            loss: of the parameters by name, one number.
            given: the parameters; those that differ have an axis of length k more, in front.
            varied: names of those that differ.

        Raises:
            Exception: whatever vmap raises.
        """
        try:
            return self._map(loss, given, varied)
        except RuntimeError:
            if self._unrolls:
                raise
            self._unrolls = True
        return self._map(loss, given, varied)

    def _map(
        self, loss: Callable[[dict[str, Tensor]], Tensor], given: Mapping[str, Tensor], varied: Collection[str]
    ) -> Vector:
        # By position: what is in a dict, and what is the same in all rows, takes vmap longer than a small function.
        names = [name for name in given if name in varied]

        def at_rows(*rows: Tensor) -> Tensor:
            return loss({**given, **dict(zip(names, rows, strict=True))})

        with warnings.catch_warnings(), _Unrolled() if self._unrolls else nullcontext():
            # What vmap warns of (a performance drop, a buffer resized) is its own business, not the person's.
            warnings.simplefilter("ignore", UserWarning)
            mapped = torch.func.vmap(at_rows, randomness="error")(*(given[name] for name in names))
        losses: Vector = mapped.to(device="cpu", dtype=torch.float64).numpy()
        return losses


@cache
def _decompositions() -> Mapping[str, Callable[..., Any]]:
    """Return by name what the recurrent operations on whole sequences are made of."""
    aten = torch.ops.aten
    made = get_decompositions([aten.lstm.input, aten.gru.input, aten.rnn_tanh.input, aten.rnn_relu.input])
    return {str(operation).split(".")[1]: function for operation, function in made.items()}


class _Unrolled(TorchFunctionMode):  # type: ignore[misc] # torch is not analysed
    """While it is on, recurrent operations on whole sequences are computed step by step."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        made = _decompositions().get(getattr(function, "__name__", ""))
        # Of packed sequences, whose weights come fourth, the operation is another one.
        if made is not None and len(args) > 2 and isinstance(args[2], list | tuple):
            return made(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))
