"""Npz files: named arrays of NumPy; pickled objects are never loaded, because unpickling runs code."""

import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

from xcheck.errors import Complaint, DefinitionError
from xcheck.layout import Vector
from xcheck.networks.data.dataset import Labels, Table
from xcheck.text import listed, quoted

# How files begin: zip archives such as .npz, single arrays, and pickled objects.
_ZIP, _NPY, _PICKLE = b"PK", b"\x93NUMPY", b"\x80"
_PICKLED = "holds pickled objects, which are never loaded because unpickling runs code; save plain numeric arrays"
# What NumPy writes; others need libraries that may be absent, or unpack to any size.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

# What zipfile, zlib and NumPy's parser of headers raise about bytes that are damaged or were made up;
# RuntimeError is an encrypted member, MemoryError and OverflowError a shape beyond all bounds.
_DAMAGED = (ValueError, EOFError, RuntimeError, OverflowError, MemoryError, zipfile.BadZipFile, zlib.error, TokenError)


def load_npz(path: Path, key: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
    """Read all arrays of an .npz file; pickled objects are refused, whatever they hold.

    Raises:
        DefinitionError: at `key`.
    """
    try:
        with path.open("rb") as file:
            text = _describe_other_file(file.read(len(_NPY)))
            if text is not None:
                raise DefinitionError(Complaint(f"{path} {text}", key=key))
            with zipfile.ZipFile(file) as archive:
                return {name.removesuffix(".npy"): _read_array(archive, name) for name in archive.namelist()}
    except OSError as error:
        text = f"cannot read {path}: {error.strerror or error}"
        raise DefinitionError(Complaint(text, key=key)) from error
    except _DAMAGED as error:
        raise DefinitionError(Complaint(f"{path} {_explain_damage(error)}", key=key)) from error


def _describe_other_file(start: bytes) -> str | None:
    """Say what a file is that begins with these bytes; None if it is an .npz file."""
    if start.startswith(_ZIP):
        return None
    if start == _NPY:
        return "holds a single array (.npy); save it with numpy.savez"
    if start.startswith(_PICKLE):
        return _PICKLED
    return "is empty" if not start else "is not an .npz file; write one with numpy.savez"


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[np.generic]:
    if archive.getinfo(name).compress_type not in _COMPRESSIONS:
        raise zipfile.BadZipFile(f"{name} is compressed in a way that NumPy does not write")
    with archive.open(name) as member:
        array: NDArray[np.generic] = np.lib.format.read_array(member, allow_pickle=False)
    return array


def _explain_damage(error: Exception) -> str:
    """Say what is wrong with a file that could not be read."""
    # NumPy tells pickled objects from other trouble by this sentence alone.
    if "Object arrays" in str(error):
        return _PICKLED
    first = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    return f"is damaged: {first}; write it again with numpy.savez"


def read_npz(path: Path, *, target: str, inputs: str = "x") -> Table:
    """Read inputs and targets from an .npz file: arrays `inputs` (rows, n₀) and `target` (rows,) or (rows, k).

    Raises:
        DefinitionError: what does not fit.
    """
    arrays = load_npz(path, ("data", "file"))
    bad = [
        Complaint(f"{path} has no array {quoted(name)}; it has {listed(sorted(arrays)) or 'none'}", key=("data", key))
        for name, key in ((inputs, "file"), (target, "target"))
        if name not in arrays
    ]
    # Also when neither is there: one mistake is enough to be told.
    if target == inputs:
        bad = [Complaint(f"{quoted(inputs)} holds the inputs and cannot be the target", key=("data", "target"))]
    if bad:
        raise DefinitionError(bad)
    x, y = arrays[inputs], arrays[target]
    misfits = _find_misfits(x, y, inputs, target)
    if misfits:
        raise DefinitionError(Complaint(f"{path}: {text}", key=("data", "file")) for text in misfits)
    return Table(
        inputs=_read_finite(path, inputs, x),
        labels=_read_labels(path, target, y),
        features=tuple(f"{inputs}[{column}]" for column in range(x.shape[1])),
    )


def _find_misfits(x: NDArray[np.generic], y: NDArray[np.generic], inputs: str, target: str) -> list[str]:
    """Return what is wrong with the shapes of inputs `x` and target `y`."""
    bad = [
        f"{quoted(name)} must have shape {need}, it has shape {array.shape}"
        for name, array, need, axes in (
            (inputs, x, "(rows, features)", (2,)),
            (target, y, "(rows,) or (rows, columns)", (1, 2)),
        )
        if array.ndim not in axes
    ]
    if bad:
        return bad
    if len(x) != len(y):
        return [f"{quoted(inputs)} has {len(x)} rows and {quoted(target)} has {len(y)}"]
    return [f"no data: {quoted(name)} has shape {a.shape}" for name, a in ((inputs, x), (target, y)) if a.size == 0]


def _read_labels(path: Path, name: str, array: NDArray[np.generic]) -> Labels:
    """Return the targets as numbers or words, shape (rows, columns)."""
    labels: Labels = _read_words(path, name, array) if array.dtype.kind in "US" else _read_finite(path, name, array)
    return labels.reshape(len(labels), -1)


def _read_words(path: Path, name: str, array: NDArray[np.generic]) -> NDArray[np.str_]:
    """Return words without the blanks around them, or say which entry is none."""
    # Bytes that are not UTF-8 stay distinct words, which is all that classes need.
    if array.dtype.kind == "S":
        words = np.strings.decode(array.astype(np.bytes_), "utf-8", "backslashreplace")
    else:
        words = array.astype(np.str_)
    words = np.strings.strip(words)
    empty = np.argwhere(words == "")
    if len(empty):
        text = f"{path}: {name}[{_index(empty[0])}] is an empty word ({len(empty)} of {words.size} are empty)"
        raise DefinitionError(Complaint(text, key=("data", "file")))
    return words


def _read_finite(path: Path, name: str, array: NDArray[np.generic]) -> Vector:
    """Return the array as float64, or say which entry is not a finite number."""
    if array.dtype.kind not in "biuf":
        text = f"{path}: {quoted(name)} has dtype {array.dtype}; numbers are needed"
        raise DefinitionError(Complaint(text, key=("data", "file")))
    with np.errstate(over="ignore"):  # a long double may be beyond float64: the inf is complained about
        numbers = np.asarray(array, dtype=np.float64)
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        value = numbers[tuple(bad[0])]
        text = f"{path}: {name}[{_index(bad[0])}] is {value} ({len(bad)} of {numbers.size} are not finite)"
        raise DefinitionError(Complaint(text, key=("data", "file")))
    return numbers


def _index(place: NDArray[np.intp]) -> str:
    return ", ".join(str(i) for i in place)
