"""Modes: torch computes with gradients and without autocast, whatever the caller has switched on or off."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
