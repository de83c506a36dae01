"""A folder to type commands in, and one to write Python into."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.python.models import CUBE, Write
from tests.commands import SMALL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small definition, model.toml."""
    (tmp_path / "model.toml").write_text(SMALL)
    return tmp_path


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write Python into the current folder, which is empty; modules that are imported from it are forgotten."""
    monkeypatch.chdir(tmp_path)
    known = set(sys.modules)

    def write(text: str, name: str = "model.py", *, cube: bool = True) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((CUBE if cube else "") + textwrap.dedent(text))
        return path

    yield write
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]
