"""Writer: walks a trace of JAX and gives its values numbers, for programs that hold its operations one after the other.

Calls are entered; which operations are calls, and what becomes of every other one, is each program's own.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import numpy as np
from jax.extend import core

from xcheck.trace import Place
from xcheck_jax.operations import place_of

# Operations that call another trace, and have no rule of their own.
CALLS = frozenset({"jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint"})
# Under which of their parameters it stands.
_BODIES = ("jaxpr", "call_jaxpr", "fun_jaxpr")


@dataclass(slots=True)
class Writer(ABC):
    """Appends the operations of traces to a program.

    Attributes:
        entered: names of the operations that are entered.
        avals: shape and dtype of each value.
        literals: numbers written in the program.
        constants: arrays that it holds.
    """

    entered: ClassVar[Collection[str]] = CALLS
    avals: dict[int, Any] = field(default_factory=dict)
    literals: dict[int, Any] = field(default_factory=dict)
    constants: dict[int, Any] = field(default_factory=dict)

    @abstractmethod
    def append(self, equation: Any, inputs: Sequence[int], place: Place | None) -> Sequence[int]:
        """Append an operation that is not entered, and return the numbers of its outputs."""

    def new(self, aval: Any) -> int:
        """Return the number of a new value."""
        number = len(self.avals)
        self.avals[number] = aval
        return number

    def constant(self, value: Any) -> int:
        """Return the number of an array that the program holds."""
        number = self.new(jax.typeof(value))
        self.constants[number] = value
        return number

    def literal(self, value: Any, aval: Any) -> int:
        """Return the number of a number that is written in the program."""
        number = self.new(aval)
        # As a number of Python it would not keep its dtype.
        self.literals[number] = np.asarray(value, aval.dtype)
        return number

    def write(self, closed: Any, caller: Place | None = None) -> tuple[list[int], list[int]]:
        """Append the operations of a ClosedJaxpr, and return the numbers of its inputs and outputs.

        Args:
            closed: the trace.
            caller: the person's line that calls it: functions of JAX itself know no other.
        """
        inputs = [self.new(variable.aval) for variable in closed.jaxpr.invars]
        return inputs, self.enter(closed, inputs, caller)

    def enter(self, inner: Any, inputs: Sequence[int], caller: Place | None) -> list[int]:
        """Append the operations of a trace, open or closed, and return the numbers of its outputs."""
        constants = [self.constant(value) for value in getattr(inner, "consts", ())]
        jaxpr = getattr(inner, "jaxpr", inner)
        numbers: dict[Any, int] = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *inputs), strict=True))

        def read(variable: Any) -> int:
            literal = isinstance(variable, core.Literal)
            return self.literal(variable.val, variable.aval) if literal else numbers[variable]

        for equation in jaxpr.eqns:
            given, place = [read(variable) for variable in equation.invars], place_of(equation) or caller
            if equation.primitive.name in self.entered:
                body = next(equation.params[key] for key in _BODIES if key in equation.params)
                outputs: Sequence[int] = self.enter(body, given, place)
            else:
                outputs = self.append(equation, given, place)
            numbers.update(zip(equation.outvars, outputs, strict=True))
        return [read(variable) for variable in jaxpr.outvars]
