"""Chains: which values of a traced loss are functions of one other value, element by element.

Such a function is one operation, or several that start at a value u and end at v, such as 1/(1 + exp(−u)): then ∂v/∂u
is a product along the chain, whatever operations it is written with. Activations are known by what they do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xcheck.diagnose.rules.networks.derivatives import SLOPES
from xcheck.networks.network import ActivationName
from xcheck.oracle.network.forward import NATURAL, NUMPY
from xcheck.trace import Value
from xcheck.trace.model import Array
from xcheck.trace.partials import PARTIALS
from xcheck.trace.tape import Tape

# Operations of one chain. A guess: GELU with tanh has eight.
_LONGEST = 16
# How closely a chain must be a known activation, relative to its largest value. A guess above rounding.
_SAME = 1e-12
# Different numbers that must tell one activation from another. A guess.
_LEAST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """How a value v depends on another one u, element by element.

    Attributes:
        slope: ∂v/∂u.
        first: number of the operation that reads u.
        place: of u among its inputs.
        length: operations from u to v.
        starts: whether u is no such function of anything itself.
    """

    slope: Array
    first: int
    place: int
    length: int
    starts: bool


Chains = Mapping[Value, Mapping[Value, Chain]]


def find_chains(tape: Tape) -> Chains:
    """Return for every value v the values u that it is a function of, element by element."""
    chains: dict[Value, dict[Value, Chain]] = {}
    for number, operation in enumerate(tape.trace.operations):
        if len(operation.outputs) == 1 and operation.outputs[0].is_floating:
            chains[operation.outputs[0]] = _chains_to(tape, number, chains)
    return chains


def _chains_to(tape: Tape, number: int, chains: Chains) -> dict[Value, Chain]:
    operation, partials = tape.trace.operations[number], _partials(tape, number)
    found: dict[Value, Chain] | None = None
    for place, (source, partial) in enumerate(zip(operation.inputs, partials, strict=False)):
        if partial is None or not isinstance(source, Value):
            continue
        before = chains.get(source, {})
        own = {source: Chain(partial, number, place, 1, not before)}
        own |= {
            u: Chain(partial * chain.slope, chain.first, chain.place, chain.length + 1, chain.starts)
            for u, chain in before.items()
            if chain.length < _LONGEST
        }
        # What depends on two values is a function of one only where both are functions of that.
        found = own if found is None else {u: _both(chain, found[u]) for u, chain in own.items() if u in found}
    return found or {}


def _both(one: Chain, other: Chain) -> Chain:
    """Return the chain of two ways from u to v."""
    last = one if one.first >= other.first else other
    length = max(one.length, other.length)
    return Chain(one.slope + other.slope, last.first, last.place, length, one.starts)


def _partials(tape: Tape, number: int) -> list[Array | None]:
    """Return ∂y/∂x of an operation on elements, for each input; nothing where it is none."""
    operation, given = tape.trace.operations[number], tape.given[number]
    written = tape.written[number][0]
    if operation.name in PARTIALS:
        return list(PARTIALS[operation.name](operation.attributes, given, written))
    if operation.name != "move" or len(given) != 1 or given[0].shape != written.shape:
        return []
    (places,) = tape.positions(number)
    return [np.ones(written.shape)] if (places.ravel() == np.arange(places.size)).all() else []


def find_activations(tape: Tape, chains: Chains) -> dict[Value, ActivationName]:
    """Return the values that are a known activation of the value where their chain starts."""
    found = {}
    for v, ways in chains.items():
        for u, chain in ways.items():
            name = activation_of(tape.array(u), tape.array(v)) if chain.starts or chain.length == 1 else None
            if name is not None:
                found[v] = name
    return found


def activation_of(z: Array, a: Array) -> ActivationName | None:
    """Return the activation that a is of z; None where it is none, or it cannot be told which."""
    if np.unique(z).size < _LEAST:
        return None
    with np.errstate(all="ignore"):
        fits = [name for name in SLOPES if name != "identity" and _is_same(np.asarray(NATURAL[name](NUMPY, z)), a)]
    return fits[0] if len(fits) == 1 else None


def _is_same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and bool(np.abs(one - other).max() <= _SAME * np.abs(other).max())
