"""Files: mistakes in the names of files that are seen before any of them is read."""

from pathlib import Path

import pytest

from tests.networks.definition.conftest import (
    NOWHERE,
    Case,
    complaints,
    edit,
    table,
)

pytestmark = pytest.mark.usefixtures("here")


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
