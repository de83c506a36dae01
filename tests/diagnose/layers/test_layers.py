"""The layers are right as they stand, and each mistake in them makes a difference."""

import numpy as np
import pytest

from tests.diagnose.layers.catalogue import LAYERS
from tests.diagnose.layers.layer import Layer
from xcheck import Verdict, check

BY_NAME = {layer.name: layer for layer in LAYERS}


@pytest.mark.parametrize("layer", LAYERS, ids=BY_NAME)
def test_the_gradient_is_right(layer: Layer) -> None:
    """Without a mistake it agrees with the oracle."""
    params, data = layer.make(np.random.default_rng(0))
    assert check(layer.loss, params, data, gradient=layer.gradient).verdict is Verdict.AGREE


@pytest.mark.parametrize("layer", LAYERS, ids=BY_NAME)
def test_each_mistake_makes_a_difference(layer: Layer) -> None:
    """At one of the first few draws: sizes that make two formulas the same are drawn now and then."""
    assert len(layer.mistakes) >= 8
    unseen = set(layer.mistakes)
    for number in range(6):
        params, data = layer.make(np.random.default_rng(number))
        right = layer.gradient(params, *data)
        for mistake in sorted(unseen):
            wrong = layer.wrong(mistake)(params, *data)
            assert {name: g.shape for name, g in wrong.items()} == {name: p.shape for name, p in params.items()}
            if any(np.abs(wrong[name] - g).max() > 1e-6 * np.abs(g).max() for name, g in right.items()):
                unseen.remove(mistake)
    assert not unseen
