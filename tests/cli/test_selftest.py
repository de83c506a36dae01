"""The command `selftest`."""

import json

import pytest

from tests.commands import SMALL, Typist

PYTHON = """
import numpy as np
import xcheck

def cube(x):
    return (x**3).sum()

def _case(gradient):
    return xcheck.Case(xcheck.objective(cube, "numpy", gradient=gradient), np.array([1.0, 2.0, -1.5]))

right = _case(lambda x: 3 * x**2)
wrong = _case(lambda x: 2 * x**2)
"""


@pytest.fixture
def typed(typist: Typist) -> Typist:
    """A folder with model.toml and model.py to type commands in."""
    (typist.folder / "model.toml").write_text(SMALL)
    (typist.folder / "model.py").write_text(PYTHON)
    return typist


def test_sharp_is_0(typed: Typist) -> None:
    """The score is in the first line, the command in the last."""
    done = typed("selftest", "model.toml")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("SHARP  model.toml: 29 of 29 planted faults found, 29 of them located\n")
    assert done.out.endswith("  again: python -m xcheck selftest model.toml --seed 0\n")


def test_blunt_is_3(typed: Typist) -> None:
    """And says what slips through, at 40 columns, too."""
    done = typed("selftest", "model.toml", "--tolerance", "0.05", columns=40)
    assert done.status == 3
    assert done.out.startswith("BLUNT  ")
    assert "one component + 1 %: W1[" in done.out
    assert all(len(line) <= 40 for line in done.out.splitlines() if "again:" not in line)


def test_the_worst_of_several_decides(typed: Typist) -> None:
    """One line of JSON for each, in order."""
    done = typed("selftest", "model.py", "model.toml", "--format", "json")
    assert done.status == 1
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["model"], one["check"], one["exit"]) for one in found] == [
        ("model.py::right", "AGREE", 0),
        ("model.py::wrong", "DISAGREE", 1),
        ("model.toml", "AGREE", 0),
    ]
    assert found[0]["score"] == 1.0
    assert {fault["outcome"] for fault in found[0]["faults"]} == {"killed", "not applicable"}


def test_an_output_file(typed: Typist) -> None:
    """Nothing is left on standard output."""
    done = typed("selftest", "model.toml", "--output", "report.txt")
    assert (done.status, done.out) == (0, "")
    assert (typed.folder / "report.txt").read_text().startswith("SHARP")


def test_a_definition_that_cannot_be_read_is_2(typed: Typist) -> None:
    """As in a check."""
    assert typed("selftest", "missing.toml") == (2, "", "missing.toml: cannot read: no such file\n")
