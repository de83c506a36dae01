"""What stands inside of one operation: the iterations of a loop, the branch that is taken, what an iteration does."""

from collections.abc import Sequence
from typing import Any

import jax

from xcheck_jax.differentiated import Start
from xcheck_jax.straight_line import Instruction, Loop, StraightLine

# Iterations that are looked at one by one, a millisecond or more each: a guess.
_MOST_ITERATIONS = 1000


def start_inside(
    instruction: Instruction, given: Sequence[Any], reads: Sequence[int], arrived: Sequence[Any], step: int
) -> Start | None:
    """Return what is differentiated inside of an operation; None where there is nothing, or too much.

    Args:
        instruction: the operation.
        given: all that it reads.
        reads: the places of what depends on θ.
        arrived: the cotangents of all outputs; None for what is not floating.
        step: the iteration that it belongs to; 0 for none.
    """
    inside = instruction.inside
    if isinstance(inside, StraightLine):
        return _enter(inside, given, reads, arrived, instruction.step)
    if isinstance(inside, Loop):
        return _unroll(inside, given, reads, arrived, instruction) if inside.length <= _MOST_ITERATIONS else None
    if inside is None:
        return None
    # As `cond` does: a number that is too large, or too small, takes the branch that is nearest.
    branch = inside[min(max(int(given[0]), 0), len(inside) - 1)]
    return _enter(branch, given[1:], [place - 1 for place in reads], arrived, step)


def _enter(line: StraightLine, given: Sequence[Any], reads: Sequence[int], arrived: Sequence[Any], step: int) -> Start:
    seeds: dict[int, Any] = {}
    for output, cotangent in zip(line.outputs, arrived, strict=True):
        if cotangent is not None:
            # One value may be returned twice.
            seeds[output] = seeds[output] + cotangent if output in seeds else cotangent
    return Start(
        line=line,
        arguments={**line.constants, **dict(zip(line.inputs, given, strict=True))},
        live={line.inputs[place]: True for place in reads},
        seeds=seeds,
        step=step,
    )


def _unroll(
    loop: Loop, given: Sequence[Any], reads: Sequence[int], arrived: Sequence[Any], whole: Instruction
) -> Start:
    """Return the iterations of a loop, one operation each."""
    stacked = loop.constants + loop.carry
    arguments, live = dict(enumerate(given[:stacked])), {each: True for each in reads if each < stacked}
    constants, carry = tuple(range(loop.constants)), tuple(range(loop.constants, stacked))
    seeds, instructions, count = {}, [], stacked
    for step in range(1, loop.length + 1):
        row = loop.length - step if loop.reverse else step - 1
        slices = tuple(range(count, count + len(given) - stacked))
        arguments.update(zip(slices, (_row(array, row) for array in given[stacked:]), strict=True))
        live.update({slices[each - stacked]: True for each in reads if each >= stacked})
        outputs = tuple(range(count + len(slices), count + len(slices) + len(arrived)))
        count = outputs[-1] + 1
        instructions.append(
            Instruction(
                name="scan step",
                place=whole.place,
                inputs=(*constants, *carry, *slices),
                names=whole.names,
                outputs=outputs,
                floating=loop.floating,
                run=loop.run,
                recomputes=True,
                roundoff=whole.roundoff,
                inside=loop.body,
                step=step,
            )
        )
        carry = outputs[: loop.carry]
        rows = zip(outputs[loop.carry :], arrived[loop.carry :], strict=True)
        seeds.update({output: _row(cotangent, row) for output, cotangent in rows if cotangent is not None})
    finally_arrived = zip(carry, arrived[: loop.carry], strict=True)
    seeds.update({output: cotangent for output, cotangent in finally_arrived if cotangent is not None})
    line = StraightLine(
        inputs=tuple(arguments), outputs=carry, literals={}, constants={}, instructions=tuple(instructions)
    )
    return Start(line=line, arguments=arguments, live=live, seeds=seeds)


def _row(array: Any, row: int) -> Any:
    # The number of the row is an argument: nothing is compiled anew for the next one.
    return jax.lax.dynamic_index_in_dim(array, row, keepdims=False)
