"""Forward passes of a few operations, for tests of what is said of two of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xcheck.trace import Constant, Operation, Place, Trace, Value
from xcheck.trace.flow import Flow, flow_of
from xcheck.trace.model import Array, Source

# Name, what it computes, and the names of what it reads.
Step = tuple[str, Callable[..., Any], Sequence[str]]


def flow(file: str, parameters: dict[str, Array], constants: dict[str, Any], steps: Sequence[Step]) -> Flow:
    """Return the forward pass of steps, each on a line of its own, counted from 1; the last one gives the loss."""
    sources: dict[str, Source] = {name: Value(x.shape, x.dtype.name) for name, x in parameters.items()}
    inputs = tuple(source for source in sources.values() if isinstance(source, Value))
    sources |= {name: Constant(np.asarray(number)) for name, number in constants.items()}
    arrays = {**parameters, **{name: np.asarray(number) for name, number in constants.items()}}
    operations = []
    for line, (name, function, reads) in enumerate(steps, start=1):
        arrays[name] = np.asarray(function(*[arrays[read] for read in reads]))
        output = Value(arrays[name].shape, arrays[name].dtype.name)
        operations.append(
            Operation(
                name="move" if name.startswith("moved") else f"test {name}",
                inputs=tuple(sources[read] for read in reads),
                outputs=(output,),
                run=lambda *given, function=function: (np.asarray(function(*given)),),
                label=name,
                place=Place(file, line),
            )
        )
        sources[name] = output
    trace = Trace(inputs=inputs, outputs=(sources[steps[-1][0]],), operations=tuple(operations))
    return flow_of(trace, list(parameters.values()), list(parameters))


def numbers(*shape: int, seed: int = 0) -> Array:
    """Return random numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


def number_of(of: Flow, name: str) -> int:
    """Return the number of the node that an operation has made."""
    return next(node.number for node in of.nodes if node.name == name)
