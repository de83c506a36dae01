"""Files: mistakes in the names of a definition's files that can be seen before any of them is read."""

import stat
from collections.abc import Iterator
from pathlib import Path

from xcheck.errors import Complaint, KeyPath
from xcheck.networks.definition.schema import Data

# Suffixes of the files that can be read.
DATA, WEIGHTS = (".csv", ".npz"), (".npz", ".safetensors")


def data_complaints(data: Data) -> list[Complaint]:
    """Return which keys of `[data]` are missing, or have no meaning beside the others."""
    if data.file is None and data.synthetic is None:
        return [Complaint("needs either 'file' or 'synthetic'", key=("data",))]
    if data.file is not None and data.synthetic is not None:
        return [Complaint("needs either 'file' or 'synthetic', not both", key=("data",))]
    return [Complaint(text, key=("data", key)) for key, text in _find_misplaced(data)]


def file_complaints(name: str, folder: Path, suffixes: tuple[str, ...], key: KeyPath) -> list[Complaint]:
    """Return what is wrong with a file whose name stands at `key`."""
    path = folder / name
    if path.suffix.lower() not in suffixes:
        return [Complaint(f"{path} is neither {' nor '.join(suffixes)}", key=key)]
    # Only looked at, not opened: all files are named before any is read, which may take long.
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        hint = "" if len(key) == 1 else " (paths are relative to the definition)"  # a flag is where the person is
        text = f"cannot read {path}: {error.strerror}{hint}"
        return [Complaint(text, key=key)]
    return [Complaint(f"{path} is a folder", key=key)] if is_folder else []


def _find_misplaced(data: Data) -> Iterator[tuple[str, str]]:
    """Yield each key of `[data]` that is missing, or has no meaning beside the others, with what is wrong."""
    if data.synthetic is not None:
        yield from ((key, "has no meaning with 'synthetic'") for key in ("target", "features") if getattr(data, key))
        return
    suffix = Path(data.file or "").suffix.lower()
    if suffix == ".csv" and data.target is None:
        yield "target", "missing: a csv needs the name of its target column"
    if suffix == ".npz" and data.features is not None:
        yield "features", "has no meaning for .npz, whose inputs are one array"
    if suffix == ".npz" and len(data.target or ()) > 1:
        yield "target", "an .npz has one target array"
