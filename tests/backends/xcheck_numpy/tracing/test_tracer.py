"""Tracers behave like arrays of NumPy, also towards Python."""

import copy
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import trace_of
from xcheck.trace import UntraceableError, Value
from xcheck_numpy import trace
from xcheck_numpy.tracing.recorder import Recorder
from xcheck_numpy.tracing.tracer import FUNCTIONS, UFUNCS, Tracer, lift

X = np.array([[0.5, -1.0, 2.0], [3.0, 4.0, 5.5]])


def tracer_of(array: Any, *, constant: bool = False) -> Tracer:
    """Return a tracer of an array, which depends on the parameters unless it is constant."""
    made = Tracer(Recorder(), np.array(array), scalar=False)
    if not constant:
        made.stand_for(Value(made.shape, made.dtype.name))
    return made


def test_the_tables_are_filled() -> None:
    """By every module of the package."""
    assert len(trace.TABLES) == 11
    assert set(UFUNCS) == {"__call__", "reduce", "accumulate", "outer", "at"}
    assert {"sum", "einsum", "getitem", "where", "interp", "median", "linalg.solve"} <= set(FUNCTIONS)


def test_what_an_array_says_of_itself() -> None:
    """Shape, size, dtype, its text, and that it is an array."""
    x: Any = tracer_of(X)
    assert (x.shape, x.ndim, x.size, x.dtype, len(x), x.itemsize) == ((2, 3), 2, 6, np.float64, 2, 8)
    assert repr(x) == f"tracer of {X!r}"
    assert f"{x[0, 1]:.2f}" == "tracer of -1.00"
    assert isinstance(x, np.ndarray)
    assert isinstance(x[0, 0], np.float64)
    assert [part.shape for part in x] == [(3,), (3,)]
    assert copy.deepcopy(x).shape == copy.copy(x).shape == (2, 3)


def test_a_number_has_no_length() -> None:
    """As in NumPy."""
    with pytest.raises(TypeError, match="unsized"):
        len(tracer_of(1.5))
    with pytest.raises(TypeError, match="0-d"):
        iter(tracer_of(1.5))


def test_what_python_decides_is_guarded() -> None:
    """Truth values, integers, indices, membership; a constant needs no guard."""
    x = tracer_of(X)
    assert bool(x[0, 0] > 0)
    assert int(x[1, 2]) == 5
    assert [10, 20, 30][np.argmax(x[0])] == 30
    assert 4.0 in x
    assert np.asarray(x > 0).tolist() == (X > 0).tolist()
    guards = [operation for operation in x.recorder.operations if operation.name == "guard"]
    assert len(guards) == 5
    constant = tracer_of(X, constant=True)
    assert bool(constant[0, 0] > 0)
    assert float(constant[0, 0]) == 0.5
    assert np.fft.fft(constant).shape == (2, 3)
    assert np.lexsort([constant[0], constant[1]]).tolist() == [0, 1, 2]
    assert not constant.recorder.operations


@pytest.mark.parametrize("convert", [float, complex, lambda x: [1, 2][x]])
def test_floating_numbers_are_no_numbers_of_python(convert: Any) -> None:
    """They would carry nothing on."""
    with pytest.raises((UntraceableError, TypeError)):
        convert(tracer_of(1.5))


def test_an_unknown_method_is_named() -> None:
    """An attribute that arrays do not have either is no method."""
    with pytest.raises(AttributeError, match="the method `tobytes` of an array cannot be followed"):
        tracer_of(X).tobytes()


def test_what_leaves_a_constant_is_a_copy() -> None:
    """Else a plain array would see what is written into the tracer, and carry nothing on."""
    x = tracer_of(np.zeros(3), constant=True)
    plain = np.real_if_close(x)
    other = np.asarray(x)
    x[0] = tracer_of(2.0)
    assert (plain[0], other[0], x.array[0]) == (0.0, 0.0, 2.0)


def test_what_is_lifted() -> None:
    """Numbers, lists, arrays of objects that are numbers; words and other objects are refused."""
    x = tracer_of(X)
    recorder = x.recorder
    assert lift(recorder, x) is x
    assert lift(recorder, 2).dtype == np.int64
    assert lift(recorder, [x[0], [1, 2, 3]]).shape == (2, 3)
    assert lift(recorder, np.array([x[0, 0], 2.0], object)).array.tolist() == [0.5, 2.0]
    assert lift(recorder, Fraction(1, 4)).array.tolist() == 0.25
    assert lift(recorder, [x[0, 0], 10**30]).array.tolist() == [0.5, 1e30]
    with pytest.raises(UntraceableError, match="an array of <U4"):
        lift(recorder, "word")
    with pytest.raises(UntraceableError, match="an array with an object of type `dict` cannot be followed"):
        lift(recorder, {"W": 1.0})


def test_a_tracer_is_written_into() -> None:
    """By its methods; a view is another look at the same numbers."""
    x = tracer_of(X)
    row = x[0]
    row.sort()
    x[1].fill(7.0)
    assert x.array.tolist() == [[-1.0, 0.5, 2.0], [7.0, 7.0, 7.0]]
    assert row.value is not None


def test_numbers_of_the_program_are_copied() -> None:
    """What it writes into its data later does not change the trace."""
    data = np.ones(3)

    def loss(x: Any) -> Any:
        found = np.sum(x[0] * data)
        data[:] = 5
        return found

    trace_ = trace_of(loss, X)
    constants = [one.array for op in trace_.operations for one in op.inputs if hasattr(one, "array")]
    assert all((array == 1).all() for array in constants)
    assert (data == 1).all()
