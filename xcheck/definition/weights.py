"""Read θ from a weights file: W1, b1, W2, ... in .npz or .safetensors."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xcheck.data import load_npz
from xcheck.definition.explain import did_you_mean
from xcheck.errors import Complaint, DefinitionError
from xcheck.parameters import Layout, Tensor, Vector

_KEY = ("network", "weights")


def read_weights(path: Path, layout: Layout) -> Vector:
    """Return θ with the tensors of the file, shape (n,).

    Raises:
        DefinitionError: the file cannot be read, or its tensors are missing, unexpected, misshapen or not finite; all
            of it at once.
    """
    arrays = _load(path)
    complaints = [
        *(f"missing: {t.name} of shape {t.shape}" for t in layout if t.name not in arrays),
        *_unexpected(arrays, layout),
        *(text for t in layout if t.name in arrays for text in _misfits(t, arrays[t.name])),
    ]
    if complaints:
        raise DefinitionError(Complaint(f"{path}: {text}", key=_KEY) for text in complaints)
    return layout.flatten(arrays)


def _load(path: Path) -> Mapping[str, NDArray[np.generic]]:
    if path.suffix == ".npz":
        return load_npz(path, _KEY)
    if path.suffix == ".safetensors":
        return _load_safetensors(path)
    text = f"{path} is neither .npz nor .safetensors"
    raise DefinitionError(Complaint(text, key=_KEY))


def _load_safetensors(path: Path) -> Mapping[str, NDArray[np.generic]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except OSError as error:
        text = f"cannot read {path}: {error.strerror or error}"
    except (SafetensorError, KeyError, TypeError) as error:
        # KeyError and TypeError: a dtype that NumPy does not have, such as bfloat16.
        text = f"{path} cannot be used: {error}; save float32 or float64 tensors with safetensors"
    raise DefinitionError(Complaint(text, key=_KEY))


def _unexpected(arrays: Mapping[str, object], layout: Layout) -> list[str]:
    names = [tensor.name for tensor in layout]
    return [f"unexpected: '{name}'{did_you_mean(name, names)}" for name in arrays if name not in names]


def _misfits(tensor: Tensor, array: NDArray[np.generic]) -> list[str]:
    if array.shape != tensor.shape:
        turned = array.ndim == 2 and array.shape[::-1] == tensor.shape
        hint = f"; it looks transposed: save {tensor.name}.T" if turned else ""
        return [f"{tensor.name} has shape {array.shape}, the layers need {tensor.shape}{hint}"]
    if array.dtype.kind not in "iuf":
        return [f"{tensor.name} has dtype {array.dtype}; real numbers are needed"]
    bad = np.argwhere(~np.isfinite(array.astype(np.float64)))
    if len(bad):
        place = ", ".join(str(i) for i in bad[0])
        return [f"{tensor.name}[{place}] is {array[tuple(bad[0])]} ({len(bad)} of {array.size} are not finite)"]
    return []
