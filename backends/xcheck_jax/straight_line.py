"""Straight-line programs: the operations of a trace one after the other, each to be run, and differentiated, by itself.

Calls are entered. A function with a rule for its derivative (custom_jvp, custom_vjp) is one operation, bound as JAX
binds it, so that this rule stays in force; so is a loop.

The word is that of Griewank & Walther, "Evaluating Derivatives", 2008, chapter 2.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core

from xcheck.trace import Place
from xcheck_jax.domains import ALL, Domain, domain_of
from xcheck_jax.narrow import coarsest_inside
from xcheck_jax.operations import is_of_jax, name_of, runner
from xcheck_jax.writer import Writer

_RULES = {"custom_jvp_call": "custom_jvp", "custom_vjp_call": "custom_vjp"}
# What has traces inside, and is one operation: a rule in there may compute another value where it is differentiated.
_WITH_INSIDE = frozenset({*_RULES, "scan", "cond", "while", "custom_linear_solve", "shard_map"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instruction:
    """One operation.

    Attributes:
        name: of the operation; of a function with a rule of its own that function's.
        rule: whose derivative it has: "custom_jvp", "custom_vjp" or "custom_linear_solve" if a person's, empty if it is
            JAX's own.
        place: the person's line; None where it is not known.
        inputs: the numbers of the values that it reads.
        names: of the arguments that these are; empty where they are not known.
        outputs: the numbers of the values that it returns.
        floating: which of its outputs are floating, complex ones included.
        run: arrays of the inputs -> arrays of the outputs.
        recomputes: whether it may return other values where it is differentiated.
        roundoff: the largest of what it computes in fewer than 64 bits, inside of it too; else 0.
        domain: on which moves of its inputs its derivative holds.
        inside: a loop; the branches of a choice; the operations of one iteration; None where there is nothing inside.
        step: which iteration of a loop it is, counted from 1; 0 for none.
    """

    name: str
    rule: str = ""
    place: Place | None = None
    inputs: tuple[int, ...]
    names: tuple[str, ...] = ()
    outputs: tuple[int, ...]
    floating: tuple[int, ...]
    run: Callable[..., list[Any]]
    recomputes: bool = False
    roundoff: float = 0.0
    domain: Domain = ALL
    inside: "Loop | tuple[StraightLine, ...] | StraightLine | None" = None
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StraightLine:
    """Operations in order; values have numbers.

    Attributes:
        inputs: the numbers of what is handed to it.
        outputs: the numbers of what it returns.
        literals: numbers written in the program.
        constants: arrays that it holds.
        instructions: each reads what stands before it.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    literals: Mapping[int, Any]
    constants: Mapping[int, Any]
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loop:
    """A `scan`: (constants, carry, slices of what is stacked) -> (carry, slices), again and again.

    Attributes:
        body: its operations.
        run: the same, as one.
        floating: the places of the floating outputs of the body.
        constants: how many there are.
        carry: how many there are.
        length: how many iterations.
        reverse: whether the last slices come first.
    """

    body: StraightLine
    run: Callable[..., list[Any]]
    floating: tuple[int, ...]
    constants: int
    carry: int
    length: int
    reverse: bool


def straight_line(closed: Any, caller: Place | None = None) -> StraightLine:
    """Return the operations of a ClosedJaxpr.

    Args:
        closed: the trace.
        caller: the person's line that calls it, for operations that know no other.
    """
    writer = _Writer()
    inputs, outputs = writer.write(closed, caller)
    return StraightLine(
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        literals=writer.literals,
        constants=writer.constants,
        instructions=tuple(writer.instructions),
    )


@dataclass(slots=True)
class _Writer(Writer):
    """Appends the operations of traces to a straight line."""

    instructions: list[Instruction] = field(default_factory=list)

    def append(self, equation: Any, inputs: Sequence[int], place: Place | None) -> Sequence[int]:
        """Append an operation, whatever is inside it."""
        outputs = [self.new(variable.aval) for variable in equation.outvars]
        self.instructions.append(_instruction(equation, inputs, outputs, place))
        return outputs


def _instruction(equation: Any, inputs: Sequence[int], outputs: Sequence[int], place: Place | None) -> Instruction:
    known = equation.primitive.name
    name, rule, names = _custom(equation) if known in _RULES else (known, "", ())
    run = runner(equation)
    if known == "scan":
        names = _names_of_scan(equation.params["num_consts"], equation.params["num_carry"], len(inputs))
    elif known == "custom_linear_solve" and not is_of_jax(equation.params["jaxprs"].solve.jaxpr.debug_info):
        rule = known
    elif known in _RULES and not rule:
        inputs, names, run = _distinct(inputs, run)
    return Instruction(
        name=name,
        rule=rule,
        place=place,
        inputs=tuple(inputs),
        names=names,
        outputs=tuple(outputs),
        floating=_floating(variable.aval for variable in equation.outvars),
        run=run,
        recomputes=known in _WITH_INSIDE,
        roundoff=coarsest_inside(equation),
        domain=domain_of(equation),
        inside=_inside(known, equation.params, place),
    )


def _distinct(
    inputs: Sequence[int], run: Callable[..., list[Any]]
) -> tuple[tuple[int, ...], tuple[str, ...], Callable[..., list[Any]]]:
    """Return an operation that reads each value once: inputs, names of them, how it is run.

    Functions of JAX may hand one array to several functions of a person's, and know it as one in their rule:
    `jax.lax.custom_root` does so.
    """
    distinct = tuple(dict.fromkeys(inputs))
    places = [distinct.index(each) for each in inputs]
    return distinct, (), lambda *given: run(*[given[place] for place in places])


def _floating(avals: Iterable[Any]) -> tuple[int, ...]:
    """Return the places of what is floating, or complex."""
    return tuple(
        place for place, aval in enumerate(avals) if hasattr(aval, "dtype") and jnp.issubdtype(aval.dtype, jnp.inexact)
    )


def _inside(
    name: str, params: Mapping[str, Any], place: Place | None
) -> Loop | tuple[StraightLine, ...] | StraightLine | None:
    if name == "cond":
        return tuple(straight_line(branch, place) for branch in params["branches"])
    if name != "scan":
        return None
    return Loop(
        body=straight_line(params["jaxpr"], place),
        run=jax.jit(core.jaxpr_as_fun(params["jaxpr"])),
        floating=_floating(params["jaxpr"].out_avals),
        constants=params["num_consts"],
        carry=params["num_carry"],
        length=params["length"],
        reverse=params["reverse"],
    )


def _names_of_scan(constants: int, carry: int, inputs: int) -> tuple[str, ...]:
    """Return what the inputs of a `scan`, and of its iterations, are called."""
    counts = {"constant": constants, "carry": carry, "input": inputs - constants - carry}
    return tuple(f"{kind} {number}" for kind, count in counts.items() for number in range(count))


def _custom(equation: Any) -> tuple[str, str, tuple[str, ...]]:
    """Return name, rule and names of the arguments of a function with a rule for its derivative."""
    rule = _RULES[equation.primitive.name]
    info = equation.params["call_jaxpr"].jaxpr.debug_info
    names = info.arg_names
    if names is None and "fwd_jaxpr_thunk" in equation.params:
        names = equation.params["fwd_jaxpr_thunk"].debug_info.arg_names
    known = names is not None and len(names) == len(equation.invars) and all(names)
    return name_of(info, rule), "" if is_of_jax(info) else rule, tuple(names) if known else ()
