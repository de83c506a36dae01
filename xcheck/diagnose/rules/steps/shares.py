"""Shares: of a value that is used several times one use is forgotten on the way back."""

from collections.abc import Iterator, Sequence

import numpy as np

from xcheck.diagnose.rules.steps.program import Change, Program
from xcheck.findings import DETACHED_BRANCH
from xcheck.trace import Value
from xcheck.trace.model import Array
from xcheck.trace.tape import Cotangents


def missing_shares(program: Program) -> Iterator[Change]:
    """Yield each use of a value that is used several times, as if nothing came back through it."""
    for number, operation in enumerate(program.operations):
        yield from _missing_parts(program, number)
        for place, source in enumerate(operation.inputs):
            if isinstance(source, Value) and source.is_floating and len(program.readers(source)) > 1:
                text = f"what goes back to {program.name(source)} lacks its share through {program.use(number)}"
                steps = {number: program.handing(number, {place: None})}
                yield Change(code=DETACHED_BRANCH, text=text, steps=steps, rank=3)


def _missing_parts(program: Program, number: int) -> Iterator[Change]:
    """Yield each part of what is split, as if nothing came back through it."""
    operation = program.operations[number]
    for place, part in enumerate(operation.outputs if len(operation.outputs) > 1 else ()):

        def step(cotangents: Cotangents, part: Value = part) -> Sequence[Array | None]:
            def left(value: Value) -> Array:
                return np.zeros(value.shape) if value is part else cotangents(value)

            return program.tape.step(number, left)

        text = f"nothing goes back through part {place + 1} of {len(operation.outputs)} of {operation}"
        yield Change(code=DETACHED_BRANCH, text=text, steps={number: step}, rank=3)
