"""The registry: name of an operation -> rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from xcheck.certificates.balls import Balls
from xcheck.certificates.decisions import Decisions
from xcheck.trace.model import Array, Operation, Trace

# What stands for an array in an evaluation: balls where it is floating, the array itself where it is not.
Known: TypeAlias = "Balls | Array"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rule may use beside its inputs.

    Attributes:
        decisions: how comparisons are decided.
        run: evaluates the body of a loop or a branch.
        remarks: what is to be said of the result, such as that a cast rounds; a rule adds to it.
    """

    decisions: Decisions
    run: Callable[[Trace, Sequence[Known]], list[Known]]
    remarks: dict[str, None]


Rule: TypeAlias = Callable[..., Any]

# A rule is called with the surroundings, the operation, and its inputs; floating ones are balls. It returns one output
# or a list of them.
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a function as the rule of operations with these names."""

    def register(function: Rule) -> Rule:
        for name in names:
            if name in RULES:
                raise ValueError(f"{name} has a rule already")
            RULES[name] = function
        return function

    return register


def elementwise(name: str, function: Callable[[Balls], Balls]) -> None:
    """Register a function of one argument that needs nothing but it."""

    def apply(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
        return function(x)

    rule(name)(apply)
