"""Factorisations of matrices and what is solved by them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import xcheck
from tests.backends.xcheck_torch.traced import assert_traced, made, randn

A = randn(3, 3)
S = A @ A.T + torch.eye(3, dtype=torch.float64)
CASES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "cholesky": ("cholesky", torch.linalg.cholesky),
    "upper": ("cholesky", lambda x: torch.linalg.cholesky(x, upper=True)),
    "inverse": ("inv", torch.linalg.inv),
    "determinant": ("det", torch.linalg.det),
    "logdet": ("slogdet", lambda x: torch.linalg.slogdet(x)[1] + torch.logdet(x)),
    "solve": ("solve", lambda x: torch.linalg.solve(x, A[0]).sum() + torch.linalg.solve(x, A[:2], left=False)),
    "triangular": ("triangular_solve", lambda x: torch.linalg.solve_triangular(x.tril(), x, upper=False)),
    "inverse of a factor": ("triangular_solve", lambda x: torch.cholesky_inverse(x.tril())),
    "inverse of an upper one": ("triangular_solve", lambda x: torch.cholesky_inverse(x.triu(), upper=True)),
    "lu": ("lu", lambda x: torch.linalg.lu(x + A)[1] @ torch.linalg.lu(x + A)[2].exp()),
    "lu of a tall one": ("lu", lambda x: torch.linalg.lu((x + A)[:, :2])[1]),
    "lu of a wide one": ("lu", lambda x: torch.linalg.lu((x + A)[:2])[2]),
    "pseudo-inverse": ("qr", lambda x: torch.linalg.pinv(x[:, :2])),
    "of a wide one": ("qr", lambda x: torch.linalg.pinv(x[:2])),
    "least squares": ("qr", lambda x: torch.linalg.lstsq(x[:, :2], A[:, :1]).solution),
    "of fewest norm": ("qr", lambda x: torch.linalg.lstsq(x[:2], x[:2, :1], driver="gelsd").solution),
    "qr": ("qr", lambda x: torch.linalg.qr(x[:, :2])[1]),
    "exponential": ("expm", torch.linalg.matrix_exp),
    "eigenvalues": ("eigh", torch.linalg.eigvalsh),
    "eigenvectors": ("eigh", lambda x: torch.linalg.eigh(x)[1] ** 2),
    "singular values": ("svd", torch.linalg.svdvals),
    "singular vectors": ("svd", lambda x: torch.linalg.svd(x, full_matrices=False)[0] ** 2),
}


@pytest.mark.parametrize("name", CASES)
def test_factorisations(name: str) -> None:
    """Of a symmetric matrix: torch symmetrises the gradient where one triangle is read."""
    ours, function = CASES[name]

    def loss(x: torch.Tensor) -> torch.Tensor:
        return function((x + x.T) / 2).sin().sum()

    assert_traced(loss, S)
    names = [operation.name for operation in made(loss, S).trace().operations]
    assert ours in names
    # What checks for errors is no part of the loss.
    assert not any(name.startswith("torch ") for name in names)


def test_dependent_columns_are_not_proved() -> None:
    """Their pseudo-inverse is another formula: nothing is claimed."""

    def loss(x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.pinv(torch.outer(x, x)).sum()

    report = xcheck.check(loss, randn(3), backend="torch", proof=True)
    assert report.proof is not None
    assert report.proof.witnesses == ()
    assert report.proof.why_not != ()
