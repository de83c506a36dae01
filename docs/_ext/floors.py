"""Floors: which module may import which, as pyproject.toml says and import-linter enforces."""

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def floors() -> str:
    """Return the contracts of import-linter as Markdown: of layers the floors, from top to bottom; else the name."""
    contracts = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layered = [contract for contract in contracts if contract["type"] == "layers"]
    others = [contract for contract in contracts if contract["type"] != "layers"]
    parts = [_layers(contract) for contract in layered]
    return "\n\n".join([*parts, "\n".join(f"- {contract['name']}." for contract in others)])


def _layers(contract: dict[str, object]) -> str:
    layers = contract["layers"]
    assert isinstance(layers, list)  # noqa: S101 - import-linter itself demands a list
    return "\n".join([f"**{contract['name']}.**", "", "```text", *layers, "```"])
