"""Hearing: every function is examined, the oracle measures one of them, and what both say is laid side by side.

A loss that returns an array y is heard through a cotangent v, as Re Σ v̄ y; or, for the whole Jacobian, once for every
output, with v a unit vector.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from xcheck.checks.functions.implementations import Contender
from xcheck.checks.functions.oracle import (
    FLOAT64,
    Judgement,
    candidates,
    judged,
    locate,
    reconsidered,
    tolerance_for,
)
from xcheck.checks.functions.purity import Examined, examined
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.functions.arguments import Arguments, Numbers
from xcheck.layout import Layout, Tensor
from xcheck.oracle import Estimate
from xcheck.oracle.estimators.rounding import Rounding
from xcheck.oracle.function_gradient import FunctionOptions

_COTANGENT_STREAM = 6
MOST_OUTPUTS = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HearingOptions:
    """How to check.

    Attributes:
        differences: how the oracle measures.
        jacobian: whether every output of an array-valued loss is checked.
        device: where arrays of other frameworks are put.
        worst: how many components to name per pair.
        cotangent: v, or None to draw it.
        oracle: "auto", a label, or a contender of its own.
        progress: called with the number of differences after each batch.
    """

    differences: FunctionOptions
    jacobian: bool = False
    device: str = "cpu"
    worst: int = 10
    cotangent: Any = None
    oracle: Any = "auto"
    progress: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heard:
    """What everybody says about one function at one θ, along the same lines.

    Attributes:
        layout: names of the lines.
        estimate: the oracle's slopes.
        evaluations: the witnesses' slopes.
        wide: those of witnesses that were asked again in float64, because their own dtype is narrower; none where part
            of the loss is narrow whatever it is given.
        wide_whole: the same with their whole gradients, of a scalar loss.
        examined: the functions.
        judgement: how the oracle came to its slopes; of several outputs that of the first.
        roundoff: the coarsest among the parameters.
        outputs: how many outputs were checked one by one; 0 for a scalar loss.
    """

    layout: Layout
    estimate: Estimate
    evaluations: list[Evaluation]
    wide: list[Evaluation]
    examined: list[Examined]
    judgement: Judgement
    roundoff: float
    wide_whole: Sequence[Evaluation] = ()
    outputs: int = 0


def heard(contenders: Sequence[Contender], arguments: Arguments, options: HearingOptions) -> Heard:
    """Hear everybody.

    Raises:
        DefinitionError: a function does not fit its parameters, or an array-valued loss is asked for what it is not.
    """
    cotangents = _cotangents(contenders, arguments, options)
    parts = [_heard_through(cotangent, contenders, arguments, options) for cotangent in cotangents]
    return parts[0] if not options.jacobian or cotangents == [None] else _joined(parts, cotangents)


def strict_estimate(found: Heard) -> Estimate:
    """Return the estimate for those that were asked again in float64: their rounding is that of float64."""
    return _strict(found.judgement, found.estimate, found.roundoff)


def _strict(judgement: Judgement, estimate: Estimate, roundoff: float) -> Estimate:
    own = max(FLOAT64, judgement.roundoff)
    return replace(estimate, rounding=_scaled(estimate.rounding, own / roundoff))


def _strict_comparer(judgement: Judgement, options: HearingOptions, roundoff: float) -> Comparer:
    own, estimate = max(FLOAT64, judgement.roundoff), _strict(judgement, judgement.estimate, roundoff)
    return _comparer(estimate, judgement.lines.layout, options, own)


def comparers(found: Heard, options: HearingOptions) -> tuple[Comparer, Comparer]:
    """Return who compares the witnesses, and who those that were asked again in float64."""
    own = max(FLOAT64, found.judgement.roundoff)
    return (
        _comparer(found.estimate, found.layout, options, found.roundoff),
        _comparer(strict_estimate(found), found.layout, options, own),
    )


def _comparer(estimate: Estimate, layout: Layout, options: HearingOptions, roundoff: float) -> Comparer:
    extrapolates = options.differences.epsilon == "auto"
    tolerance = tolerance_for(options.differences.tolerance, roundoff, extrapolates=extrapolates)
    return Comparer(estimate, layout, tolerance, worst=options.worst, despite_losses=False)


def _scaled(rounding: Rounding, factor: float) -> Rounding:
    return Rounding(rounding.gradient * factor, rounding.loss * factor)


def _heard_through(
    cotangent: Numbers | None, contenders: Sequence[Contender], arguments: Arguments, options: HearingOptions
) -> Heard:
    found = [_examined(contender, arguments, options, cotangent) for contender in contenders]
    judgement = judged(
        candidates(contenders, found, options.oracle),
        arguments,
        options.differences,
        device=options.device,
        cotangent=cotangent,
        progress=options.progress,
    )
    witnesses = [one.evaluation for one in found if one.evaluation is not None]
    layout = judgement.lines.layout

    def roundoff() -> float:
        return max(arguments.roundoff, judgement.roundoff)

    reconsidered(judgement, lambda estimate: _comparer(estimate, layout, options, roundoff()), witnesses)
    wide = [] if judgement.is_narrow else _in_float64(found, cotangent, options.device)
    locate(judgement, lambda now: _comparer(now.estimate, now.lines.layout, options, roundoff()), witnesses)
    locate(judgement, lambda now: _strict_comparer(now, options, roundoff()), wide)
    return Heard(
        layout=judgement.lines.layout,
        estimate=judgement.estimate,
        evaluations=[judgement.along(witness) for witness in witnesses],
        wide=[judgement.along(one) for one in wide],
        wide_whole=wide,
        examined=found,
        judgement=judgement,
        roundoff=roundoff(),
    )


def _in_float64(found: Sequence[Examined], cotangent: Numbers | None, device: str) -> list[Evaluation]:
    """Return what narrow witnesses say in float64, where they can."""
    again = (one.in_float64(cotangent, device) for one in found)
    return [wide for wide in again if wide is not None]


def _examined(contender: Contender, arguments: Arguments, options: HearingOptions, cotangent: Any) -> Examined:
    objective = contender.objective(arguments, device=options.device, cotangent=cotangent)
    return examined(contender, objective, arguments.theta)


# --- losses that are arrays -----------------------------------------------------------------------------------------


def _cotangents(contenders: Sequence[Contender], arguments: Arguments, options: HearingOptions) -> list[Numbers | None]:
    """Return the cotangents that the loss is to be heard through: one, or one for every output."""
    shape, is_complex = _shape(contenders, arguments, options.device)
    by_hand = [contender.label for contender in contenders if contender.function.hand_written]
    if by_hand and np.prod(shape) != 1:
        text = (
            f"{', '.join(by_hand)}: the loss has shape {shape}; a hand-written gradient needs one number, "
            "such as the sum of its outputs times weights of your own"
        )
        raise DefinitionError(Complaint(text))
    if options.cotangent is not None:
        leaf = arguments.read(options.cotangent)
        given = np.asarray(options.cotangent if leaf is None else leaf.values)
        if given.shape != shape:
            text = f"the cotangent has shape {given.shape}, the loss {shape}"
            raise DefinitionError(Complaint(text, ("cotangent",)))
        return [given]
    if not is_complex and np.prod(shape) == 1 and not options.jacobian:
        return [None]
    if options.jacobian:
        size = int(np.prod(shape))
        if size > MOST_OUTPUTS:
            text = f"the loss has {size} outputs, one check for each; at most {MOST_OUTPUTS}: leave scope at 'auto'"
            raise DefinitionError(Complaint(text, ("scope",)))
        units = [unit.reshape(shape) for unit in np.eye(size)]
        return [*units, *(1j * unit for unit in units)] if is_complex else list(units)
    rng = np.random.default_rng([options.differences.seed, _COTANGENT_STREAM])
    drawn = rng.standard_normal(shape)
    return [drawn + 1j * rng.standard_normal(shape) if is_complex else drawn]


def _shape(contenders: Sequence[Contender], arguments: Arguments, device: str) -> tuple[tuple[int, ...], bool]:
    """Return the shape of the loss, and whether it is complex; as a scalar if it cannot even be evaluated."""
    for contender in contenders:
        objective = contender.objective(arguments, device=device)
        try:
            return objective.shape()
        except BackendError:
            continue
    return (), False


def _joined(parts: Sequence[Heard], cotangents: Sequence[Numbers | None]) -> Heard:
    """Return the outputs one after the other, as one long gradient: the Jacobian, row by row."""
    tensors: list[Tensor] = []
    for part, cotangent in zip(parts, cotangents, strict=True):
        name, start = _output(cotangent), sum(tensor.size for tensor in tensors)
        tensors += [
            replace(tensor, name=f"{name} {tensor.name}", offset=start + tensor.offset) for tensor in part.layout
        ]
    first = parts[0]
    return replace(
        first,
        layout=Layout(tuple(tensors)),
        estimate=_concatenated([part.estimate for part in parts]),
        evaluations=_together([part.evaluations for part in parts]),
        wide=_together([part.wide for part in parts]),
        outputs=len(parts),
    )


def _output(cotangent: Numbers | None) -> str:
    if cotangent is None:
        return "y"
    if not cotangent.ndim:
        return "imag y" if np.iscomplexobj(cotangent) else "y"
    index = ", ".join(str(int(axis[0])) for axis in np.nonzero(cotangent))
    return f"{'imag ' if np.iscomplexobj(cotangent) else ''}y[{index}]"


def _together(rows: Sequence[Sequence[Evaluation]]) -> list[Evaluation]:
    """Join what each witness says of the outputs, unless it failed for one of them."""
    names = [evaluation.name for evaluation in rows[0]]
    found = []
    for name in names:
        own = [evaluation for row in rows for evaluation in row if evaluation.name == name]
        if len(own) == len(rows):
            found.append(_row(own))
    return found


def _row(own: Sequence[Evaluation]) -> Evaluation:
    first, last = [one.calls[0] for one in own], [one.calls[-1] for one in own]
    loss = float(np.sum([one.loss for one in first]))
    joined = Evaluation(own[0].name, loss, np.concatenate([one.gradient for one in first]))
    if all(one.again is None for one in own):
        return joined
    again = Evaluation(
        own[0].name, float(np.sum([one.loss for one in last])), np.concatenate([one.gradient for one in last])
    )
    return replace(joined, again=again, elsewhere=any(one.elsewhere for one in own))


def _concatenated(estimates: Sequence[Estimate]) -> Estimate:
    """Join the estimates of the outputs; numbers of evaluations and seconds add up."""
    first = estimates[0]
    joined: dict[str, Any] = {
        field.name: np.concatenate([getattr(one, field.name) for one in estimates], axis=-1)
        for field in fields(Estimate)
        if isinstance(getattr(first, field.name), np.ndarray)
    }
    rounding = Rounding(
        np.concatenate([one.rounding.gradient for one in estimates]), sum(one.rounding.loss for one in estimates)
    )
    totals = ("loss", "ties", "evaluations", "seconds")
    joined |= {name: sum(getattr(one, name) for one in estimates) for name in totals}
    return replace(first, rounding=rounding, **joined)
