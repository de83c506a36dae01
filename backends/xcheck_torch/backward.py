"""The backward pass of a loss in torch, call by call."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from xcheck.backend.function_objective import WEIGHT
from xcheck.errors import quote
from xcheck.trace import BackwardPass, Call, Read, UntraceableError, Written
from xcheck.trace.model import Array
from xcheck_torch.embeddings import UndoneOptions
from xcheck_torch.modes import eager
from xcheck_torch.recorder import Noted, Recorder


class TorchBackwardPass(BackwardPass):
    """The calls of torch that a loss makes, with their cotangents."""

    def __init__(self, recorder: Recorder) -> None:
        self._noted = tuple(recorder.noted)
        self.calls = tuple(_call_of(noted, recorder) for noted in self._noted)

    def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
        """Return what a call writes where it reads other arrays."""
        noted = self._noted[number]
        if not noted.is_repeatable:
            raise UntraceableError(f"{self.calls[number]} gives something else when it is called once more")
        given = [
            # They lie in memory like what was read.
            torch.empty_like(noted.recorded.leaves[places[0]]).copy_(torch.tensor(array))
            for (places, _), array in zip(noted.reads, inputs, strict=True)
        ]
        outputs = noted.recorded.run([places for places, _ in noted.reads], given)
        return [_to_array(tensor) for tensor in outputs]


def show_backward_pass(
    call: Callable[[], Any], to_scalar: Callable[[Tensor], Tensor], tensors: Mapping[str, Tensor]
) -> TorchBackwardPass:
    """Return what the backward pass of a loss does.

    Args:
        call: computes the loss, once.
        to_scalar: makes one number of it, whose gradient is meant.
        tensors: the parameters, which ask for gradients.

    Raises:
        UntraceableError: the loss does what cannot be followed.
    """
    recorder = Recorder(list(tensors.values()))
    options = UndoneOptions(tensors)
    try:
        with eager():
            value = recorder.record(call)
            if isinstance(value, Tensor):
                _differentiate(to_scalar(_graph_of(value, recorder)), recorder, options, list(tensors.values()))
    except UntraceableError:
        raise
    except Exception as error:  # the loss and its gradient were computed before: whatever fails now, fails for the taps
        raise UntraceableError(f"its backward pass cannot be looked into: {quote(error)}") from error
    return TorchBackwardPass(recorder)


def _graph_of(value: Tensor, recorder: Recorder) -> Tensor:
    """Return a loss, or the same beside the program where it is cut off."""
    return value if value.requires_grad or not recorder.depends(value) else recorder.graph.beside(value)


def _differentiate(scalar: Tensor, recorder: Recorder, options: UndoneOptions, tensors: Sequence[Tensor]) -> None:
    if scalar.numel() != 1:
        raise UntraceableError("the loss is no single number")
    if not scalar.requires_grad:
        return
    options.undo_below(scalar)
    inputs = list({id(tensor): tensor for tensor in (*tensors, *recorder.graph.leaves)}.values())
    torch.autograd.grad(scalar, inputs, torch.full_like(scalar, WEIGHT), allow_unused=True)


def _call_of(noted: Noted, recorder: Recorder) -> Call:
    cotangents, leaves = recorder.graph.cotangents, noted.recorded.leaves
    names = _names(noted)
    reads = tuple(
        Read(name, _to_array(leaves[places[0]]), cotangents.read(key, tuple(leaves[places[0]].shape), WEIGHT))
        for name, (places, key) in zip(names, noted.reads, strict=True)
    )
    writes = tuple(
        Written(_to_array(plain), cotangents.read(key, tuple(plain.shape), WEIGHT), _to_array(differentiated))
        for plain, differentiated, key in noted.writes
    )
    return Call(name=noted.name, rule=noted.rule, place=noted.place, reads=reads, writes=writes)


def _names(noted: Noted) -> list[str]:
    """Return the names of what a call reads; an empty one where that is one array alone."""
    if len(noted.reads) == 1:
        return [""]
    return [noted.recorded.name_of(places[0]) for places, _ in noted.reads]


def _to_array(tensor: Tensor) -> Array:
    found: Array = tensor.detach().to(torch.float64).cpu().numpy()
    return found
