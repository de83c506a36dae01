"""A folder to type commands in."""

from pathlib import Path

import pytest

from tests.commands import SMALL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small definition, model.toml."""
    (tmp_path / "model.toml").write_text(SMALL)
    return tmp_path
