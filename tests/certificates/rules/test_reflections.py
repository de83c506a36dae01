"""Q and R against mpmath, with LAPACK's signs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from tests.certificates.rules.reference import along, apply, check_matrices
from xcheck.certificates.balls import constant
from xcheck.certificates.decisions import KinkError, NotProvedError
from xcheck.trace import Value

TALL = np.random.default_rng(0).normal(size=(2, 5, 3))
OUTPUTS = (Value((), "float64"), Value((), "float64"))


def lapack(full: bool) -> Any:
    """NumPy's Q and R."""
    return lambda a: tuple(np.linalg.qr(a, mode="complete" if full else "reduced"))


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("array", [TALL, TALL.swapaxes(-1, -2), TALL[:, :3]], ids=["tall", "wide", "square"])
def test_qr(array: Any, full: bool) -> None:
    """Reduced and complete, also the columns of Q that belong to no column of A."""
    rows, columns = array.shape[-2:]
    kept = rows if full else min(rows, columns)

    def reference(a: Any) -> Sequence[Any]:
        q, r = mp.eye(rows), a.copy()
        for k in range(min(rows - 1, columns)):
            x = [r[i, k] for i in range(k, rows)]
            beta = -mp.sign(x[0]) * mp.norm(x)
            v = mp.matrix([0] * k + [x[0] - beta, *x[1:]])
            mirror = mp.eye(rows) - 2 * v * v.T / (v.T * v)[0]
            q, r = q * mirror, mirror * r
        for i in range(rows):
            for j in range(min(i, columns)):
                r[i, j] = 0
        return [q[:, :kept], r[:kept, :]]

    found = check_matrices("qr", reference, [array], run=lapack(full), outputs=OUTPUTS, full=full)
    for ours, theirs in zip(found, lapack(full)(array), strict=True):
        assert np.allclose(ours.values.astype(float), theirs)


def test_a_triangle_is_left_alone() -> None:
    """There is nothing to reflect."""
    triangle = np.array([[-2.0, 1.0], [0.0, 3.0]])
    q, r = apply("qr", constant(triangle), run=lapack(full=False), outputs=OUTPUTS, attributes={"full": False})
    assert np.array_equal(q.values.astype(float), np.eye(2))
    assert np.array_equal(r.values.astype(float), triangle)


def test_a_sign_that_turns() -> None:
    """Where the first element passes 0, Q and R change their signs."""
    with pytest.raises(KinkError):
        apply(
            "qr",
            along([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]]),
            run=lapack(full=False),
            outputs=OUTPUTS,
            attributes={"full": False},
        )


def test_other_signs_are_refused() -> None:
    """Whose framework has a positive diagonal computes something else."""

    def positive(a: Any) -> Any:
        q, r = np.linalg.qr(a)
        signs = np.sign(np.diagonal(r, axis1=-2, axis2=-1))
        return q * signs[..., None, :], r * signs[..., None]

    with pytest.raises(NotProvedError, match="signs"):
        apply("qr", constant(TALL), run=positive, outputs=OUTPUTS, attributes={"full": False})
