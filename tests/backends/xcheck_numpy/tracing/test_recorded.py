"""Numbers that can be written into, and the values that stand for them."""

import numpy as np
import pytest

from xcheck.trace import Constant, Trace, UntraceableError, Value, replay
from xcheck_numpy.tracing.recorded import cast, emit, move
from xcheck_numpy.tracing.recorder import Recorder
from xcheck_numpy.tracing.tracer import Tracer

X = np.arange(6.0).reshape(2, 3)


def start() -> tuple[Tracer, Value]:
    """Return a tracer and the input that it stands for."""
    made, value = Tracer(Recorder(), X.copy()), Value((2, 3), "float64")
    made.stand_for(value)
    return made, value


def test_constants_are_carried_out_at_once() -> None:
    """And nothing is recorded."""
    one = Tracer(Recorder(), X)
    [found] = emit("neg", [one], lambda x: (-x,))
    assert found.value is None
    assert isinstance(found.source, Constant)
    assert not one.recorder.operations


def test_a_view_and_its_whole_see_what_is_written() -> None:
    """Either way, through views of views, and the trace gives the same."""
    x, value = start()
    turned = move(np.transpose, x)
    column = move(lambda a: a[1:, 0], turned)
    column.assign(emit("neg", [column], lambda a: (-a,))[0])
    x.assign(emit("add", [x, x], lambda a, b: (a + b,))[0])
    assert column.array.tolist() == [-2.0, -4.0]
    trace = Trace(
        inputs=(value,), outputs=(x.source, turned.source, column.source), operations=tuple(x.recorder.operations)
    )
    found = replay(trace, [X])
    assert np.array_equal(found[0], x.array)
    assert np.array_equal(found[1], x.array.T)
    assert found[2].tolist() == [-2.0, -4.0]


def test_a_copy_is_no_view() -> None:
    """What is written into it stays there."""
    x, _ = start()
    copied = move(lambda a: a[:, [0, 1]], x)
    copied.assign(emit("neg", [copied], lambda a: (-a,))[0])
    assert copied.whole is None
    assert np.array_equal(x.array, X)


def test_casts_are_recorded_as_what_they_are() -> None:
    """To fewer digits, to integers, to truth values; more digits change nothing."""
    x, _ = start()
    narrow = cast(x, np.dtype(np.float32))
    cast(narrow, np.dtype(np.float64))
    cast(cast(x, np.dtype(np.int64)), np.dtype(np.float64))
    cast(x, np.dtype(bool))
    names = [operation.name for operation in x.recorder.operations]
    assert names == ["cast", "move", "to_integer", "exact", "is_nonzero"]
    assert cast(x, np.dtype(np.float64)) is x
    with pytest.raises(UntraceableError, match="an array of <U1"):
        cast(x, np.dtype("<U1"))


def test_complex_numbers_are_cast_part_by_part() -> None:
    """To complex ones of any width; to real ones it is the real part, and to integers nothing."""
    z = cast(start()[0], np.dtype(complex))
    cast(z, np.dtype(np.complex64))
    assert cast(z, np.dtype(np.float64)).array.tolist() == X.tolist()
    cast(z, np.dtype(bool))
    assert [operation.name for operation in z.recorder.operations] == ["move", "cast", "real", "is_nonzero"]
    with pytest.raises(UntraceableError, match="an array of int64"):
        cast(z, np.dtype(np.int64))
