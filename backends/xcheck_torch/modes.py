"""Modes: torch computes with gradients and without autocast, whatever the caller has switched on or off.

The mode of a module, training or evaluation, stays as it is; what depends on it is told.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

# Numbers that torch gives to one thread at least: GRAIN_SIZE in aten/src/ATen/TensorIterator.h.
_GRAIN = 32768


@contextmanager
def own_modes(device: torch.device) -> Iterator[None]:
    """Switch gradients on and autocast off while the body runs; afterwards the caller's modes are back."""
    if torch.is_grad_enabled() and not torch.is_inference_mode_enabled() and not torch.is_autocast_enabled(device.type):
        # The usual case, tens of times in a check. Only what the body itself leaves behind is to be put right.
        try:
            yield
        finally:
            torch.set_grad_enabled(True)
            torch.set_autocast_enabled(device.type, False)
        return
    # Inference mode first: inside it gradients cannot be switched on.
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device.type, enabled=False):
        yield


@contextmanager
def few_threads(numbers: int) -> Iterator[None]:
    """Compute with one thread while the body runs, if its operations are on no more numbers than torch gives to one.

    Elementwise operations are not shared out below that size; products of batches are, however small they are, and to
    wake the other threads then takes longer than the products.
    """
    threads = torch.get_num_threads()
    if numbers > _GRAIN or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def eager() -> Iterator[None]:
    """Let torch call its operations one by one while the body runs; afterwards all is as it was, random numbers too."""
    fast = torch.backends.mha.get_fastpath_enabled()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices))
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        # Compiled code hides what it does. To import the compiler takes seconds: only where that was done already.
        if "torch._dynamo" in sys.modules:
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


def training_cautions(module: torch.nn.Module) -> list[str]:
    """Name the layers of a module in training mode that are random, or depend on the whole batch."""
    cautions = []
    for name, part in module.named_modules():
        kind = f"{name or 'the module'} ({type(part).__name__}"
        if not part.training:
            continue
        if isinstance(part, _DropoutNd) and part.p > 0:
            cautions.append(f"{kind}, p = {part.p:g}) draws anew in each call; module.eval() switches it off")
        elif isinstance(part, _NormBase) and part.track_running_stats:
            cautions.append(f"{kind}) uses the statistics of this batch; its running ones are left as they are")
    return cautions
