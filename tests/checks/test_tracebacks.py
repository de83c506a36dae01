"""Tracebacks of a person's own code."""

import sysconfig
from pathlib import Path

import numpy as np

import xcheck
from xcheck.checks.tracebacks import is_library, own_line, own_traceback


def divide(by: float) -> float:
    """Raise for zero, two calls deep."""
    return 1 / by


def caught() -> ZeroDivisionError:
    """An error that came through xcheck."""
    try:
        np.apply_along_axis(lambda row: divide(0 * float(row[0])), 0, np.ones(3))
    except ZeroDivisionError as error:
        return error
    raise AssertionError("nothing was raised")


def test_frames_of_libraries_are_left_out() -> None:
    """What is left reads as Python writes it."""
    text = own_traceback(caught())
    assert "return 1 / by" in text
    assert "apply_along_axis(func1d" not in text
    assert text.splitlines()[-1].startswith("ZeroDivisionError: ")


def test_the_last_line_of_a_file() -> None:
    """The one to look at first; None where the error never was in that file."""
    error = caught()
    line = own_line(error, Path(__file__))
    assert line is not None
    assert Path(__file__).read_text(encoding="utf-8").splitlines()[line - 1].strip() == "return 1 / by"
    assert own_line(error, Path("elsewhere.py")) is None


def test_what_is_a_library() -> None:
    """Python's own modules, installed packages, and what is frozen into the interpreter."""
    assert is_library(np.__file__)
    assert is_library("<frozen importlib._bootstrap>")
    assert is_library(str(Path(sysconfig.get_path("stdlib")) / "json" / "decoder.py"))
    assert not is_library(__file__)


def test_a_report_shows_the_persons_frames() -> None:
    """Of a function that raises."""
    report = xcheck.check(lambda p: divide(0 * p.sum()), np.ones(2), gradient=lambda p: p)
    trace = report.findings[0].trace
    assert trace is None or "xcheck/" not in trace
