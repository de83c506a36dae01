"""Slopes: the derivative of a function of one array, element by element, is forgotten, taken twice, or another one."""

from collections.abc import Iterator

import numpy as np

from xcheck.diagnose.rules.networks.derivatives import mistaken_slopes
from xcheck.diagnose.rules.steps.chains import Chain, activation_of
from xcheck.diagnose.rules.steps.program import Change, Program
from xcheck.findings import ACTIVATION_SLOPE
from xcheck.trace import Value
from xcheck.trace.model import Array
from xcheck.trace.tape import Cotangents, Step


def mistaken_slopes_of_steps(program: Program) -> Iterator[Change]:
    """Yield mistakes in the derivatives of functions of one array: of single operations, and of whole chains."""
    for v, ways in program.chains.items():
        number = program.number(v)
        # What is only moved has the slope of what it was before.
        if number is None or program.operations[number].name == "move":
            continue
        for u, chain in ways.items():
            if (chain.length == 1 or chain.starts) and not _is_linear(chain.slope):
                yield from _changes(program, number, u, v, chain)


def _is_linear(slope: Array) -> bool:
    """Return whether a slope is one number, or that and zero where a mask is: it is a factor, and no derivative."""
    sizes = np.unique(slope)
    return sizes.size <= 1 or (sizes.size == 2 and not sizes.all() and 1.0 not in sizes)


def _changes(program: Program, number: int, u: Value, v: Value, chain: Chain) -> Iterator[Change]:
    z, a = program.tape.array(u), program.tape.array(v)
    known = activation_of(z, a)
    slopes = {"1: no derivative at all": np.ones_like(z)} if known is None else mistaken_slopes(known, z, a)
    slopes |= {"its square: it is there twice": chain.slope**2, "its opposite": -chain.slope}
    operation = program.operations[number]
    what = (
        program.name(v) if known is not None else str(operation) if chain.length == 1 else f"what ends in {operation}"
    )
    for name, slope in slopes.items():
        yield Change(
            code=ACTIVATION_SLOPE,
            text=f"the derivative of {what} is taken to be {name}",
            steps=_replaced(program, number, v, chain, slope),
            rank=0 if known is not None else 1,
        )


def _replaced(program: Program, number: int, v: Value, chain: Chain, slope: Array) -> dict[int, Step]:
    """Return the steps that hand v̄ times another slope to u, and nothing to what is between."""

    def nothing(cotangents: Cotangents) -> list[Array | None]:
        return [None] * len(program.operations[number].inputs)

    def first(cotangents: Cotangents) -> list[Array | None]:
        found = nothing(cotangents) if chain.first == number else list(program.tape.step(chain.first, cotangents))
        share, old = cotangents(v) * slope, found[chain.place]
        found[chain.place] = share if old is None else old + share
        return found

    return {number: nothing, chain.first: first}
