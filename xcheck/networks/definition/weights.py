"""Weights: θ in a file, as tensors W1, b1, W2, ... of an .npz or .safetensors file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xcheck.errors import Complaint, DefinitionError
from xcheck.layout import Layout, Tensor, Vector
from xcheck.networks.data import load_npz
from xcheck.networks.definition.files import WEIGHTS
from xcheck.text import did_you_mean, quoted, shortened

_KEY = ("network", "weights")
# What safetensors calls the dtypes that NumPy has.
_DTYPES = ("F16", "F32", "F64", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64")


def read_weights(path: Path, layout: Layout) -> Vector:
    """Read the tensors of a file as θ, shape (n,).

    Raises:
        DefinitionError: the file cannot be read, or its tensors are missing, unexpected, misshapen or not finite; all
            of it at once.
    """
    arrays = _load(path)
    texts = [
        *(f"missing: {t.name} of shape {t.shape}" for t in layout if t.name not in arrays),
        *_find_unexpected(arrays, layout),
        *(text for t in layout if t.name in arrays for text in _find_misfits(t, arrays[t.name])),
    ]
    if texts:
        raise DefinitionError(shortened([Complaint(f"{path}: {text}", key=_KEY) for text in texts]))
    return layout.flatten(arrays)


def wrong_suffix(path: Path) -> str | None:
    """Say what is wrong with the suffix of a file that weights are to be written to; None if nothing is."""
    if path.suffix.lower() in WEIGHTS:
        return None
    return f"weights go to {' or '.join(WEIGHTS)}, not {path.name}"


def write_weights(path: Path, layout: Layout, theta: Vector) -> None:
    """Write θ as W1, b1, W2, ... to an .npz or .safetensors file, so that `read_weights` reads the same numbers.

    Raises:
        DefinitionError: the suffix is another one, or the file cannot be written.
    """
    wrong = wrong_suffix(path)
    if wrong is not None:
        raise DefinitionError(Complaint(wrong))
    arrays = {name: np.ascontiguousarray(array) for name, array in layout.unflatten(theta).items()}
    try:
        if path.suffix.lower() == ".npz":
            with path.open("wb") as file:  # NumPy would add a suffix to one in capitals
                np.savez(file, **arrays)  # type: ignore[arg-type] # its stubs take names for options of its own
        else:
            from safetensors.numpy import save

            path.write_bytes(save(arrays))
    except OSError as error:
        raise DefinitionError(Complaint(f"cannot write {path}: {error.strerror or error}")) from error


def _load(path: Path) -> Mapping[str, NDArray[np.generic]]:
    return load_npz(path, _KEY) if path.suffix.lower() == ".npz" else _load_safetensors(path)


def _load_safetensors(path: Path) -> Mapping[str, NDArray[np.generic]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            # Dtypes are looked at before any tensor is read: NumPy has no bfloat16, and safetensors would fail on it.
            names = file.keys()
            dtypes = {name: file.get_slice(name).get_dtype() for name in names}
            foreign = [name for name, dtype in dtypes.items() if dtype not in _DTYPES]
            if not foreign:
                return {name: file.get_tensor(name) for name in dtypes}
    except OSError as error:
        raise DefinitionError(Complaint(f"cannot read {path}: {error.strerror or error}", key=_KEY)) from error
    except SafetensorError as error:
        text = f"{path} cannot be used: {error}; write it again with safetensors"
        raise DefinitionError(Complaint(text, key=_KEY)) from error
    texts = [f"{path}: {name} has dtype {dtypes[name]}; save it as F32 or F64" for name in foreign]
    raise DefinitionError(shortened([Complaint(text, key=_KEY) for text in texts]))


def _find_unexpected(arrays: Mapping[str, object], layout: Layout) -> list[str]:
    names = [tensor.name for tensor in layout]
    return [f"unexpected: {quoted(name)}{did_you_mean(name, names)}" for name in arrays if name not in names]


def _find_misfits(tensor: Tensor, array: NDArray[np.generic]) -> list[str]:
    """Return what is wrong with the array that stands for a tensor, as a list of one text or none."""
    if array.shape != tensor.shape:
        # Some frameworks keep W as (inputs, units): the commonest mistake, and silent where W is square.
        turned = array.ndim == 2 and array.shape[::-1] == tensor.shape
        hint = f"; it looks transposed: save {tensor.name}.T" if turned else ""
        return [f"{tensor.name} has shape {array.shape}, the layers need {tensor.shape}{hint}"]
    if array.dtype.kind not in "iuf":
        return [f"{tensor.name} has dtype {array.dtype}; real numbers are needed"]
    with np.errstate(over="ignore"):  # a long double may be beyond float64
        bad = np.argwhere(~np.isfinite(array.astype(np.float64)))
    if len(bad):
        place = ", ".join(str(i) for i in bad[0])
        return [f"{tensor.name}[{place}] is {array[tuple(bad[0])]} ({len(bad)} of {array.size} are not finite)"]
    return []
