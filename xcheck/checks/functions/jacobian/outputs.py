"""Losses that are arrays: checked through one cotangent, or output by output, as a whole Jacobian."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.checks.answer import Answer
from xcheck.checks.functions.answers import Answers, FunctionCheckOptions
from xcheck.checks.functions.implementations import Implementation, complaints_under
from xcheck.compare.evaluation import Evaluation
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.findings import NO_SUBGRADIENT
from xcheck.functions.arguments import Arguments, Numbers
from xcheck.layout import Layout, Tensor
from xcheck.oracle import Estimate
from xcheck.seeds import Stream, generator

# Outputs that are checked one by one: a guess, chosen so that a Jacobian takes minutes at most.
MOST_OUTPUTS = 4096


def cotangents_for(
    implementations: Sequence[Implementation], arguments: Arguments, options: FunctionCheckOptions
) -> list[Numbers | None]:
    """Return the cotangents that the loss is to be seen through: one, or one for every output."""
    shape, is_complex = _shape(implementations, arguments, options.device)
    if not np.prod(shape):
        labels = ", ".join(implementation.label for implementation in implementations)
        text = f"{labels}: the function returns an empty array, of shape {shape}: nothing can be checked"
        raise DefinitionError(Complaint(text))
    # A gradient is of one number; whoever writes one for an array means some contraction that we cannot guess.
    by_hand = [implementation.label for implementation in implementations if implementation.function.of_one_number]
    if by_hand and (np.prod(shape) != 1 or is_complex):
        text = (
            f"{', '.join(by_hand)}: the loss {'is complex' if is_complex else f'has shape {shape}'}; a hand-written "
            "gradient needs one real number, such as the sum of its outputs times weights of your own; of an array "
            "give vjp= or jacobian="
        )
        raise DefinitionError(Complaint(text))
    if options.cotangent is not None:
        return [_given_cotangent(arguments, options, shape)]
    # A real number is its own contraction.
    if not is_complex and np.prod(shape) == 1 and not options.jacobian:
        return [None]
    size = int(np.prod(shape))
    if options.jacobian or (options.jacobian is None and size <= MOST_OUTPUTS):
        if size > MOST_OUTPUTS:
            text = f"the loss has {size} outputs, one check for each; at most {MOST_OUTPUTS}: leave scope at 'auto'"
            raise DefinitionError(Complaint(text, ("scope",)))
        # Real and imaginary parts are outputs of their own: Re Σ v̄ y with v = i gives the imaginary one.
        units = [unit.reshape(shape) for unit in np.eye(size)]
        return [*units, *(1j * unit for unit in units)] if is_complex else list(units)
    rng = generator(options.differences.seed, Stream.COTANGENT)
    drawn = rng.standard_normal(shape)
    return [drawn + 1j * rng.standard_normal(shape) if is_complex else drawn]


def _given_cotangent(arguments: Arguments, options: FunctionCheckOptions, shape: tuple[int, ...]) -> Numbers:
    """Return the person's own cotangent, which may be an array of any framework."""
    if options.jacobian:
        text = "with scope 'jacobian' every output is checked by itself: leave out one of the two"
        raise DefinitionError(Complaint(text, ("cotangent",)))
    leaf = arguments.read(options.cotangent)
    given = np.asarray(options.cotangent if leaf is None else leaf.values)
    if given.shape != shape:
        text = f"the cotangent has shape {given.shape}, the loss {shape}"
        raise DefinitionError(Complaint(text, ("cotangent",)))
    return given


def _shape(
    implementations: Sequence[Implementation], arguments: Arguments, device: str
) -> tuple[tuple[int, ...], bool]:
    """Return the shape of the loss, and whether it is complex; as a scalar if it cannot even be evaluated."""
    for implementation in implementations:
        objective = implementation.objective(arguments, device=device)
        # The first that can be evaluated decides; the others fail on their own where they differ.
        with suppress(BackendError), complaints_under(implementation.label):
            return objective.shape()
    return (), False


def join_outputs(parts: Sequence[Answers]) -> Answers:
    """Return the outputs one after the other, as one long gradient: the Jacobian, row by row."""
    tensors: list[Tensor] = []
    start = 0
    for part in parts:
        name = output_name(part.cotangent)
        tensors += [
            replace(tensor, name=f"{name} {tensor.name}", offset=start + tensor.offset) for tensor in part.layout
        ]
        start += part.layout.size
    first = parts[0]
    for part in parts[1:]:
        _note_refuted(first.answers, part)
    return replace(
        first,
        layout=Layout(tuple(tensors)),
        estimate=Estimate.concatenate([part.estimate for part in parts]),
        evaluations=_join_witnesses([part.evaluations for part in parts]),
        reruns=_join_witnesses([part.reruns for part in parts]),
        whole_reruns=(),
        outputs=tuple(parts),
        comparer=None,
    )


def _note_refuted(answers: Sequence[Answer[FunctionObjective]], part: Answers) -> None:
    """Note what refutes a function at another output in its answer at the first, which stands for all of them."""
    for answer, own in zip(answers, part.answers, strict=True):
        if own.refuted and not answer.refuted:
            answer.refuted = True
            answer.findings += [
                replace(finding, text=f"{output_name(part.cotangent)}: {finding.text}")
                for finding in own.findings
                if finding.code == NO_SUBGRADIENT
            ]


def output_name(cotangent: Numbers | None) -> str:
    """Return how the output is called whose unit vector the cotangent is: y[2, 0], or imag y[2, 0]."""
    if cotangent is None:
        return "y"
    if not cotangent.ndim:
        return "imag y" if np.iscomplexobj(cotangent) else "y"
    index = ", ".join(str(int(axis[0])) for axis in np.nonzero(cotangent))
    return f"{'imag ' if np.iscomplexobj(cotangent) else ''}y[{index}]"


def _join_witnesses(rows: Sequence[Sequence[Evaluation]]) -> list[Evaluation]:
    """Join what each witness says of the outputs, unless it failed for one of them."""
    names = [evaluation.name for evaluation in rows[0]]
    found = []
    for name in names:
        own = [evaluation for row in rows for evaluation in row if evaluation.name == name]
        # A row that is missing would shift all that follow.
        if len(own) == len(rows):
            found.append(_join_calls(own))
    return found


def _join_calls(own: Sequence[Evaluation]) -> Evaluation:
    joined = _join_one([one.calls[0] for one in own])
    if all(one.again is None for one in own):
        return joined
    again = _join_one([one.calls[-1] for one in own])
    return replace(joined, again=again, elsewhere=any(one.elsewhere for one in own))


def _join_one(rows: Sequence[Evaluation]) -> Evaluation:
    outputs = np.array([row.loss for row in rows])
    gradient = np.concatenate([row.gradient for row in rows])
    name, rerun_of = rows[0].name, rows[0].rerun_of
    return Evaluation(name, float(outputs.sum()), gradient, rerun_of=rerun_of, outputs=outputs)


def most_different_output(found: Answers, name: str) -> Answers:
    """Return what is said of the output in which a witness is farthest from the oracle; of a scalar loss everything."""

    def distance(part: Answers) -> float:
        own = next(evaluation for evaluation in part.evaluations if evaluation.name == name)
        return float(np.nan_to_num(abs(own.loss - part.estimate.loss), nan=np.inf))

    return max(found.outputs, key=distance, default=found)
