"""Loops and branches: their bodies are traces of their own."""

from collections.abc import Sequence

import numpy as np

from xcheck.certificates.balls import Array, Balls, as_array, constant, moved
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.rules.registry import Known, Surroundings, rule
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


@rule("scan")
def _scan(surroundings: Surroundings, operation: Operation, *given: Known) -> list[Known]:
    """Carry the body out for each element of what is stacked, with what the last one has left."""
    attributes = operation.attributes
    count, carried = attributes["constants"], attributes["carry"]
    constants, carry, stacked = given[:count], list(given[count : count + carried]), given[count + carried :]
    steps = range(attributes["length"])
    rows: list[list[Known]] = []
    for number in reversed(steps) if attributes["reverse"] else steps:
        found = surroundings.run(attributes["body"], [*constants, *carry, *(_item(one, number) for one in stacked)])
        carry = found[:carried]
        rows.append(found[carried:])
    if attributes["reverse"]:
        rows.reverse()
    if not rows:
        return [*carry, *(_nothing(output) for output in operation.outputs[carried:])]
    return [*carry, *(_stack(column) for column in zip(*rows, strict=True))]


def _nothing(output: Value) -> Known:
    """Return an output that a loop without steps stacks up."""
    return constant(np.zeros(output.shape)) if output.is_floating else np.zeros(output.shape, output.dtype)


@rule("while")
def _while(surroundings: Surroundings, operation: Operation, *given: Known) -> list[Known]:
    """Carry the body out as long as the condition holds for certain.

    A condition for each of a batch, on the first axes, stops one by one: what has stopped stays as it is.
    """
    attributes = operation.attributes
    of_condition, of_body = attributes["constants"]
    first, second = given[:of_condition], given[of_condition : of_condition + of_body]
    carry = list(given[of_condition + of_body :])
    while (holds := np.asarray(surroundings.run(attributes["condition"], [*first, *carry])[0])).any():
        found = surroundings.run(attributes["body"], [*second, *carry])
        carry = [_where(holds, new, old) for new, old in zip(found, carry, strict=True)]
    return carry


def _where(holds: Array, new: Known, old: Known) -> Known:
    """Return the new values where a condition holds for an element of the batch."""
    if holds.all():
        return new
    which = holds.reshape(*holds.shape, *[1] * (new.ndim - holds.ndim))
    if isinstance(new, Balls) and isinstance(old, Balls):
        return moved(lambda a, b: np.where(which, a, b), new, old)
    return np.where(which, np.asarray(new), np.asarray(old))


@rule("cond")
def _branch(surroundings: Surroundings, operation: Operation, number: Array, *given: Known) -> list[Known]:
    """Take the branch that the program takes."""
    branches = operation.attributes["branches"]
    return surroundings.run(branches[int(np.clip(int(number), 0, len(branches) - 1))], given)


@rule("guard")
def _guard(surroundings: Surroundings, operation: Operation, decided: Array) -> list[Known]:
    """Nothing, where a program has gone on as these integers or truth values said, and they say so for certain.

    The comparisons that they come from are decided with proof, for every t near 0, on each side where there is a kink.
    """
    if not np.array_equal(decided, operation.attributes["expected"]):
        raise NotProvedError(f"{operation}: a branch that Python takes is decided exactly at its edge")
    return []
