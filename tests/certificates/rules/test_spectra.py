"""Eigenvalues and singular values against mpmath, with the signs of NumPy's vectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from tests.certificates.rules.reference import apply, check_matrices
from xcheck.certificates.balls import constant
from xcheck.certificates.decisions import NotProvedError, UnsureError
from xcheck.certificates.rules.spectra import spectrum
from xcheck.certificates.slopes import at_precision
from xcheck.trace import Operation, Value

SQUARE = np.random.default_rng(0).normal(size=(2, 4, 4))
TALL = np.random.default_rng(1).normal(size=(2, 5, 3))
THREE = (Value((), "float64"), Value((), "float64"), Value((), "float64"))


def turned(vectors: Any, theirs: Any) -> Any:
    """Columns with the signs of others."""
    for j in range(vectors.cols):
        cosine = sum(vectors[i, j] * theirs[i, j] for i in range(vectors.rows))
        for i in range(vectors.rows):
            vectors[i, j] *= mp.sign(cosine)
    return vectors


@pytest.mark.parametrize("is_lower", [True, False])
def test_eigh(is_lower: bool) -> None:
    """One triangle is read; the eigenvalues rise, the vectors have NumPy's signs."""
    theirs = iter([one for one in np.linalg.eigh(SQUARE, UPLO="L" if is_lower else "U")[1] for _ in range(5)])

    def reference(a: Any) -> Sequence[Any]:
        triangle, size = a if is_lower else a.T, range(a.rows)
        values, vectors = mp.eigsy(mp.matrix([[triangle[max(i, j), min(i, j)] for j in size] for i in size]))
        return [values, turned(vectors, next(theirs))]

    check_matrices(
        "eigh",
        reference,
        [SQUARE],
        run=lambda a: np.linalg.eigh(a, UPLO="L" if is_lower else "U"),
        outputs=THREE[:2],
        lower=is_lower,
    )


def numpy_svd(a: Any) -> Any:
    """Singular values first."""
    u, s, v = np.linalg.svd(a, full_matrices=False)
    return s, u, v


@pytest.mark.parametrize("array", [TALL, TALL.swapaxes(-1, -2), SQUARE], ids=["tall", "wide", "square"])
def test_svd(array: Any) -> None:
    """The values fall, the vectors have NumPy's signs."""
    theirs = iter([one for one in numpy_svd(array)[1] for _ in range(5)])

    def reference(a: Any) -> Sequence[Any]:
        size = min(a.rows, a.cols)
        squares, vectors = mp.eigsy(a * a.T)
        largest = list(reversed(range(a.rows)))[:size]
        u = turned(mp.matrix([[vectors[i, j] for j in largest] for i in range(a.rows)]), next(theirs))
        s = [mp.sqrt(squares[j]) for j in largest]
        v = mp.diag([1 / one for one in s]) * u.T * a
        return [mp.matrix(s), u, v]

    check_matrices("svd", reference, [array], run=numpy_svd, outputs=THREE, full=False)
    [values] = check_matrices(
        "svd",
        lambda a: [mp.matrix(reference_values(a))],
        [array],
        run=lambda a: (np.linalg.svd(a, compute_uv=False),),
        outputs=THREE[:1],
        full=False,
    )
    assert np.allclose(values.values.astype(float), numpy_svd(array)[0])


def reference_values(a: Any) -> list[Any]:
    """The singular values, falling."""
    small = a.T * a if a.rows >= a.cols else a * a.T
    return [mp.sqrt(one) for one in reversed(list(mp.eigsy(small, eigvals_only=True)))]


def test_equal_eigenvalues_are_not_proved() -> None:
    """Their vectors have no slopes."""
    operation = Operation(name="eigh", inputs=(), outputs=(), run=lambda: ())
    with at_precision(256), pytest.raises(UnsureError, match="may be equal"):
        spectrum(operation, constant(np.diag([1.0, 2.0, 1.0])), None)


def test_vectors_that_belong_to_no_value_are_refused() -> None:
    """The full U of a tall matrix has columns that nothing determines."""
    with pytest.raises(NotProvedError, match="no singular value"):
        apply("svd", constant(TALL), run=np.linalg.svd, outputs=THREE, attributes={"full": True})


def test_a_framework_with_other_vectors_is_refused() -> None:
    """Its signs would be guessed."""
    with pytest.raises(NotProvedError, match="other eigenvectors"):
        apply(
            "eigh",
            constant(np.diag([1.0, 2.0])),
            run=lambda a: (np.ones(2), np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)),
            outputs=THREE[:2],
            attributes={"lower": True},
        )
