"""The coverage of proofs: what is proved is counted, and what is not says why."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import cli
from benchmarks.measure.rows import RowsError
from benchmarks.publish.readme import RESULTS, TABLES, markdown_of
from benchmarks.suites.proof_coverage import NETWORKS, claim_of, measure_coverage
from benchmarks.suites.proof_coverage_rows import CoverageRow, exceptions_of, from_json, lines_of, read
from xcheck.certificates.claims import Proof, WitnessProof

ROW = CoverageRow(
    functions="torch",
    asked=40,
    claims={"right": 36, "inaccurate": 1, "unstable": 1, "wrong": 1},
    exceptions={"torch.a": "inaccurate", "torch.b": "unstable", "torch.c": "wrong"},
    missing={"torch.lu": "`linalg_lu` has no rule"},
)
PROVED = WitnessProof(name="jax", claim="right", error=0.0, allowed=1e-15, claimed=1.0, slope=1.0)


def test_every_kind_has_a_row() -> None:
    """One function in 50 of each framework, and the first of the example networks."""
    rows = list(measure_coverage(50, {"cores": 2}, lambda text: None))
    assert [row.functions for row in rows] == ["torch", "jax", "numpy", NETWORKS]
    assert all(row.proved == row.asked == sum(row.claims.values()) >= 1 for row in rows), rows
    assert rows[0].environment == {"cores": 2}


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        (Proof(witnesses=(PROVED,)), ("right", "")),
        (Proof(witnesses=(PROVED, replace(PROVED, claim="inaccurate"))), ("inaccurate", "")),
        (Proof(witnesses=(replace(PROVED, claim="wrong"), PROVED)), ("wrong", "")),
        (Proof(witnesses=(replace(PROVED, claim="at a kink"),)), ("", "θ sits on several kinks")),
        (Proof(why_not=("jax: `fft` at /home/me/a.py:12 has no rule",)), ("", "`fft` has no rule")),
        (Proof(), ("", "no gradient came")),
    ],
)
def test_the_worst_claim_counts(proof: Proof, said: tuple[str, str]) -> None:
    """And of what is not proved, why, without the place, which is that of one checkout."""
    assert claim_of(proof) == said


def test_rows_come_back(tmp_path: Path) -> None:
    """As they were written; another line is refused."""
    path = tmp_path / "rows.jsonl"
    path.write_text(ROW.to_json() + "\n", encoding="utf-8")
    assert read(path) == (ROW,)
    with pytest.raises(RowsError, match="not a row"):
        from_json('{"suite": "proof"}')


def test_the_table_counts(tmp_path: Path) -> None:
    """Shares, and everything that is not called right."""
    assert lines_of([ROW]) == [("torch", "40", "39", "97.5%", "36", "2", "1")]
    assert exceptions_of([ROW])[-1] == ("torch.lu", "not proved: `linalg_lu` has no rule")
    path = tmp_path / "rows.jsonl"
    path.write_text(ROW.to_json() + "\n", encoding="utf-8")
    assert "| torch.c | proved to be wrong |" in markdown_of(path)
    shown = CliRunner().invoke(cli, ["show", str(path)])
    assert "torch.lu: not proved: `linalg_lu` has no rule" in shown.stdout


def test_the_command_writes_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Into the file that is named."""
    monkeypatch.setattr("benchmarks.suites.proof_coverage.measure_coverage", lambda *arguments: [ROW])
    path = tmp_path / "rows.jsonl"
    done = CliRunner().invoke(cli, ["proof", "--coverage", "--quick", "--out", str(path)])
    assert done.exit_code == 0, done.output
    assert read(path) == (ROW,)


def test_what_is_published_holds() -> None:
    """At least 95 % of the functions of torch and JAX, and 85 % of those of NumPy, are proved; no path of a machine."""
    rows = {row.functions: row for row in read(TABLES["coverage table"])}
    for name, share in (("torch", 0.95), ("jax", 0.95), ("numpy", 0.85), (NETWORKS, 1.0)):
        assert rows[name].proved >= share * rows[name].asked, name
    assert "/" not in str([row.missing for row in rows.values()])
    assert TABLES["coverage table"].parent == RESULTS
