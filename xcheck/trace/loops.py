"""Loops and branches of a trace, whatever their values are: arrays, or what stands for them.

How a body is carried out, and how values are taken apart and put together, is the caller's; in which order, is here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from xcheck.trace.model import Operation, Trace, Value

Known = TypeVar("Known")


@dataclass(frozen=True, slots=True)
class Loops(Generic[Known]):
    """Carries loops and branches out.

    Attributes:
        run: body and its inputs -> its outputs.
        item: a stacked value and a number -> what stands there.
        stack: values of one shape -> one with an axis more in front.
        nothing: an output that a loop without steps stacks up -> its value.
        where: a condition, new and old value -> the new one where the condition holds for an element of the batch.
    """

    run: Callable[[Trace, Sequence[Known]], list[Known]]
    item: Callable[[Known, int], Known]
    stack: Callable[[Sequence[Known]], Known]
    nothing: Callable[[Value], Known]
    where: Callable[[Any, Known, Known], Known]

    def scan(self, operation: Operation, given: Sequence[Known]) -> list[Known]:
        """Carry the body out for each element of what is stacked, with what the last one has left."""
        attributes = operation.attributes
        count, carried = attributes["constants"], attributes["carry"]
        constants, carry, stacked = given[:count], list(given[count : count + carried]), given[count + carried :]
        steps = range(attributes["length"])
        rows: list[list[Known]] = []
        for number in reversed(steps) if attributes["reverse"] else steps:
            found = self.run(attributes["body"], [*constants, *carry, *(self.item(one, number) for one in stacked)])
            carry = found[:carried]
            rows.append(found[carried:])
        if attributes["reverse"]:
            rows.reverse()
        if not rows:
            return [*carry, *map(self.nothing, operation.outputs[carried:])]
        return [*carry, *(self.stack(column) for column in zip(*rows, strict=True))]

    def repeat(self, attributes: Mapping[str, Any], given: Sequence[Known]) -> list[Known]:
        """Carry the body out as long as the condition holds.

        A condition for each of a batch, on the first axes, stops one by one: what has stopped stays as it is.
        """
        of_condition, of_body = attributes["constants"]
        first, second = given[:of_condition], given[of_condition : of_condition + of_body]
        carry = list(given[of_condition + of_body :])
        while (holds := np.asarray(self.run(attributes["condition"], [*first, *carry])[0])).any():
            found = self.run(attributes["body"], [*second, *carry])
            if not holds.all():
                found = [self.where(holds, new, old) for new, old in zip(found, carry, strict=True)]
            carry = found
        return carry

    def branch(self, attributes: Mapping[str, Any], number: Any, given: Sequence[Known]) -> list[Known]:
        """Take the branch that the program takes."""
        branches = attributes["branches"]
        return self.run(branches[int(np.clip(int(number), 0, len(branches) - 1))], given)
