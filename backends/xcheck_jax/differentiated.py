"""A straight-line program, differentiated: every operation by JAX itself, with what comes in and what goes out.

Forward, each operation that depends on θ is taken by `jax.vjp`; backward, what has arrived at its outputs is handed to
it, and what it hands down is added up by uses. So the rule of an operation gets what JAX would have given it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from xcheck_jax.straight_line import Instruction, StraightLine

# What `stop_gradient` is called in a trace.
_STOP = "stop_gradient"


class Differentiated(NamedTuple):
    """What a straight line does where it is differentiated; operations at which nothing arrives are not in it.

    Attributes:
        values: by number: what these operations read and return.
        arrived: by number: the cotangents of what they return, and of the inputs.
        handed: by operation, in order, and by the place of the input: the cotangents for what depends on θ.
        plain: by operation: its floating outputs where it is not differentiated, if these may be others.
    """

    values: Mapping[int, Any]
    arrived: Mapping[int, Any]
    handed: Mapping[int, Mapping[int, Any]]
    plain: Mapping[int, list[Any]]


@dataclass(slots=True)
class Pull:
    """The backward pass of one operation.

    Attributes:
        pull: cotangents of its floating outputs -> cotangents of its reads.
        reads: the places of the inputs that depend on θ.
        live: whether the gradient passes through it; not so behind `stop_gradient`.
        plain: its floating outputs where it is not differentiated; None where these are the same.
    """

    pull: Callable[[list[Any]], tuple[Any, ...]]
    reads: list[int]
    live: bool
    plain: list[Any] | None


# Runs an operation, and returns its backward pass, and its outputs: see `by_vjp`.
Take: TypeAlias = Callable[..., tuple[Pull, list[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """What a straight line is differentiated from; arrays by the numbers of its values.

    Attributes:
        line: the operations.
        arguments: its inputs and constants.
        live: the inputs that depend on θ; False for what depends on it behind a `stop_gradient` alone.
        seeds: the cotangents that arrive at its outputs.
        step: which iteration of a loop it is, counted from 1; 0 for none.
    """

    line: StraightLine
    arguments: Mapping[int, Any]
    live: Mapping[int, bool]
    seeds: Mapping[int, Any]
    step: int = 0


def differentiate(
    line: StraightLine,
    live: Mapping[int, bool],
    arguments: Mapping[int, Any],
    seeds: Mapping[int, Any],
    take: Take | None = None,
) -> Differentiated:
    """Run a straight line, and its backward pass.

    Args:
        line: as in `Start`, like all others but the last.
        live: the inputs that depend on θ.
        arguments: its inputs and constants.
        seeds: what arrives at its outputs.
        take: runs one operation, as `by_vjp` does, which is the default.
    """
    values, depends = {**line.literals, **arguments}, dict(live)
    pulls = {}
    for number, instruction in enumerate(line.instructions):
        pull, outputs = _forward(instruction, values, depends, take or by_vjp)
        values.update(zip(instruction.outputs, outputs, strict=True))
        if pull is not None:
            pulls[number] = pull
    arrived, handed = _backward(line, pulls, values, seeds)
    used = {number for each in handed for number in _touched(line.instructions[each])}
    return Differentiated(
        values={number: values[number] for number in used - line.literals.keys() - arguments.keys()},
        arrived={number: array for number, array in arrived.items() if number in used or number in line.inputs},
        handed=handed,
        plain={number: plain for number in handed if (plain := pulls[number].plain) is not None},
    )


def _touched(instruction: Instruction) -> tuple[int, ...]:
    return (*instruction.inputs, *instruction.outputs)


def _forward(
    instruction: Instruction, values: Mapping[int, Any], depends: dict[int, bool], take: Take
) -> tuple[Pull | None, list[Any]]:
    """Run an operation; return its backward pass, if it depends on θ, and its outputs. `depends` is brought up to date.

    What stands behind a `stop_gradient` is differentiated as well, for what arrives at that; if that is impossible,
    nothing arrives.
    """
    given = [values[number] for number in instruction.inputs]
    reads = [place for place, number in enumerate(instruction.inputs) if number in depends]
    if not instruction.outputs:
        return None, []  # it writes text, or checks a number
    if not reads or not instruction.floating:
        return None, instruction.run(*given)
    live = [place for place in reads if depends[instruction.inputs[place]]]
    for place in instruction.floating:
        depends[instruction.outputs[place]] = bool(live) and instruction.name != _STOP
    try:
        return take(instruction, given, reads, live=bool(live))
    except Exception:
        if len(live) == len(reads):
            raise
        return take(instruction, given, live, live=True) if live else (None, instruction.run(*given))


def replaced(given: Sequence[Any], places: Sequence[int], arrays: Sequence[Any]) -> list[Any]:
    """Return arrays of which those at some places are others."""
    others = dict(zip(places, arrays, strict=True))
    return [others.get(place, array) for place, array in enumerate(given)]


def by_vjp(instruction: Instruction, given: list[Any], reads: list[int], *, live: bool) -> tuple[Pull, list[Any]]:
    """Run an operation by `jax.vjp`; return its backward pass, and its outputs.

    Args:
        instruction: the operation.
        given: all inputs.
        reads: the places of those that depend on θ.
        live: whether the gradient passes through it.
    """
    _, pull, outputs = _vjp(instruction, reads, given)
    return Pull(pull, reads, live, _plain(instruction, reads, given)), outputs


def outputs_of(instruction: Instruction, reads: list[int], given: list[Any]) -> tuple[list[Any], list[Any] | None]:
    """Return the outputs of an operation where it is differentiated, and the floating ones where it is not."""
    return _vjp(instruction, reads, given)[2], _plain(instruction, reads, given)


def cotangents_of(
    instruction: Instruction, reads: list[int], given: list[Any], cotangents: list[Any]
) -> tuple[Any, ...]:
    """Return what an operation hands down for cotangents of its floating outputs."""
    handed: tuple[Any, ...] = _vjp(instruction, reads, given)[1](cotangents)
    return handed


def _vjp(instruction: Instruction, reads: list[int], given: list[Any]) -> tuple[Any, Any, list[Any]]:
    """Return the floating outputs, cotangents of these -> cotangents of what is read, and all outputs."""

    def alone(*moved: Any) -> tuple[list[Any], list[Any]]:
        outputs = instruction.run(*replaced(given, reads, moved))
        return [outputs[place] for place in instruction.floating], outputs

    floating, pull, outputs = jax.vjp(alone, *[given[place] for place in reads], has_aux=True)
    return floating, pull, outputs


def _plain(instruction: Instruction, reads: list[int], given: list[Any]) -> list[Any] | None:
    """Return the floating outputs where nothing is differentiated; None where these are the same."""
    if not instruction.recomputes:
        return None
    outputs = instruction.run(*given)
    return [outputs[place] for place in instruction.floating]


def _backward(
    line: StraightLine, pulls: Mapping[int, Pull], values: Mapping[int, Any], seeds: Mapping[int, Any]
) -> tuple[dict[int, Any], dict[int, dict[int, Any]]]:
    """Return what arrives at values, and what operations hand down."""
    arrived, handed = dict(seeds), {}
    for number in sorted(pulls, reverse=True):
        instruction, pull = line.instructions[number], pulls[number]
        outputs = [instruction.outputs[place] for place in instruction.floating]
        if not any(output in arrived for output in outputs):
            continue
        for output in outputs:
            arrived.setdefault(output, jnp.zeros_like(values[output]))
        try:
            cotangents = dict(zip(pull.reads, pull.pull([arrived[output] for output in outputs]), strict=True))
        except Exception:
            if pull.live:
                raise
            continue
        for place, cotangent in cotangents.items():
            read = instruction.inputs[place]
            arrived[read] = arrived[read] + cotangent if read in arrived else cotangent
        handed[number] = cotangents
    return arrived, dict(sorted(handed.items()))
