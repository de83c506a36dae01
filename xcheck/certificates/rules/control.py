"""Loops and branches: their bodies are traces of their own."""

from collections.abc import Sequence

import numpy as np

from xcheck.certificates.balls import Array, Balls, as_array, constant, moved
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.rules.registry import Known, Surroundings, rule
from xcheck.trace.loops import Loops
from xcheck.trace.model import Operation, Value


def _item(one: Known, number: int) -> Known:
    if isinstance(one, Balls):
        return moved(lambda a: as_array(a[number]), one)
    return np.asarray(one[number])


def _stack(parts: Sequence[Known]) -> Known:
    balls = [part for part in parts if isinstance(part, Balls)]
    if len(balls) == len(parts):
        return moved(lambda *arrays: np.stack(arrays), *balls)
    return np.stack([np.asarray(part) for part in parts])


def _nothing(output: Value) -> Known:
    """Return an output that a loop without steps stacks up."""
    return constant(np.zeros(output.shape)) if output.is_floating else np.zeros(output.shape, output.dtype)


def _where(holds: Array, new: Known, old: Known) -> Known:
    """Return the new values where a condition holds for an element of the batch."""
    which = holds.reshape(*holds.shape, *[1] * (new.ndim - holds.ndim))
    if isinstance(new, Balls) and isinstance(old, Balls):
        return moved(lambda a, b: np.where(which, a, b), new, old)
    return np.where(which, np.asarray(new), np.asarray(old))


def _loops(surroundings: Surroundings) -> Loops[Known]:
    return Loops(run=surroundings.run, item=_item, stack=_stack, nothing=_nothing, where=_where)


@rule("scan")
def _scan(surroundings: Surroundings, operation: Operation, *given: Known) -> list[Known]:
    return _loops(surroundings).scan(operation, given)


@rule("while")
def _while(surroundings: Surroundings, operation: Operation, *given: Known) -> list[Known]:
    """As long as the condition holds for certain."""
    return _loops(surroundings).repeat(operation.attributes, given)


@rule("cond")
def _branch(surroundings: Surroundings, operation: Operation, number: Array, *given: Known) -> list[Known]:
    return _loops(surroundings).branch(operation.attributes, number, given)


@rule("guard")
def _guard(surroundings: Surroundings, operation: Operation, decided: Array) -> list[Known]:
    """Nothing, where a program has gone on as these integers or truth values said, and they say so for certain.

    The comparisons that they come from are decided with proof, for every t near 0, on each side where there is a kink.
    """
    if not np.array_equal(decided, operation.attributes["expected"]):
        raise NotProvedError(f"{operation}: a branch that Python takes is decided exactly at its edge")
    return []
