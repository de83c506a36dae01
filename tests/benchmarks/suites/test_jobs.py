"""The jobs suite: hundreds of small checks in one process, beside a peer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from benchmarks.__main__ import cli
from benchmarks.measure.rows import read
from benchmarks.peers.judges import AGREE
from benchmarks.suites.function_cases import Made
from benchmarks.suites.jobs import JOBS, job_table, jobs_markdown, measure_jobs
from tests.benchmarks.fakes import row


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(cli, arguments)


def test_a_quick_run_from_end_to_end(tmp_path: Path) -> None:
    """The job of NumPy: two rows with the same checks, and a table, which `show` prints again."""
    out = tmp_path / "jobs.jsonl"
    done = run("jobs", "--quick", "--jobs", "numpy", "--checks", "5", "--out", str(out))
    assert done.exit_code == 0, done.output
    ours, theirs = read(out)
    assert (ours.method, theirs.method) == ("xcheck", "scipy-3-point")
    assert ours.valid
    assert theirs.valid
    assert ours.examples == theirs.examples == 5
    assert ours.parameters == theirs.parameters > 15
    # Two losses per parameter and one at θ for each check.
    assert theirs.evaluations == 2 * theirs.parameters + 5
    assert "5 small checks (numpy)" in done.stdout
    assert "5 small checks (numpy)" in run("show", str(out)).stdout


def test_peers_agree_with_the_jobs_of_their_frameworks() -> None:
    """gradcheck and check_grads take the same functions."""
    jobs = [job for job in JOBS if job.name in ("torch", "jax")]
    rows = list(measure_jobs(jobs, 1, 1, {}, lambda text: None))
    assert [one.method for one in rows] == ["xcheck", "gradcheck", "xcheck", "check_grads"]
    assert all(one.valid for one in rows)


def test_a_job_that_is_not_right_is_not_fast() -> None:
    """Times become a ratio; what does not agree has no time."""
    rows = [
        row(scenario="torch", method="xcheck", kind="job", samples=(1.0, 3.0), shape="2 checks"),
        row(scenario="torch", method="gradcheck", kind="job", samples=(2.0, 2.0), shape="2 checks"),
        row(scenario="second", method="xcheck", kind="job", samples=(1.0,), valid=False, verdict="undecided"),
    ]
    cells = [list(column.cells) for column in job_table(rows).columns]
    assert cells[5] == ["1.00 x", ""]
    assert cells[2] == ["2.00 s", "INVALID undecided"]
    assert cells[6] == ["≤ 1 x", "≤ 1 s"]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in jobs_markdown(rows).splitlines()]
    assert lines[2:] == [list(line) for line in zip(*cells, strict=True)]


def test_an_unknown_job_is_answered_with_the_known_ones() -> None:
    """Exit status 2, and nothing is measured."""
    done = run("jobs", "--jobs", "cobol")
    assert done.exit_code == 2
    assert "unknown job cobol; known: torch, jax, numpy" in " ".join(done.stderr.replace("│", " ").split())


def test_memory_is_that_of_the_method_that_took_it() -> None:
    """What a peer keeps is not counted as xcheck's: check_grads keeps a compiled program for every operation."""
    kept = []

    def by_hoarder(made: Made) -> tuple[str, int]:
        kept.append(np.ones(1 << 22))
        return AGREE, 0

    (job,) = [job for job in JOBS if job.name == "numpy"]
    hoarded = replace(job, peer=("hoarder", by_hoarder))
    ours, theirs = measure_jobs([hoarded], 4, 1, {}, lambda text: None)
    more = [(one.peak_memory or 0) - (one.idle_memory or 0) for one in (ours, theirs)]
    assert more[0] < 32 << 20 < 4 * kept[0].nbytes - (8 << 20) < more[1]
