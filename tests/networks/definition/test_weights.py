"""Weights: what is wrong with a file of θ, and what is written is read again."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.networks.definition.conftest import (
    Files,
    complaints,
    edit,
    npz,
    table,
)
from xcheck.errors import DefinitionError
from xcheck.networks.definition.weights import read_weights, write_weights, wrong_suffix
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import Dense, Network

pytestmark = pytest.mark.usefixtures("here")


def safetensors(dtype: str, width: int) -> bytes:
    """Return the bytes of a safetensors file with W1 (1, 2) and b1 (1,) of a type that NumPy may not have."""
    header = {
        "W1": {"dtype": dtype, "shape": [1, 2], "data_offsets": [0, 2 * width]},
        "b1": {"dtype": dtype, "shape": [1], "data_offsets": [2 * width, 3 * width]},
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(3 * width)


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


# --- writing ---------------------------------------------------------------------------------------------------------

LAYOUT = network_layout(Network(inputs=2, layers=(Dense(units=3), Dense(units=1)), loss="mean_squared_error"))


@pytest.mark.parametrize("name", ["w.npz", "w.NPZ", "w.safetensors"])
def test_what_is_written_is_read_again(here: Path, name: str) -> None:
    """Bit for bit, whatever the case of the suffix."""
    theta = np.random.default_rng(0).standard_normal(LAYOUT.size)
    write_weights(here / name, LAYOUT, theta)
    assert [path.name for path in here.iterdir()] == [name]
    assert read_weights(here / name, LAYOUT).tobytes() == theta.tobytes()


@pytest.mark.parametrize("name", ["w.pt", "w"])
def test_another_suffix_is_refused(here: Path, name: str) -> None:
    """Nothing is written under it."""
    said = f"weights go to .npz or .safetensors, not {name}"
    assert wrong_suffix(Path(name)) == said
    with pytest.raises(DefinitionError, match=said):
        write_weights(here / name, LAYOUT, np.zeros(LAYOUT.size))
    assert not list(here.iterdir())


def test_a_folder_that_is_not_there(here: Path) -> None:
    """The system's own words are kept."""
    with pytest.raises(DefinitionError, match=r"cannot write .*nowhere/w\.npz: No such file or directory"):
        write_weights(here / "nowhere" / "w.npz", LAYOUT, np.zeros(LAYOUT.size))
