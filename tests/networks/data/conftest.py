"""A folder to write data into; it is the current folder, so that messages name files without their path."""

from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one while the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
