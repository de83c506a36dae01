"""Second derivatives by hand: Hessians and products, as scipy.optimize.minimize takes them."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import optimize, sparse

import xcheck
from xcheck.verdict import Verdict

X = np.array([1.3, 0.7, 0.2, -0.4])


def scaled(hessian: Any) -> Any:
    """A Hessian with one entry off by a thousandth of itself."""
    found = hessian.copy()
    found[1, 2] *= 1.001
    return found


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
def test_hessians(make: Any) -> None:
    """A right one agrees, one that is off in one entry does not."""
    given: dict[str, Any] = {"gradient": optimize.rosen_der}
    right = xcheck.check(optimize.rosen, X, hessian=lambda x: make(optimize.rosen_hess(x)), **given)
    assert right.verdict is Verdict.AGREE, right
    wrong = xcheck.check(optimize.rosen, X, hessian=lambda x: make(scaled(optimize.rosen_hess(x))), **given)
    assert wrong.verdict is Verdict.DISAGREE
    assert "second order" in wrong.headline


def test_products() -> None:
    """H v along a vector, in NumPy and beside the gradient of torch itself."""
    right = xcheck.check(optimize.rosen, X, gradient=optimize.rosen_der, hvp=optimize.rosen_hess_prod)
    assert right.verdict is Verdict.AGREE

    def product(x: Any, v: Any) -> Any:
        return optimize.rosen_hess(x).T @ v + 1e-3 * v[0]

    assert not xcheck.check(optimize.rosen, X, gradient=optimize.rosen_der, hvp=product)
    own = xcheck.check(lambda x: (x**3).sum(), torch.tensor(X), hvp=lambda x, v: 6 * x * v)
    assert own.verdict is Verdict.AGREE
    assert not xcheck.check(lambda x: (x**3).sum(), torch.tensor(X), hvp=lambda x, v: 3 * x * v)


def test_what_is_no_hessian_of_one_array() -> None:
    """A wrong shape is said with both; of a tree a product is asked for."""
    flat = xcheck.check(optimize.rosen, X, gradient=optimize.rosen_der, hessian=lambda x: x)
    assert "the Hessian of x has shape (4,), expected (4, 4)" in " ".join(str(flat).split())
    tree = {"a": X, "b": X}
    report = xcheck.check(
        lambda p: (p["a"] * p["b"]).sum(),
        tree,
        gradient=lambda p: {"a": p["b"], "b": p["a"]},
        hessian=lambda p: np.eye(4),
        order=2,
    )
    assert "give hvp=" in str(report)


def test_without_one_it_is_said_what_to_give() -> None:
    """A gradient by hand alone has no second derivative."""
    report = xcheck.check(optimize.rosen, X, gradient=optimize.rosen_der, order=2)
    assert "hvp= or hessian=" in " ".join(str(report).split())
