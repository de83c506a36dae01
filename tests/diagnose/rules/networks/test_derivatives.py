"""The table of derivatives: right ones are those of the oracle's own activations, and mistaken ones are not."""

import numpy as np
import pytest

from xcheck.diagnose.rules.networks.derivatives import LOSS_MISTAKES, LOSS_SLOPES, SLOPES, mistaken_slopes
from xcheck.networks.network import ACTIVATIONS, LOSSES, ActivationName, LossName
from xcheck.oracle.network.forward import NATURAL, NUMPY

Z = np.random.default_rng(0).uniform(-3, 3, (50, 3))
STEP = 1e-6


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_derivative_is_that_of_the_activation(name: ActivationName) -> None:
    """To what a central difference knows."""
    plus, minus = (np.asarray(NATURAL[name](NUMPY, Z + side * STEP)) for side in (1, -1))
    assert np.allclose(SLOPES[name](Z), (plus - minus) / (2 * STEP), atol=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_mistake_is_one(name: ActivationName) -> None:
    """It differs from g' somewhere; what is the same for this activation would be no explanation."""
    activations = np.asarray(NATURAL[name](NUMPY, Z))
    wrong = mistaken_slopes(name, Z, activations)
    same = {what for what, slope in wrong.items() if np.allclose(slope, SLOPES[name](Z))}
    assert same <= {"1: no derivative at all", "g'(a), at the activation and not at z"}
    assert len(wrong) - len(same) >= 8


@pytest.mark.parametrize("name", LOSSES)
def test_every_mistake_in_a_loss_is_one(name: LossName) -> None:
    """At one-hot targets, none gives the right slope."""
    Y = np.eye(3)[np.arange(50) % 3]
    with np.errstate(all="ignore"):
        same = [what for what, f in LOSS_MISTAKES[name].items() if np.allclose(f(Z, Y), LOSS_SLOPES[name](Z, Y))]
    assert same == []
