"""The table of the lecture notes: every file that it names is there, and so is every test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "lecture-notes.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:xcheck|backends|tests)/[^`]+)`", PAGE)))


@pytest.mark.parametrize("named", NAMED)
def test_what_the_table_names_is_there(named: str) -> None:
    """A file, or a test in it."""
    file, _, test = named.partition("::")
    assert (ROOT / file).is_file()
    if test:
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_row_is_held_by_a_test() -> None:
    """No row without one."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| the notes")]
    assert len(rows) > 30
    assert [row for row in rows if "`tests/" not in row] == []
