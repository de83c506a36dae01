"""Arrays of NumPy as tensors, and back: bfloat16, which NumPy does not know, stands in float32."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from xcheck.trace.model import Array, Constant, Source


def torch_dtype(name: str) -> Any:
    """Return torch's dtype of a name."""
    return getattr(torch, name)


def is_floating(dtype: str) -> bool:
    """Return whether a dtype holds real numbers in floating point."""
    return dtype.startswith(("float", "bfloat"))


def is_complex(dtype: str) -> bool:
    """Return whether a dtype holds complex numbers."""
    return dtype.startswith("complex")


def is_inexact(dtype: str) -> bool:
    """Return whether a dtype holds real or complex numbers in floating point."""
    return is_floating(dtype) or is_complex(dtype)


def name_of(dtype: Any) -> str:
    """Return the name of torch's dtype."""
    return str(dtype).removeprefix("torch.")


def to_array(tensor: Tensor) -> Array:
    """Return a copy as an array of NumPy."""
    if tensor._is_zerotensor():  # noqa: SLF001 - what autograd stands in for zeros has no public name
        tensor = torch.zeros_like(tensor)
    plain = tensor.detach().resolve_conj().resolve_neg().cpu()
    return np.array((plain.float() if plain.dtype is torch.bfloat16 else plain).numpy())


def to_tensor(array: Any, dtype: str) -> Tensor:
    """Return a copy as a tensor of a floating dtype; numbers that are none, as those of elements, stay as they are."""
    tensor = torch.as_tensor(np.array(array, order="C"))
    return tensor.to(torch_dtype(dtype)) if tensor.is_floating_point() and is_floating(dtype) else tensor


def number(value: Any, dtype: str) -> Array:
    """Return a number of the program as the kernels of a dtype read it, shape ()."""
    return to_array(torch.tensor(value, dtype=torch_dtype(dtype)))


def dtype_of(source: Source) -> str:
    """Return the name of the dtype of what an operation reads."""
    return str(source.array.dtype) if isinstance(source, Constant) else source.dtype


def shape_of(source: Source) -> tuple[int, ...]:
    """Return the shape of what an operation reads."""
    return tuple(source.array.shape) if isinstance(source, Constant) else source.shape
