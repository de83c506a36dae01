"""The suite of operations: what is planted is measured once, and told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import cli
from benchmarks.suites import operations
from benchmarks.suites.operations_rows import read
from tests.operations.networks import NETWORKS
from tests.operations.planted import Plant


def two_plants(framework: str) -> Iterator[Plant]:
    """One that reaches a parameter, and one that changes nothing."""
    yield Plant(framework, "mlp", "tanh_1", "sign")
    yield Plant(framework, "mlp", "add_1", "transposed")


def test_rows_are_kept_and_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call appends nothing, and prints the same table; the page is written."""
    monkeypatch.setattr(operations, "plants", two_plants)
    monkeypatch.setattr(operations, "NETWORKS", {"mlp": NETWORKS["mlp"]})
    results, out = tmp_path / "rows.jsonl", tmp_path / "operations.md"
    arguments = ["operations", "--framework", "torch", "--results", str(results), "--out", str(out)]
    for _ in range(2):
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        rows = read(results)
        assert [row.score for row in rows] == ["unseen", "right", "unseen"]
        assert "| mlp | 0 | 2 | 1 | 1 | 1 |" in out.read_text(encoding="utf-8")
    assert rows[1].says_why
    assert 28 <= rows[1].losses < 1000
    assert [row.losses for row in rows if row.agrees] == [0, 0]
    assert str(Path.cwd()) not in results.read_text(encoding="utf-8")
