"""Rows of the suite of operations: what they say together."""

import dataclasses
from pathlib import Path

import pytest

from benchmarks.measure.rows import RowsError
from benchmarks.suites.operations_rows import (
    OperationRow,
    describe_failures,
    from_json,
    markdown,
    operation_table,
    read,
)

RIGHT = OperationRow(framework="jax", network="mlp", seconds=1.0)
NAMED = OperationRow(
    framework="jax",
    network="mlp",
    site="tanh_1",
    mistake="sign",
    reaches=True,
    agrees=False,
    expected="`tanh` at networks.py:20",
    named=("`tanh` at networks.py:20",),
    text="the opposite sign of what it should be",
    losses=40.5,
    seconds=2.0,
)


@pytest.mark.parametrize(
    ("row", "score"),
    [
        (NAMED, "right"),
        (dataclasses.replace(NAMED, named=("`add` at networks.py:20",)), "wrong"),
        (dataclasses.replace(NAMED, named=(*NAMED.named, "`add` at networks.py:20")), "wrong"),
        (dataclasses.replace(NAMED, named=()), "unnamed"),
        (dataclasses.replace(NAMED, agrees=True), "missed"),
        (dataclasses.replace(NAMED, agrees=True, reaches=False), "unseen"),
        (RIGHT, "unseen"),
    ],
)
def test_scores(row: OperationRow, score: str) -> None:
    """Right is the operation alone, at its line."""
    assert row.score == score


def test_the_cause_is_held_against_the_mistake() -> None:
    """Another mistake is not what the text says."""
    assert NAMED.says_why
    assert not dataclasses.replace(NAMED, mistake="transposed").says_why


def test_a_row_is_read_again(tmp_path: Path) -> None:
    """As it was; no file is no rows, and other rows are refused."""
    assert from_json(NAMED.to_json()) == NAMED
    path = tmp_path / "rows.jsonl"
    assert read(path) == ()
    path.write_text(f"{NAMED.to_json()}\n{RIGHT.to_json()}\n", encoding="utf-8")
    assert read(path) == (NAMED, RIGHT)
    with pytest.raises(RowsError):
        from_json('{"suite": "breadth"}')


def test_tables_count_and_failures_are_listed() -> None:
    """A line for each network and one for all; on the page, too."""
    wrong = dataclasses.replace(NAMED, which=-1, named=(), losses=0.0)
    table = operation_table("jax", [RIGHT, NAMED, wrong])
    lines = list(zip(*(column.cells for column in table.columns), strict=True))
    assert lines[0] == ("mlp", "0", "2", "2", "1", "1", "0", "1", "0", "20", "40", "2.0")
    assert lines[-1][1:] == lines[0][1:]
    (line,) = describe_failures([RIGHT, NAMED, wrong])
    assert "mlp: tanh_1, sign, -1: unnamed" in line
    page = markdown([table])
    assert "## jax: 2 of 232 plants" in page
    assert "| mlp | 0 | 2 | 2 |" in page
