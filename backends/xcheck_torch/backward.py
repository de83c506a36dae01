"""The backward pass of a loss in torch, call by call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xcheck.backend.cotangents import WEIGHT
from xcheck.errors import quote
from xcheck.trace import BackwardPass, Call, Place, Read, UntraceableError, Written
from xcheck.trace.model import Array
from xcheck_torch.embeddings import UndoneOptions
from xcheck_torch.hooks import Hook, place_of_hook
from xcheck_torch.modes import eager, few_threads
from xcheck_torch.names import opened
from xcheck_torch.noted import Noted
from xcheck_torch.recorded import floating_outputs
from xcheck_torch.recorder import Recorder


class TorchBackwardPass(BackwardPass):
    """The calls of torch that a loss makes, with their cotangents."""

    def __init__(self, recorder: Recorder, place: Place | None = None) -> None:
        """Keep what was recorded; `place` is that of calls which torch makes by itself."""
        self._noted = tuple(recorder.noted)
        self.calls = tuple(_call_of(noted, recorder, place) for noted in self._noted)

    def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
        """Return what a call writes where it reads other arrays."""
        noted = self._noted[number]
        if not noted.is_repeatable:
            raise UntraceableError(f"{self.calls[number]} has no differences that say anything")
        with few_threads(sum(array.size for array in inputs)):
            outputs = noted.recorded.run([places for places, _ in noted.reads], _tensors_like(noted, inputs))
            return [_to_array(tensor) for tensor in outputs]

    def inside(self, number: int) -> BackwardPass | None:
        """Return the calls that a function of torch makes which is written in Python; None where there is one alone."""
        noted, call = self._noted[number], self.calls[number]
        recorded, body = noted.recorded, opened(noted.recorded.function)
        if body is None or recorded.written or not noted.is_repeatable:
            return None
        inputs = [tensor.requires_grad_() for tensor in _tensors_like(noted, [read.array for read in call.reads])]
        given = recorded.put([places for places, _ in noted.reads], inputs)
        recorder = Recorder(inputs)
        within = replace(recorded, function=body)
        try:
            with eager(), torch.enable_grad():
                found = recorder.record(lambda: within.call_again(given))
                outputs = floating_outputs(found, [])
                _pull_back(outputs, [one.cotangent for one in call.writes], recorder, inputs)
        except Exception:  # noqa: BLE001 - what cannot be opened stays closed
            return None
        return TorchBackwardPass(recorder, call.place) if len(recorder.noted) > 1 else None


def show_backward_pass(
    call: Callable[[], Any],
    to_scalar: Callable[[Tensor], Tensor],
    tensors: Mapping[str, Tensor],
    hooks: Mapping[str, Sequence[Hook]],
) -> TorchBackwardPass:
    """Return what the backward pass of a loss does.

    Args:
        call: computes the loss, once.
        to_scalar: makes one number of it, whose gradient is meant.
        tensors: the parameters, which ask for gradients.
        hooks: that people have put on the gradients of parameters, by name.

    Raises:
        UntraceableError: the loss does what cannot be followed.
    """
    recorder = Recorder(list(tensors.values()))
    options = UndoneOptions(tensors)
    for name, own in hooks.items():
        for hook in own:
            recorder.add_hook(tensors[name], hook, place_of_hook(hook))
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
    if scalar.requires_grad:
        options.undo_below(scalar)
        _pull_back([scalar], [np.ones(scalar.shape)], recorder, tensors)


def _pull_back(
    outputs: Sequence[Tensor], cotangents: Sequence[Array], recorder: Recorder, tensors: Sequence[Tensor]
) -> None:
    """Let autograd hand cotangents down to all taps."""
    known = [(one, cotangent) for one, cotangent in zip(outputs, cotangents, strict=True) if one.requires_grad]
    weights = [WEIGHT * torch.as_tensor(cotangent).to(one) for one, cotangent in known]
    inputs = list({id(tensor): tensor for tensor in (*tensors, *recorder.graph.leaves)}.values())
    torch.autograd.grad([one for one, _ in known], inputs, weights, allow_unused=True)


def _tensors_like(noted: Noted, arrays: Sequence[Array]) -> list[Tensor]:
    """Return arrays as tensors that lie in memory like what a call has read."""
    copies = [noted.recorded.leaves[places[0]] for places, _ in noted.reads]
    return [torch.empty_like(copy).copy_(torch.tensor(array)) for copy, array in zip(copies, arrays, strict=True)]


def _call_of(noted: Noted, recorder: Recorder, place: Place | None) -> Call:
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
    return Call(
        name=noted.name, rule=noted.rule, place=noted.place or place, reads=reads, writes=writes, note=noted.note
    )


def _names(noted: Noted) -> list[str]:
    """Return the names of what a call reads; an empty one where that is one array alone."""
    if len(noted.reads) == 1:
        return [""]
    return [noted.recorded.name_of(places[0]) for places, _ in noted.reads]


def _to_array(tensor: Tensor) -> Array:
    found: Array = tensor.detach().to(torch.float64).cpu().numpy()
    return found
