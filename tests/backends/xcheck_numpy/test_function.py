"""Functions of NumPy arrays: what is read, and copies that lie in memory like the person's arrays."""

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import xcheck
from xcheck.backend import registry
from xcheck.backend.function_objective import FunctionObjective
from xcheck.dtypes import FLOAT16, FLOAT32
from xcheck.errors import BackendError
from xcheck.functions.arguments import read_arguments
from xcheck_numpy.function import lay_out, read_leaf

X = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    ("value", "dtype", "kind"),
    [
        (np.ones(2, np.float16), "float16", "f"),
        (np.ones(2, ml_dtypes.bfloat16), "bfloat16", "f"),
        (np.ones(2, np.complex64), "complex64", "c"),
        (np.float32(1), "float32", "f"),
        (1.5, "float64", "f"),
        (1j, "complex128", "c"),
        (np.arange(2, dtype=np.int8), "int8", "i"),
        (np.array([True]), "bool", "b"),
    ],
    ids=str,
)
def test_numbers_are_read(value: Any, dtype: str, kind: str) -> None:
    """Floating ones in 64 bits, others as they are."""
    leaf = read_leaf(value)
    assert leaf is not None
    assert (leaf.dtype, leaf.values.dtype.kind) == (dtype, kind)
    assert leaf.values.dtype.itemsize == {"f": 8, "c": 16, "i": 1, "b": 1}[kind]


@pytest.mark.parametrize(
    "value",
    [3, True, "word", np.array(["word"]), np.array([object()]), None],
    ids=["a number", "a flag", "a word", "words", "objects", "nothing"],
)
def test_what_holds_no_numbers_is_not_read(value: Any) -> None:
    """A Python integer is a setting rather than an array."""
    assert read_leaf(value) is None


@pytest.mark.parametrize(
    "source",
    [X, X.T, X[:, ::2], X[::-1], X[:, ::-1], X.T[::-1], np.asfortranarray(X), np.array(3.0)],
    ids=["plain", "transposed", "gaps", "upside down", "backwards", "both", "Fortran", "scalar"],
)
def test_a_copy_lies_like_its_source(source: np.ndarray) -> None:
    """The same axes vary fastest, in the same directions, with or without gaps; and nothing is shared."""
    copy = lay_out(source + 1, source)
    assert np.array_equal(copy, source + 1)
    assert not np.shares_memory(copy, source)
    assert [np.sign(stride) for stride in copy.strides] == [np.sign(stride) for stride in source.strides]
    assert copy.flags.c_contiguous == source.flags.c_contiguous
    assert np.argsort(np.abs(copy.strides)).tolist() == np.argsort(np.abs(source.strides)).tolist()


def test_numpy_has_no_autodiff() -> None:
    """It says what to give instead."""
    function = xcheck.objective(lambda p: p.sum(), "numpy")
    objective = registry.get("numpy").function_objective(function, read_arguments(X, (), registry.read))
    with pytest.raises(BackendError, match="NumPy has no autodiff: give the backward pass as gradient="):
        objective.loss_and_gradient(X.ravel())


def test_python_numbers_stay_python_numbers() -> None:
    """A function that calls `math` with its parameters works."""
    function = xcheck.objective(lambda p: math.exp(p) if type(p) is float else math.nan, "numpy", gradient=math.exp)
    objective = registry.get("numpy").function_objective(function, read_arguments(2.0, (), registry.read))
    assert objective.losses(np.array([[3.0]])).tolist() == [math.exp(3.0)]


@pytest.mark.parametrize(
    ("loss", "coarsest"),
    [
        (lambda p: np.sin(p).sum(), 0.0),
        (lambda p: float(np.round(p, 5).sum()), 0.0),
        (lambda p: math.floor(1e5 * p[0, 0]) / 1e5, 0.0),
        (lambda p: float(p.astype(np.float32).sum()), FLOAT32),
        (lambda p: np.sin(p.astype("float16")).astype(np.float64).sum(), FLOAT16),
        (lambda p: p.astype(ml_dtypes.bfloat16).astype(np.float64).sum(), None),
        (lambda p: float(np.frombuffer(p.tobytes()).sum()), None),
    ],
    ids=["sine", "round", "floor", "float32", "float16", "bfloat16", "bytes"],
)
def test_narrow_results_are_seen_in_the_trace(loss: Callable[[np.ndarray], float], coarsest: float | None) -> None:
    """Rounding on purpose is none; of what cannot be followed nothing is known."""
    function = xcheck.objective(loss, "numpy")
    objective = registry.get("numpy").function_objective(function, read_arguments(X, (), registry.read))
    assert isinstance(objective, FunctionObjective)
    assert objective.narrow() == coarsest
