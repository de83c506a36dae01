"""Traced losses whose backward passes are made wrong, for tests of the rules that do it."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.backends.xcheck_numpy.following import trace_of
from xcheck.diagnose.rules.steps.program import Change, Program
from xcheck.trace.tape import Tape

Params = dict[str, np.ndarray]


def program_of(loss: Callable[..., Any], params: Params, *data: Any) -> Program:
    """Return the program of a loss."""
    return Program(Tape(trace_of(loss, params, *data), list(params.values())), list(params))


def texts_of(rule: Callable[[Program], Iterator[Change]], program: Program, wrong: Params) -> list[str]:
    """Return the texts of the changes that give this gradient, in one place of the program."""
    flat = np.concatenate([np.ravel(array) for array in wrong.values()])
    return [
        change.text
        for change in rule(program)
        if np.allclose(program.tape.gradient(change.steps), flat, rtol=1e-10, atol=1e-13)
    ]
