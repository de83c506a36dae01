"""Modes: torch computes with gradients and without autocast, whatever the caller has switched on or off."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def own_modes(device: torch.device) -> Iterator[None]:
    """Switch gradients on and autocast off while the body runs; afterwards the caller's modes are back."""
    # Inference mode first: inside it gradients cannot be switched on.
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device.type, enabled=False):
        yield
