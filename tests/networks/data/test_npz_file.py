"""Reading .npz files: arrays of numbers or words, never a pickle."""

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xcheck.errors import DefinitionError
from xcheck.networks.data import Table, load_npz, read_npz

pytestmark = pytest.mark.usefixtures("here")

X, Y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), np.array([0, 1, 1])
PICKLED = "holds pickled objects, which are never loaded because unpickling runs code; save plain numeric arrays"
PATH = Path("d.npz")


def read(target: str = "y", **arrays: Any) -> Table:
    """Save arrays and read them as data."""
    np.savez(PATH, **arrays)
    return read_npz(PATH, target=target)


def complaints(target: str = "y") -> list[str]:
    """Return what is said about d.npz, which cannot be used."""
    with pytest.raises(DefinitionError) as caught:
        read_npz(PATH, target=target)
    return [str(complaint) for complaint in caught.value.complaints]


def npz(**arrays: Any) -> bytes:
    """Return the bytes of an .npz file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(array: Any) -> bytes:
    """Return the bytes of an .npy file, objects pickled."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def with_header(shape: str, descr: str = "<f8") -> bytes:
    """Return an .npy file without data whose header says whatever one likes."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


# --- what is accepted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint8", "float16", "float32", ">f4", "longdouble"])
def test_real_types(dtype: str) -> None:
    """Numbers of any real type become float64."""
    numbers = np.array([[1, 0], [0, 1]]).astype(dtype)
    table = read(x=numbers, y=numbers[0])
    assert [array.dtype.name for array in (table.inputs, table.labels)] == ["float64", "float64"]
    assert (table.inputs.tolist(), table.labels.tolist()) == ([[1, 0], [0, 1]], [[1], [0]])


def test_features_are_numbered() -> None:
    """The features have no names but their place."""
    assert read(x=X, y=Y).features == ("x[0]", "x[1]")


def test_one_axis_of_targets_is_one_column() -> None:
    """Targets of shape (rows,) and (rows, 1) are the same."""
    assert read(x=X, y=Y).labels.tolist() == read(x=X, y=Y[:, None]).labels.tolist() == [[0], [1], [1]]


def test_order_in_memory_does_not_matter() -> None:
    """An array in Fortran order is read as what it means."""
    assert read(x=np.asfortranarray(X), y=Y).inputs.tolist() == X.tolist()


def test_compressed() -> None:
    """A compressed file is read like any other."""
    np.savez_compressed(PATH, x=X, y=Y)
    assert read_npz(PATH, target="y").inputs.tolist() == X.tolist()


def test_other_arrays_are_left_alone() -> None:
    """The file may hold more than is asked for, whatever its shape and type."""
    assert read(x=X, y=Y, names=np.array(["a", "b"]), cube=np.zeros((2, 2, 2)), phase=1j).inputs.tolist() == X.tolist()


WORDS = {
    "text": np.array(["cat", "dog ", "é"]),
    "bytes": np.array([b"cat", b"dog", "é".encode()]),
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())
def test_words_as_targets(words: Any) -> None:
    """Targets may be words, as text or as bytes, without the spaces around them."""
    assert read(x=X, y=words).labels.tolist() == [["cat"], ["dog"], ["é"]]


def test_bytes_that_are_no_text_stay_apart() -> None:
    """Classes in an unknown encoding are still different classes."""
    assert read(x=X, y=np.array([b"\xe9", b"\xe8", b"e"])).labels.tolist() == [["\\xe9"], ["\\xe8"], ["e"]]


# --- what does not fit ----------------------------------------------------------------------------------------------

MISFITS: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "nothing": (
        {},
        "y",
        ["data.file: d.npz has no array 'x'; it has none", "data.target: d.npz has no array 'y'; it has none"],
    ),
    "no inputs": ({"y": Y}, "y", ["data.file: d.npz has no array 'x'; it has 'y'"]),
    "no targets": ({"x": X, "Y": Y}, "y", ["data.target: d.npz has no array 'y'; it has 'Y', 'x'"]),
    "inputs as targets": ({"x": X}, "x", ["data.target: 'x' holds the inputs and cannot be the target"]),
    "inputs of one axis": (
        {"x": Y, "y": Y},
        "y",
        ["data.file: d.npz: 'x' must have shape (rows, features), it has shape (3,)"],
    ),
    "images": (
        {"x": np.zeros((3, 8, 8)), "y": Y},
        "y",
        ["data.file: d.npz: 'x' must have shape (rows, features), it has shape (3, 8, 8)"],
    ),
    "a single target": (
        {"x": X, "y": 1.0},
        "y",
        ["data.file: d.npz: 'y' must have shape (rows,) or (rows, columns), it has shape ()"],
    ),
    "targets of three axes": (
        {"x": X, "y": np.zeros((3, 1, 1))},
        "y",
        ["data.file: d.npz: 'y' must have shape (rows,) or (rows, columns), it has shape (3, 1, 1)"],
    ),
    "both": (
        {"x": Y, "y": 1.0},
        "y",
        [
            "data.file: d.npz: 'x' must have shape (rows, features), it has shape (3,)",
            "data.file: d.npz: 'y' must have shape (rows,) or (rows, columns), it has shape ()",
        ],
    ),
    "rows that do not match": ({"x": X, "y": Y[:2]}, "y", ["data.file: d.npz: 'x' has 3 rows and 'y' has 2"]),
    "no features": ({"x": X[:, :0], "y": Y}, "y", ["data.file: d.npz: no data: 'x' has shape (3, 0)"]),
    "no target columns": ({"x": X, "y": X[:, :0]}, "y", ["data.file: d.npz: no data: 'y' has shape (3, 0)"]),
    "complex": ({"x": X * 1j, "y": Y}, "y", ["data.file: d.npz: 'x' has dtype complex128; numbers are needed"]),
    "complex targets": ({"x": X, "y": Y * 1j}, "y", ["data.file: d.npz: 'y' has dtype complex128; numbers are needed"]),
    "words as inputs": (
        {"x": X.astype(str), "y": Y},
        "y",
        ["data.file: d.npz: 'x' has dtype <U32; numbers are needed"],
    ),
    "dates": (
        {"x": X.astype("M8[s]"), "y": Y},
        "y",
        ["data.file: d.npz: 'x' has dtype datetime64[s]; numbers are needed"],
    ),
    "records": (
        {"x": X, "y": np.zeros(3, dtype=[("a", "<f8")])},
        "y",
        ["data.file: d.npz: 'y' has dtype [('a', '<f8')]; numbers are needed"],
    ),
    "nan": (
        {"x": np.where(X > 3, np.nan, X), "y": Y},
        "y",
        ["data.file: d.npz: x[1, 1] is nan (3 of 6 are not finite)"],
    ),
    "inf among targets": (
        {"x": X, "y": np.array([0, 1, -np.inf])},
        "y",
        ["data.file: d.npz: y[2] is -inf (1 of 3 are not finite)"],
    ),
    "an empty word": (
        {"x": X, "y": np.array(["cat", " ", ""])},
        "y",
        ["data.file: d.npz: y[1] is an empty word (2 of 3 are empty)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "target", "expected"), MISFITS.values(), ids=MISFITS.keys())
def test_arrays_that_do_not_fit(arrays: dict[str, Any], target: str, expected: list[str]) -> None:
    """An array is named with its shape, its type or its first bad entry."""
    PATH.write_bytes(npz(**arrays))
    assert complaints(target) == expected


@pytest.mark.skipif(
    np.finfo(np.longdouble).max == np.finfo(np.float64).max, reason="long double is float64 on this machine"
)
def test_numbers_beyond_float64() -> None:
    """A long double that float64 cannot hold does not silently become inf."""
    PATH.write_bytes(npz(x=X.astype(np.longdouble) * np.longdouble("1e400"), y=Y))
    assert complaints() == ["data.file: d.npz: x[0, 0] is inf (6 of 6 are not finite)"]


# --- pickles --------------------------------------------------------------------------------------------------------


class Trap:
    """An object whose unpickling makes a folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("sprung",)


def trapped() -> Any:
    """Return an array of one trap."""
    array = np.empty(1, dtype=object)
    array[0] = Trap()
    return array


def test_the_trap_works() -> None:
    """Whoever does unpickle the trap springs it: the tests below would notice."""
    PATH.write_bytes(npy(trapped()))
    np.load(PATH, allow_pickle=True)
    assert Path("sprung").is_dir()


PICKLES = {
    "as inputs": npz(x=trapped(), y=Y),
    "as targets": npz(x=X, y=trapped()),
    "beside the data": npz(x=X, y=Y, extra=trapped()),
    "compressed": zipped({"x.npy": npy(trapped()), "y.npy": npy(Y)}, zipfile.ZIP_DEFLATED),
    "without an archive": pickle.dumps(Trap()),
    "of harmless things": npz(x=X, y=np.array([None, 1, "a"], dtype=object)),
}


@pytest.mark.parametrize("content", PICKLES.values(), ids=PICKLES.keys())
def test_pickles_are_refused(content: bytes) -> None:
    """A file with pickled objects is refused with the reason, and nothing in it is run."""
    PATH.write_bytes(content)
    assert complaints() == [f"data.file: d.npz {PICKLED}"]
    assert not Path("sprung").exists()


def test_a_pickle_in_an_npy_file_is_not_run() -> None:
    """An .npy file is refused before its content is looked at."""
    PATH.write_bytes(npy(trapped()))
    assert complaints() == ["data.file: d.npz holds a single array (.npy); save it with numpy.savez"]
    assert not Path("sprung").exists()


# --- files that are no .npz -----------------------------------------------------------------------------------------

SOUND = npz(x=X, y=Y)
OTHERS = {
    "empty": (b"", "is empty"),
    "text": (b"x = 1", "is not an .npz file; write one with numpy.savez"),
    "npy": (npy(X), "holds a single array (.npy); save it with numpy.savez"),
    "cut in the middle": (SOUND[:200], "is damaged: File is not a zip file; write it again with numpy.savez"),
    "cut at the end": (SOUND[:-1], "is damaged: File is not a zip file; write it again with numpy.savez"),
}


@pytest.mark.parametrize(("content", "text"), OTHERS.values(), ids=OTHERS.keys())
def test_a_file_that_is_no_npz(content: bytes, text: str) -> None:
    """What the file is instead, and what to do."""
    PATH.write_bytes(content)
    assert complaints() == [f"data.file: d.npz {text}"]


def flipped(place: int, content: bytes) -> bytes:
    """Return the bytes with one of them changed."""
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


DEFLATED = zipped({"x.npy": npy(np.random.default_rng(0).standard_normal((30, 2)))}, zipfile.ZIP_DEFLATED)
DAMAGED = {
    "changed data": flipped(150, SOUND),
    "changed compressed data": flipped(138, DEFLATED),
    "shape beyond memory": zipped({"x.npy": with_header(f"(1{'0' * 15}, 2)")}),
    "shape beyond integers": zipped({"x.npy": with_header(f"(1{'0' * 25}, 2)")}),
    "shape below zero": zipped({"x.npy": with_header("(-3, 2)")}),
    "less data than the shape": zipped({"x.npy": with_header("(3, 2)")}),
    "unknown type": zipped({"x.npy": with_header("(3, 2)", "q99")}),
    "header of brackets": zipped({"x.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 10) + b"(((((((((\n"}),
    "header beyond reason": zipped({"x.npy": b"\x93NUMPY\x02\x00" + struct.pack("<I", 200_000) + b"{" * 200_000}),
    "unknown version": zipped({"x.npy": b"\x93NUMPY\x09\x00" + bytes(100)}),
    "not an array": zipped({"x.npy": b"hello"}),
    "unknown compression": zipped({"x.npy": npy(X)}, zipfile.ZIP_BZIP2),
    "encrypted": zipped({"x.npy": npy(X)}).replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    ),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file(content: bytes) -> None:
    """Damage of any kind is one complaint of one line that says what to do, never a traceback."""
    PATH.write_bytes(content)
    (line,) = complaints()
    assert line.startswith("data.file: d.npz is damaged: ")
    assert line.endswith("; write it again with numpy.savez")
    assert "\n" not in line


def test_a_file_that_cannot_be_read() -> None:
    """The operating system's reason is passed on."""
    assert complaints() == ["data.file: cannot read d.npz: No such file or directory"]


def test_complaints_stand_at_the_key_of_the_caller() -> None:
    """A file that is read for another key is complained about there."""
    PATH.write_bytes(b"")
    with pytest.raises(DefinitionError, match=r"^network\.weights: d\.npz is empty$"):
        load_npz(PATH, ("network", "weights"))
