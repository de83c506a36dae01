"""Jacobians written by hand: every shape in which people return them is read, and what cannot be is said."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import xcheck
from xcheck.backend.by_hand.jacobians import read_jacobian
from xcheck.backend.registry import read
from xcheck.verdict import Verdict

ROWS = np.arange(6.0).reshape(2, 3)
CUBE = np.arange(24.0).reshape(2, 2, 3, 2)


@pytest.mark.parametrize(
    ("returned", "shape", "outputs"),
    [
        (ROWS, (3,), (2,)),
        (ROWS.tolist(), (3,), (2,)),
        (sparse.csr_matrix(ROWS), (3,), (2,)),
        (sparse.coo_array(ROWS), (3,), (2,)),
        ({"x": ROWS}, (3,), (2,)),
        (ROWS[:1], (3,), (1,)),
        (ROWS[0], (3,), ()),
        (CUBE, (3, 2), (2, 2)),
        (CUBE.reshape(4, 6), (3, 2), (2, 2)),
    ],
    ids=["dense", "lists", "csr", "coo", "by name", "one output", "a number", "all axes", "counted"],
)
def test_every_shape_is_read(returned: Any, shape: tuple[int, ...], outputs: tuple[int, ...]) -> None:
    """Rows are outputs, and what has several axes keeps them or is counted in C order."""
    found = read_jacobian(returned, {"x": np.zeros(shape)}, outputs, read)["x"]
    dense = (
        returned.toarray() if sparse.issparse(returned) else returned["x"] if isinstance(returned, dict) else returned
    )
    assert found.shape == (int(np.prod(outputs)), *shape)
    assert np.array_equal(found.ravel(), np.asarray(dense).ravel())


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "is a return missing"),
        (ROWS.T, "it is transposed, the outputs come first"),
        (np.zeros((2, 4)), r"shape \(2, 4\), expected \(2, 3\)"),
        ({"y": ROWS}, "no array for x"),
        ("text", "no array for x"),
    ],
    ids=["nothing", "transposed", "another shape", "another name", "a word"],
)
def test_what_cannot_be_read_says_why(returned: Any, words: str) -> None:
    """Both shapes are named."""
    given = {"x": np.zeros(3)} if not isinstance(returned, dict) else {"x": np.zeros(3), "z": np.zeros(1)}
    with pytest.raises(ValueError, match=words):
        read_jacobian(returned, given, (2,), read)


def test_a_sparse_one_that_is_too_large_is_not_made_dense() -> None:
    """What to give in its place is said."""
    huge = sparse.csr_matrix((100_000, 100_000))
    with pytest.raises(ValueError, match="give vjp= or jvp="):
        read_jacobian(huge, {"x": np.zeros(100_000)}, (100_000,), read)


def stencil(u: Any) -> Any:
    """One step of u' = u_xx + u², with u = 0 at both ends."""
    wide = np.pad(u, 1)
    return wide[:-2] - 2 * u + wide[2:] + u**2


def stencil_jacobian(u: Any) -> Any:
    """Its tridiagonal Jacobian."""
    return sparse.diags([np.ones(u.size - 1), -2 + 2 * u, np.ones(u.size - 1)], [-1, 0, 1], format="csr")


def test_a_sparse_jacobian_of_a_stencil() -> None:
    """An entry that is wrong, and one that is missing from the pattern, are named."""
    u = np.linspace(-1.0, 1.0, 9) ** 3
    assert xcheck.check(stencil, u, jacobian=stencil_jacobian).verdict is Verdict.AGREE

    def wrong(u: Any) -> Any:
        found = stencil_jacobian(u).tolil()
        found[3, 4] = 0.0
        return found.tocsr()

    report = xcheck.check(stencil, u, jacobian=wrong)
    assert report.verdict is Verdict.DISAGREE
    assert report.pairs[0].wrong == 1
    assert "y[3] u[4]" in report.headline
