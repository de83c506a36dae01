"""What is recorded: names, labels, places."""

import linecache
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import trace_of
from xcheck.trace import UntraceableError
from xcheck_numpy.tracing.recorder import Recorder, person_place

X = np.array([0.5, -1.0, 2.0])


def test_the_label_is_what_the_person_has_called() -> None:
    """Not what that calls itself; functions of SciPy are called so."""
    from scipy import special

    trace = trace_of(lambda x: np.var(x) + special.expit(x[0]) + np.linalg.norm(x), X)
    labels = {operation.name: operation.label for operation in trace.operations}
    assert labels["integer_pow"] == "np.var"
    assert labels["logistic"] == "scipy.special.expit"
    assert labels["sqrt"] == "np.linalg.norm"


def test_labels_end_with_their_call() -> None:
    """Also where it raises."""
    recorder = Recorder()
    with pytest.raises(ValueError, match="x"), recorder.calling("np.sum"), recorder.calling("np.add"):
        raise ValueError("x")
    recorder.record("sum", [], [np.zeros(2)], lambda: (), {})
    assert recorder.operations[0].label == "sum"


def test_the_place_is_the_innermost_line_of_a_person() -> None:
    """NumPy's frames in between do not count."""
    found: list[Any] = []

    def note(row: Any) -> Any:
        found.append(person_place())
        return row.sum()

    np.apply_along_axis(note, 0, np.eye(2))
    assert found[0].file == __file__
    assert linecache.getline(found[0].file, found[0].line).strip().startswith("found.append")


def test_the_first_failure_counts() -> None:
    """What comes after it may be its consequence."""
    recorder = Recorder()
    first = recorder.refuse("`a`")
    recorder.refuse("`b`")
    assert recorder.failure is first
    assert str(first).startswith("`a` cannot be followed at ")
    assert f"{Path(__file__).name}:" in str(first)


def test_the_expression_that_wants_a_number_is_quoted() -> None:
    """As it stands in the person's file."""

    def loss(x: Any) -> Any:
        return struct.unpack("d", struct.pack("d", x[1] * 2))[0]

    with pytest.raises(UntraceableError, match=r"`struct.pack\(\"d\", x\[1\] \* 2\)` cannot be followed at .*:\d+$"):
        trace_of(loss, X)
