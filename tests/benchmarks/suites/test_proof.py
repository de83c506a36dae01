"""The proof suite: one small loss from end to end, its rows, and its table."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks.__main__ import cli
from benchmarks.measure.rows import RowsError
from benchmarks.publish.readme import markdown_of
from benchmarks.suites.proof_models import BY_NAME, CASES
from benchmarks.suites.proof_rows import ProofRow, from_json, is_proof, lines_of, read

SIZES = {"small": 641, "mnist": 101_770, "cnn": 3_818, "lstm": 5_413, "million": 1_068_810}
ROW = ProofRow(
    name="small",
    text="30-16-8-1",
    parameters=641,
    valid=True,
    claim="right",
    one=(0.01,),
    six=(0.02, 0.03, 0.09),
    rounding=(0.05,),
    memory=3 << 20,
    bits=128,
    radius=4e-37,
    error=1e-16,
    allowed=1e-14,
    seen=1e-14,
    called_wrong=None,
    components={"1e-09": (10, 10), "1e-12": (5, 10)},
    all_scaled=True,
    difference=1e-11,
    check_seconds=0.5,
    check_sees=4e-7,
)


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(cli, arguments)


def test_one_loss_from_end_to_end(tmp_path: Path) -> None:
    """Its right gradient is right, and a proof sees what neither differences nor the check along directions do."""
    out = tmp_path / "proof.jsonl"
    done = run("proof", "--losses", "small", "--rounds", "1", "--out", str(out))
    assert done.exit_code == 0, done.output
    (row,) = read(out)
    assert row.valid
    assert (row.parameters, row.bits) == (641, 128)
    assert row.radius < 1e-25
    assert row.seen is not None
    assert row.check_sees is not None
    assert row.seen < 1e-12 < row.check_sees
    assert row.seen < row.difference < row.check_sees
    assert row.components["1e-09"] == (10, 10)
    assert row.all_scaled
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl", ".svg"}
    assert "30-16-8-1, m = 64" in run("show", str(out)).stdout
    assert "| 30-16-8-1, m = 64 | 641 |" in run("show", str(out), "--markdown").stdout


def test_losses_have_the_sizes_that_are_said() -> None:
    """And depth is what it says."""
    for name, size in SIZES.items():
        assert BY_NAME[name].subject().size == size
    depths = [case.subject().size for case in CASES if case.name.startswith("depth")]
    assert depths == sorted(depths)


def test_an_unknown_loss_is_answered_with_the_known_ones() -> None:
    """Exit status 2, and nothing is measured."""
    done = run("proof", "--losses", "huge")
    assert done.exit_code == 2
    assert "unknown loss huge; known: small, mnist" in " ".join(done.stderr.replace("│", " ").split())


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Also through a file; what is something else is named with its line."""
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{ROW.to_json()}\n")
    assert is_proof(path)
    assert read(path) == (ROW,)
    path.write_text(f"{ROW.to_json()}\n{{}}\n")
    with pytest.raises(RowsError, match=r"rows\.jsonl:2: not a row"):
        read(path)
    with pytest.raises(RowsError):
        from_json('{"suite": "breadth"}')


def test_the_table_has_medians_and_marks_what_is_not_right(tmp_path: Path) -> None:
    """What is never called wrong has an empty cell."""
    (line,) = lines_of([ROW])
    assert line == (
        *("30-16-8-1", "641", "10 ms", "30 ms", "50 ms", "3", "128", "4e-37", "1e-14", ""),
        *("10/10", "5/10", "1e-11", "4e-07"),
    )
    (invalid,) = lines_of([replace(ROW, valid=False, claim="inaccurate")])
    assert invalid[0] == "INVALID inaccurate 30-16-8-1"
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{ROW.to_json()}\n")
    assert markdown_of(path).splitlines()[2].startswith("| 30-16-8-1 | 641 | 10 ms |")
