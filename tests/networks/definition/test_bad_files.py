"""Whatever is wrong with the files that a definition names: data, weights, and whether the layers fit them."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.networks.definition.conftest import CSV, GOOD, NOWHERE, Case, Files, complaints, edit, npz, table

pytestmark = pytest.mark.usefixtures("here")


def safetensors(dtype: str, width: int) -> bytes:
    """Return the bytes of a safetensors file with W1 (1, 2) and b1 (1,) of a type that NumPy may not have."""
    header = {
        "W1": {"dtype": dtype, "shape": [1, 2], "data_offsets": [0, 2 * width]},
        "b1": {"dtype": dtype, "shape": [1], "data_offsets": [2 * width, 3 * width]},
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(3 * width)


# --- where the data come from ---------------------------------------------------------------------------------------

SOURCES: dict[str, Case] = {
    "no source": (edit(2, ""), ["model.toml:1:2: data: needs either 'file' or 'synthetic'"]),
    "two sources": (
        edit(2, 'file = "data.csv"\nsynthetic = { inputs = 3 }'),
        ["model.toml:1:2: data: needs either 'file' or 'synthetic', not both"],
    ),
    "synthetic columns": (
        edit(2, 'synthetic = { inputs = 3 }\nfeatures = ["a"]'),
        [
            "model.toml:3:1: data.features: has no meaning with 'synthetic'",
            "model.toml:4:1: data.target: has no meaning with 'synthetic'",
        ],
    ),
    "missing data": (
        edit(2, 'file = "no.csv"'),
        [f"model.toml:2:1: data.file: cannot read no.csv: {NOWHERE}"],
    ),
    "data are a folder": (edit(2, 'file = "folder.csv"'), ["model.toml:2:1: data.file: folder.csv is a folder"]),
    "data of another kind": (
        edit(2, 'file = "data.xlsx"'),
        ["model.toml:2:1: data.file: data.xlsx is neither .csv nor .npz"],
    ),
    "csv without target": (
        edit(3, ""),
        ["model.toml:1:2: data.target: missing: a csv needs the name of its target column"],
    ),
    "npz with columns": (
        edit(2, 'file = "data.npz"\nfeatures = ["a"]'),
        ["model.toml:3:1: data.features: has no meaning for .npz, whose inputs are one array"],
    ),
    "npz with targets": (
        edit(2, 'file = "data.npz"').replace('"y"', '["y", "z"]'),
        ["model.toml:3:1: data.target: an .npz has one target array"],
    ),
    "missing weights": (
        edit(6, 'loss = "binary_cross_entropy"\nweights = "no.npz"'),
        [
            f"model.toml:7:1: network.weights: cannot read no.npz: {NOWHERE}"
        ],
    ),
    "weights of another kind": (
        edit(6, 'loss = "binary_cross_entropy"\nweights = "trained.pt"'),
        ["model.toml:7:1: network.weights: trained.pt is neither .npz nor .safetensors"],
    ),
    "more examples than rows": (
        edit(2, 'file = "data.csv"\nexamples = 4'),
        ["model.toml:3:1: data.examples: 4 examples, but data.csv has 3 rows"],
    ),
}  # fmt: skip


@table(SOURCES)
def test_sources(here: Path, text: str, expected: list[str]) -> None:
    """Where data and weights come from is checked before anything is read."""
    (here / "folder.csv").mkdir()
    assert complaints(text, {"data.npz": b""}) == expected


# --- what stands in the data ----------------------------------------------------------------------------------------

CSVS: dict[str, Case] = {
    "empty": ("", ["data.csv: no data: a csv needs a header row and at least one row of values"]),
    "header only": ("a,b,y\n", ["data.csv: no data: a csv needs a header row and at least one row of values"]),
    "word among numbers": (
        "a,b,y\n1,2,0\n3,four,1\n",
        ["data.csv:3:2: row 2, column 'b': 'four' is not a number"],
    ),
    "nan and inf": (
        "a,b,y\n1,nan,0\n-inf,4,1\n",
        [
            "data.csv:2:2: row 1, column 'b': 'nan' is not a finite number",
            "data.csv:3:1: row 2, column 'a': '-inf' is not a finite number",
        ],
    ),
    "hole": ("a,b,y\n1,,0\n3,4,1\n", ["data.csv:2:2: row 1, column 'b': the cell is empty"]),
    "ragged": (
        "a,b,y\n1,2,0\n3,4\n5,6,1,7\n",
        [
            "data.csv:3: row 2 has 2 values, the header has 3",
            "data.csv:4: row 3 has 4 values, the header has 3",
        ],
    ),
    "no such column": (
        "a,b,z\n1,2,0\n",
        ["model.toml:3:1: data.target: data.csv has no column 'y'; it has 'a', 'b', 'z'"],
    ),
    "three classes for two": (
        "a,b,y\n1,2,cat\n3,4,dog\n5,6,eel\n",
        [
            ("model.toml:3:1: data.target: binary_cross_entropy needs two classes, the target has 3: "
            "'cat', 'dog', 'eel'; softmax_cross_entropy takes more")
        ],
    ),
    "neither 0 nor 1": (
        "a,b,y\n1,2,1\n3,4,2\n",
        ["model.toml:3:1: data.target: binary_cross_entropy needs targets 0 or 1, found 2"],
    ),
}  # fmt: skip

OUTPUTS: dict[str, Case] = {
    "too many units": (
        edit(5, "layers = [{ units = 2 }, { units = 3 }]"),
        ["model.toml:5:28: network.layers[1].units: the last layer has 3 units, the target has 1 column"],
    ),
    "too few units": (
        edit(3, 'target = ["b", "y"]').replace("binary_cross_entropy", "mean_squared_error"),
        ["model.toml:5:13: network.layers[0].units: the last layer has 1 unit, the target has 2 columns"],
    ),
    "more classes than outputs": (
        edit(6, 'loss = "softmax_cross_entropy"'),
        [
            (
                "model.toml:5:13: network.layers[0].units: the target has 2 classes, the last layer has 1 unit; "
                "softmax_cross_entropy needs one unit per class"
            )
        ],
    ),
    "more parameters than memory": (
        edit(5, "layers = [{ units = 1000000000000 }, { units = 1 }]"),
        [
            (
                "model.toml:5:1: network.layers: too large to check: 2-1000000000000-1 units with 3 examples are "
                "4000000000001 parameters, at most 100000000"
            )
        ],
    ),
    "more examples than memory": (
        edit(2, "synthetic = { inputs = 3, examples = 1000000000000 }").replace('target = "y"\n', ""),
        [
            (
                "model.toml:4:1: network.layers: too large to check: 3-1 units with 1000000000000 examples are "
                "3000000000000 numbers in one layer, at most 100000000"
            )
        ],
    ),
    "beyond float32": (
        edit(8, 'dtype = "float32"').replace("[network]", "normalize = false\n[network]"),
        ["model.toml:9:1: check.dtype: the inputs reach 1e+300, float32 ends at 3.4e+38; use float64"],
    ),
}

Y = np.array([0, 1, 1])
NPZS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no inputs": ({"y": Y}, ["model.toml:2:1: data.file: data.npz has no array 'x'; it has 'y'"]),
    "no targets": ({"x": np.ones((3, 2))}, ["model.toml:3:1: data.target: data.npz has no array 'y'; it has 'x'"]),
    "nan": (
        {"x": np.array([[1, 2], [3, np.nan], [5, 6]]), "y": Y},
        ["model.toml:2:1: data.file: data.npz: x[1, 1] is nan (1 of 6 are not finite)"],
    ),
    "objects": (
        {"x": np.ones((3, 2)), "y": np.array([None, 1, "a"], dtype=object)},
        [
            ("model.toml:2:1: data.file: data.npz holds pickled objects, which are never loaded because unpickling "
            "runs code; save plain numeric arrays")
        ],
    ),
    "no rows": (
        {"x": np.ones((0, 2)), "y": np.ones(0)},
        [
            "model.toml:2:1: data.file: data.npz: no data: 'x' has shape (0, 2)",
            "model.toml:2:1: data.file: data.npz: no data: 'y' has shape (0,)",
        ],
    ),
}  # fmt: skip


@table(CSVS)
def test_csv(text: str, expected: list[str]) -> None:
    """A mistake in a csv is placed in the csv, or at the key of the definition that does not fit it."""
    assert complaints(GOOD, {"data.csv": text}) == expected


@table(NPZS, "arrays")
def test_npz(arrays: dict[str, Any], expected: list[str]) -> None:
    """A mistake in an .npz is placed at the key that names it."""
    assert complaints(edit(2, 'file = "data.npz"'), {"data.npz": npz(**arrays)}) == expected


@table(OUTPUTS)
def test_outputs(text: str, expected: list[str]) -> None:
    """Layers that do not fit the target, the memory or the dtype are refused before they are computed."""
    csv = CSV.replace("7", "1e300") if "float32" in text else CSV
    assert complaints(text, {"data.csv": csv}) == expected


# --- weights --------------------------------------------------------------------------------------------------------

W1, B1 = np.ones((1, 2)), np.zeros(1)
WEIGHTS: dict[str, tuple[Files, list[str]]] = {
    "missing, unexpected, transposed": (
        {"w.npz": npz(W1=W1.T, bias=B1)},
        [
            "w.npz: missing: b1 of shape (1,)",
            "w.npz: unexpected: 'bias'; known: W1, b1",
            "w.npz: W1 has shape (2, 1), the layers need (1, 2); it looks transposed: save W1.T",
        ],
    ),
    "misshapen": (
        {"w.npz": npz(W1=np.ones((3, 3)), b1=B1[None])},
        [
            "w.npz: W1 has shape (3, 3), the layers need (1, 2)",
            "w.npz: b1 has shape (1, 1), the layers need (1,)",
        ],
    ),
    "not finite": (
        {"w.npz": npz(W1=np.array([[1, np.inf]]), b1=B1)},
        ["w.npz: W1[0, 1] is inf (1 of 2 are not finite)"],
    ),
    "complex": (
        {"w.npz": npz(W1=W1 * 1j, b1=B1)},
        ["w.npz: W1 has dtype complex128; real numbers are needed"],
    ),
    "many unexpected": (
        {"w.npz": npz(W1=W1, b1=B1, **{f"layer{i}": B1 for i in range(12)})},
        [*(f"w.npz: unexpected: 'layer{i}'; known: W1, b1" for i in range(10)), "... and 2 more"],
    ),
    "text": ({"w.npz": "W1 = 1"}, ["w.npz is not an .npz file; write one with numpy.savez"]),
    "bfloat16": (
        {"w.safetensors": safetensors("BF16", 2)},
        [
            "w.safetensors: W1 has dtype BF16; save it as F32 or F64",
            "w.safetensors: b1 has dtype BF16; save it as F32 or F64",
        ],
    ),
    "float8": (
        {"w.safetensors": safetensors("F8_E4M3", 1)},
        [
            "w.safetensors: W1 has dtype F8_E4M3; save it as F32 or F64",
            "w.safetensors: b1 has dtype F8_E4M3; save it as F32 or F64",
        ],
    ),
}


@table(WEIGHTS, "files")
def test_weights(files: Files, expected: list[str]) -> None:
    """Everything that is wrong with a weights file is said at once, at the key that names it."""
    (name,) = files
    text = edit(6, f'loss = "binary_cross_entropy"\nweights = "{name}"')
    assert complaints(text, files) == [f"model.toml:7:1: network.weights: {line}" for line in expected]


@pytest.mark.parametrize(
    "content", [b"W1 = 1", struct.pack("<Q", 8) + b"garbage{", b""], ids=["text", "garbage", "empty"]
)
def test_broken_safetensors(content: bytes) -> None:
    """A file that the safetensors library refuses is refused in its words, with what to do."""
    text = edit(6, 'loss = "binary_cross_entropy"\nweights = "w.safetensors"')
    (line,) = complaints(text, {"w.safetensors": content})
    assert line.startswith("model.toml:7:1: network.weights: w.safetensors cannot be used: Error while deserializing")
    assert line.endswith("; write it again with safetensors")
