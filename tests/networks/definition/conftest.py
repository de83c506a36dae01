"""Writing definitions into a folder, and reading what is said about them."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xcheck.errors import DefinitionError
from xcheck.networks.definition import Loaded, load

BACKENDS = ("numpy", "torch", "jax")
CSV = "a,b,y\n1,2,0\n3,4,1\n5,7,1\n"
GOOD = """\
[data]
file = "data.csv"
target = "y"
[network]
layers = [{ units = 1 }]
loss = "binary_cross_entropy"
[check]
seed = 0
"""

NOWHERE = "No such file or directory (paths are relative to the definition)"

Case = tuple[str, list[str]]
Section = Mapping[str, Any]
Files = Mapping[str, str | bytes]


def edit(line: int, text: str) -> str:
    """Return the good definition with another text on one line."""
    lines = GOOD.splitlines()
    lines[line - 1] = text
    return "\n".join(lines) + "\n"


def write(files: Files) -> None:
    """Write files into the current folder."""
    for name, content in files.items():
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def complaints(text: str, files: Files | None = None, **flags: Any) -> list[str]:
    """Return what is said about a definition that cannot be used."""
    write({"data.csv": CSV, "model.toml": text, **(files or {})})
    with pytest.raises(DefinitionError) as caught:
        load(Path("model.toml"), flags=flags, backends=BACKENDS)
    return [str(complaint) for complaint in caught.value.complaints]


def table(cases: Mapping[str, tuple[Any, list[str]]], name: str = "text") -> pytest.MarkDecorator:
    """Run a test once for each named case."""
    return pytest.mark.parametrize((name, "expected"), cases.values(), ids=cases.keys())


def npz(**arrays: Any) -> bytes:
    """Return the bytes of an .npz file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def defined(
    *, data: Section | None = None, network: Section | None = None, check: Section | None = None, **flags: Any
) -> Loaded:
    """Load a dict: 6 synthetic examples of 3 inputs, one linear unit, and whatever a test says otherwise."""
    definition = {
        "data": {"synthetic": {"inputs": 3, "examples": 6}, **(data or {})},
        "network": {"layers": [{"units": 1}], "loss": "mean_squared_error", **(network or {})},
        "check": {**(check or {})},
    }
    return load(definition, flags=flags, backends=BACKENDS)


def written(text: str, files: Mapping[str, str | bytes] | None = None, **flags: Any) -> Loaded:
    """Write a definition beside its data and load it."""
    write({"data.csv": CSV, "model.toml": text, **(files or {})})
    return load(Path("model.toml"), flags=flags, backends=BACKENDS)


def rows_of(count: int) -> str:
    """Return a csv whose rows can be told apart by their first feature."""
    return "a,b,y\n" + "".join(f"{row},{row * row},{row % 2}\n" for row in range(count))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one while the test runs: messages name files without their path."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
