"""`python -m benchmarks`."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks.__main__ import cli
from benchmarks.measure.rows import read
from tests.benchmarks.fakes import row

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(cli, arguments)


def test_list_names_scenarios_and_methods() -> None:
    """As a process: with their sizes, and what they do."""
    command = [sys.executable, "-m", "benchmarks", "list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for word in ("million", "1,068,810", "structured", "gradcheck-fast", "numdifftools"):
        assert word in done.stdout


def test_a_tiny_run_from_end_to_end(tmp_path: Path) -> None:
    """`run` is the default: rows, tables and plots; then shown again, as Markdown, and compared with itself."""
    out = tmp_path / "rows" / "cpu.jsonl"
    chosen = ("--scenarios", "tiny", "--engines", "none", "--peers", "notes-loop,scipy", "--no-command")
    done = run("--quick", *chosen, "--out", str(out))
    assert done.exit_code == 0, done.output
    rows = read(out)
    assert [one.method for one in rows] == ["notes-loop", "scipy"]
    assert all(one.valid and one.environment["cpu"] and one.faults for one in rows)
    assert {path.name for path in out.parent.iterdir()} >= {"cpu-time.svg", "cpu-detection.png"}
    assert "tiny: 3-4-3 tanh, n = 31" in done.stdout
    assert "| 3-4-3 tanh, n = 31 | scipy |" in run("show", str(out), "--markdown").stdout
    assert run("compare", str(out), str(out)).exit_code == 0


def test_a_device_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Before anything is measured or overwritten."""
    import jax

    if any(device.platform == "gpu" for device in jax.devices()):
        pytest.skip("this machine has a GPU")
    out = tmp_path / "rows.jsonl"
    done = run("--device", "gpu", "--out", str(out))
    assert done.exit_code == 2
    assert "no gpu to measure on" in done.stderr
    assert "use device = 'cpu'" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--peers", "scipi", "unknown peer scipi; known: notes-loop, scipy, numdifftools, gradcheck"),
        ("--engines", "fast", "unknown engine fast; known: loop, batched, structured, node"),
        ("--scenarios", "huge", "unknown scenario huge; known: tiny, small"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(option: str, value: str, complaint: str) -> None:
    """Exit status 2, and nothing is measured."""
    done = run(option, value)
    assert done.exit_code == 2
    assert complaint in " ".join(done.stderr.replace("│", " ").split())


def test_comparing_finds_what_has_become_invalid(tmp_path: Path) -> None:
    """Exit status 1."""
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text(row().to_json() + "\n")
    new.write_text(row(valid=False, verdict="disagree").to_json() + "\n")
    done = run("compare", str(old), str(new))
    assert done.exit_code == 1
    assert "became invalid" in done.stdout


def test_a_file_of_something_else_is_an_error(tmp_path: Path) -> None:
    """With the line."""
    path = tmp_path / "rows.jsonl"
    path.write_text("{}\n")
    done = run("show", str(path))
    assert done.exit_code == 1
    assert "rows.jsonl:1: not a row of this version" in done.stderr
