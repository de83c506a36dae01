"""Dropout: what the notes advise about keep_prob, held against a network.

"The best practice here is to reduce the keep-prob where you have layers with high number of parameters and increase it
for the small layers"; on the inputs "try to keep it as high as possible, for example 0.9".

Source: lecture notes, "Why does dropout work?".
"""

from collections.abc import Iterator

from xcheck.findings import KEEP_PROBS, Finding
from xcheck.networks.network import Network

OF_INPUTS = 0.9


def advice_on(network: Network) -> Finding | None:
    """Tell what the notes would choose otherwise; None if nothing."""
    told = [*_of_inputs(network), *_of_layers(network)]
    if not told:
        return None
    return Finding(code=KEEP_PROBS, text=f"keep_prob: {'; '.join(told)}", value=min(network.keep_probs))


def _of_inputs(network: Network) -> Iterator[str]:
    if network.input_keep_prob < OF_INPUTS:
        yield (
            f"the inputs keep {network.input_keep_prob:g} of themselves, and what is dropped there is lost to all "
            f"layers: {OF_INPUTS:g} or more"
        )


def _of_layers(network: Network) -> Iterator[str]:
    """Tell of the first layer that drops more than a larger one that drops, too."""
    sizes = [layer.units * inputs for layer, inputs in zip(network.layers, network.widths, strict=False)]
    keeps = network.keep_probs[1:]
    for small, (size, keep) in enumerate(zip(sizes, keeps, strict=True), start=1):
        for large, (larger, more) in enumerate(zip(sizes, keeps, strict=True), start=1):
            if size < larger and keep < more < 1:
                yield (
                    f"layer {small} with {size} weights keeps {keep:g}, layer {large} with {larger} keeps {more:g}: "
                    "drop more where there are more parameters"
                )
                return
