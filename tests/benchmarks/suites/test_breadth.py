"""The breadth suite: who finds which fault in ordinary functions."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks.__main__ import cli
from benchmarks.measure.rows import RowsError
from benchmarks.peers.judges import JUDGES, Judge
from benchmarks.suites import breadth
from benchmarks.suites.breadth import BreadthPlan, Case, Tally, cases_of, measure_breadth
from benchmarks.suites.breadth_rows import BreadthRow, breadth_table, from_json, is_breadth, markdown, read
from tests.benchmarks.fakes import ENVIRONMENT, row
from tests.breadth.catalogue import CATALOGUE
from tests.breadth.entry import Entry, Params
from xcheck.testing.generic_faults import GENERIC_FAULTS

ENTRIES = {entry.name: entry for entry in CATALOGUE}
CHOSEN = [ENTRIES[name] for name in ("torch.tanh", "torch.linear_array", "jax.tanh", "numpy.logistic_regression")]
ROWS = (
    BreadthRow(
        framework="torch",
        method="xcheck",
        cases=2,
        undecided={"torch.tanh": "undecided"},
        faults={"x 2": (2, 2), "clipped": (1, 1)},
        environment=ENVIRONMENT,
    ),
    BreadthRow(
        framework="jax",
        method="check-grads",
        cases=1,
        rejected=("jax.tanh",),
        faults={"x 2": (0, 1)},
        missed={"x 2": ("jax.tanh",)},
        environment=ENVIRONMENT,
    ),
)


def says(word: str) -> Judge:
    """A judge of one word."""
    return lambda entry, params, data: word


def raises(entry: Entry, params: Params, data: tuple[Any, ...]) -> str:
    """A judge that fails."""
    raise ZeroDivisionError("on purpose")


def test_a_run_of_few_functions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From end to end: every method accepts what is right, and finds what is twice too large."""
    monkeypatch.setattr(breadth, "CATALOGUE", CHOSEN)
    monkeypatch.setattr(breadth, "GENERIC_FAULTS", {"x 2": GENERIC_FAULTS["x 2"]})
    out = tmp_path / "rows" / "breadth.jsonl"
    done = CliRunner().invoke(cli, ["breadth", "--out", str(out)])
    assert done.exit_code == 0, done.output
    rows = read(out)
    assert [row.heading for row in rows] == [
        "PyTorch: xcheck",
        "PyTorch: gradcheck",
        "PyTorch: gradcheck-fast",
        "JAX: xcheck",
        "JAX: check-grads",
        "NumPy: xcheck",
    ]
    assert [row.cases for row in rows] == [2, 2, 2, 1, 1, 1]
    assert all(row.faults == {"x 2": (1, 1)} and not row.rejected and not row.undecided for row in rows)
    assert all(row.environment["cpu"] and row.load is not None for row in rows)
    for arguments in (["show", str(out)], ["show", str(out), "--markdown"]):
        assert "all faults found" in CliRunner().invoke(cli, arguments).stdout


@pytest.mark.parametrize("judge", [judge for method, judge in JUDGES["torch"].items() if method != "xcheck"])
def test_gradcheck_calls_the_planted_backward_pass(judge: Judge) -> None:
    """What it says of a function with a fault is what it says of the fault."""
    right, *faulty = cases_of(ENTRIES["torch.layer_norm"], 0, None)
    assert right.judged(judge) == "agree"
    verdicts = {case.fault: case.judged(judge) for case in faulty}
    assert verdicts["x -1"] == verdicts["one tensor detached"] == verdicts["one component nan"] == "disagree"
    assert verdicts["x 1.0001"] == verdicts["rounded to float32"] == "agree"


def test_every_function_begins_with_another_fault() -> None:
    """So that a few of them in each function are all of them together; arrays have none."""
    first = {list(cases_of(CHOSEN[0], number, 1))[1].fault for number in range(4)}
    assert len(first) == 4
    assert [case.fault for case in cases_of(ENTRIES["torch.linear_array"], 0, None)] == [None]


def test_what_is_said_is_counted() -> None:
    """Found, missed, rejected; what is neither yes nor no is quoted, and finds nothing."""
    right = Case(CHOSEN[0], None, {}, ())
    spoiled = dataclasses.replace(right, fault="x 2")
    tallies = [Tally(judge) for judge in (says("disagree"), says("agree"), says("undecided"), raises)]
    for tally in tallies:
        tally.ask(right)
        tally.ask(spoiled)
    assert [tally.rejected for tally in tallies] == [["torch.tanh"], [], [], []]
    assert [tally.faults["x 2"] for tally in tallies] == [[1, 1], [0, 1], [0, 1], [0, 1]]
    assert [tally.missed for tally in tallies] == [{}, *[{"x 2": ["torch.tanh"]}] * 3]
    assert tallies[2].undecided == {"torch.tanh": "undecided"}
    assert tallies[3].undecided == {"torch.tanh": "ZeroDivisionError: on purpose"}


def test_a_part_of_the_catalogue_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the note of each row."""
    monkeypatch.setattr(breadth, "CATALOGUE", CHOSEN[:2])
    monkeypatch.setattr(breadth, "JUDGES", {key: {"xcheck": says("agree")} for key in JUDGES})
    plan = BreadthPlan(every=2, faults={"torch": 3, "jax": None, "numpy": None})
    notes = [row.note for row in measure_breadth(plan, {}, lambda text: None)]
    assert notes[0] == "one function in 2, 3 of the faults that apply to it"
    assert notes[1] == "one function in 2, all faults that apply to it"


def test_a_row_survives_the_file(tmp_path: Path) -> None:
    """What is written is read; rows of another suite are not taken for these."""
    assert tuple(from_json(one.to_json()) for one in ROWS) == ROWS
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{ROWS[0].to_json()}\n{row().to_json()}\n")
    assert is_breadth(path)
    with pytest.raises(RowsError, match=r"rows\.jsonl:2: not a row of this version .* measure again"):
        read(path)
    path.write_text(row().to_json() + "\n")
    assert not is_breadth(path)


def test_the_table_counts() -> None:
    """False alarms first, then every fault, and their sum; a fault that was not planted is an empty cell."""
    assert markdown(ROWS).splitlines() == [
        "| fault | PyTorch: xcheck | JAX: check-grads |",
        "|---|---:|---:|",
        "| right gradients rejected | 0/2 | 1/1 |",
        "| right gradients undecided | 1/2 | 0/1 |",
        "| x 2 | 2/2 | 0/1 |",
        "| clipped | 1/1 |  |",
        "| all faults found | 3/3 | 0/1 |",
    ]
    noted = [dataclasses.replace(one, note="every function") for one in ROWS]
    assert markdown(noted).splitlines()[-2:] == ["", "Asked: PyTorch: every function; JAX: every function."]
    console = Console(width=100)
    with console.capture() as capture:
        console.print(breadth_table(ROWS))
    assert "JAX: check-grads" in capture.get()
