"""The random numbers of declared networks: one stream for θ, one for the masks of dropout, whatever the layers."""

import numpy as np

from xcheck.seeds import Stream, generator


def theta_generator(seed: int) -> np.random.Generator:
    """Return what θ is drawn from, layer by layer: equal layers begin alike in networks of either kind."""
    return generator(seed, Stream.THETA)


def mask_generator(seed: int, step: int | None = None) -> np.random.Generator:
    """Return what the masks of dropout are drawn from; in training those of a step."""
    return generator(seed, Stream.MASKS, *(() if step is None else (step,)))
