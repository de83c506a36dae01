"""Read arrays from an .npz file; pickled objects are never loaded."""

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xcheck.data.dataset import Table
from xcheck.errors import Complaint, DefinitionError
from xcheck.parameters import Vector


def load_npz(path: Path, key: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
    """Read all arrays of an .npz file; pickled objects are refused, whatever they hold.

    Raises:
        DefinitionError: at `key`.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                text = f"{path} holds a single array (.npy); save it with numpy.savez"
                raise DefinitionError(Complaint(text, key=key))
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        text = f"cannot read {path}: {error.strerror or error}"
        raise DefinitionError(Complaint(text, key=key)) from error
    except ValueError as error:
        text = (
            f"{path} holds pickled objects, which are never loaded because unpickling runs code; "
            "save plain numeric arrays"
            if "pickle" in str(error).lower()
            else f"{path} is not an .npz file: {error}"
        )
        raise DefinitionError(Complaint(text, key=key)) from error
    except (zipfile.BadZipFile, EOFError) as error:
        raise DefinitionError(Complaint(f"{path} is not an .npz file: {error}", key=key)) from error


def read_npz(path: Path, *, target: str, inputs: str = "x") -> Table:
    """Read inputs and targets from an .npz file: arrays `inputs` (rows, n₀) and `target` (rows,) or (rows, k).

    Raises:
        DefinitionError: what does not fit.
    """
    arrays = load_npz(path, ("data", "file"))
    missing = [name for name in (inputs, target) if name not in arrays]
    if missing:
        text = f"{path} has no array '{missing[0]}'; it has {', '.join(sorted(arrays)) or 'none'}"
        raise DefinitionError(Complaint(text, key=("data", "target" if missing[0] == target else "file")))
    x, y = arrays[inputs], arrays[target]
    y = y.reshape(-1, 1) if y.ndim == 1 else y
    bad = [
        f"'{name}' must have {need}, it has shape {array.shape}"
        for name, array, need in ((inputs, x, "shape (rows, features)"), (target, y, "1 or 2 axes"))
        if array.ndim != 2
    ]
    if not bad and len(x) != len(y):
        bad = [f"'{inputs}' has {len(x)} rows and '{target}' has {len(y)}"]
    if not bad and x.size == 0:
        bad = [f"no data: '{inputs}' has shape {x.shape}"]
    if bad:
        raise DefinitionError(Complaint(f"{path}: {text}", key=("data", "file")) for text in bad)
    features = tuple(f"{inputs}[{column}]" for column in range(x.shape[1]))
    labels = y.astype(np.str_) if y.dtype.kind in "US" else _finite(path, target, y)
    return Table(inputs=_finite(path, inputs, x), labels=labels, features=features)


def _finite(path: Path, name: str, array: NDArray[np.generic]) -> Vector:
    """Return the array as float64, or say which entry is not a finite number."""
    if array.dtype.kind not in "biuf":
        text = f"{path}: '{name}' has dtype {array.dtype}; numbers are needed"
        raise DefinitionError(Complaint(text, key=("data", "file")))
    numbers = np.asarray(array, dtype=np.float64)
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        where = ", ".join(str(i) for i in bad[0])
        text = f"{path}: {name}[{where}] is {numbers[tuple(bad[0])]} ({len(bad)} of {numbers.size} are not finite)"
        raise DefinitionError(Complaint(text, key=("data", "file")))
    return numbers
