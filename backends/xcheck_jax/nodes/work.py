"""How much of a program is left behind each of its values: what it costs to move the elements of one."""

import numpy as np

from xcheck_jax.nodes.program import FlatProgram, Step


class Work:
    """How much of a program is left behind each value, as a share of all of it."""

    def __init__(self, program: FlatProgram) -> None:
        self._program = program
        works = [_work(program, step) for step in program.steps]
        behind = np.concatenate([np.cumsum(works[::-1])[::-1], [0.0]]) if works else np.zeros(1)
        whole = max(float(behind[0]), 1.0)
        self._left = {
            output: float(behind[place + 1]) / whole
            for place, step in enumerate(program.steps)
            for output in step.outputs
        }

    def price(self, number: int) -> float:
        """Return how many times as long as one loss it takes to move every element of a value once."""
        return int(np.prod(self._program.shape(number), dtype=np.int64)) * self._left.get(number, 1.0)


def _work(program: FlatProgram, step: Step) -> float:
    """Return about how many operations on numbers a step takes."""
    size = float(sum(np.prod(program.shape(output), dtype=np.float64) for output in step.outputs))
    if step.name == "dot_general":
        (contracted, _), _ = step.params["dimension_numbers"]
        size *= float(np.prod([program.shape(step.inputs[0])[axis] for axis in contracted]))
    elif step.name == "conv_general_dilated":
        kernel = program.shape(step.inputs[1])
        features = kernel[step.params["dimension_numbers"].rhs_spec[0]]
        size *= float(np.prod(kernel)) / max(features, 1)
    return size
