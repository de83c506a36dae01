"""The contraction: the gradient is within its bars, and what is not known stays so."""

import numpy as np

from tests.oracle.nodes.product import LAYOUT, THETA, Product, X, components
from xcheck.layout import Vector
from xcheck.oracle.estimators.one_sided import estimate_one_sided
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.nodes.contraction import contract
from xcheck.oracle.nodes.engine import NodesEngine


def contracted(nodes: Product, noise: float = 1e-16) -> OneSidedGradient:
    """The gradient with respect to w."""
    engine, sigma = NodesEngine(nodes), np.full(len(X), noise)
    found = estimate_one_sided(engine, sigma, tolerance=1e-7)
    return contract(engine, found, sigma, components(nodes.outer))


def test_the_gradient_is_within_its_bars() -> None:
    """Which are narrow beside it; a dispute is settled by the components themselves."""
    found = contracted(Product(np.sin))
    right = np.cos(X @ THETA) @ X
    assert (np.abs(found.measured.value - right) <= found.measured.bar).all()
    assert found.measured.bar.max() < 1e-7 * np.abs(right).max()
    assert found.two_step.all()


def test_noise_of_many_losses_adds_up_in_squares() -> None:
    """Noise of known size is covered, by less than three times what it is along one node."""
    rng = np.random.default_rng(0)

    def noisy(z: Vector) -> Vector:
        return np.asarray(np.sin(z) + 1e-9 * rng.standard_normal(z.shape) / np.sqrt(z.shape[-1]))

    found = contracted(Product(noisy), noise=1e-9)
    right = np.cos(X @ THETA) @ X
    assert (np.abs(found.measured.value - right) <= found.measured.bar).all()
    assert found.measured.bar.max() < 1e-3


def test_what_is_not_known_stays_so() -> None:
    """Components that nodes do not cover, and those that a kink of a node moves."""
    found = contracted(Product(np.sin, covered=150))
    assert np.isnan(found.measured.value[150:]).all()
    assert np.isfinite(found.measured.value[:150]).all()
    kink = Product(lambda z: np.abs(z - X[0] @ THETA) + np.sin(z))
    unknown = np.isnan(contracted(kink).measured.value)
    assert unknown[np.abs(X[0]) > 1e-3].all()
    assert LAYOUT.size == len(unknown)
