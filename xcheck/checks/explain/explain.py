"""Close-up: one component of a check, with all that is known about it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xcheck.checks.completed import CompletedCheck, Witness, require_one_gradient
from xcheck.checks.explain.explanation import Explanation, Kink, WitnessValue
from xcheck.checks.explain.proved import prove_component, refuted_by
from xcheck.checks.explain.sweep import Step, best_pair, nearest_kink, sweep_steps
from xcheck.compare.bounds import Bounds
from xcheck.findings import BACKEND_FAILED, DEPENDS_ON_HISTORY, OVERWRITTEN, PROVED_WRONG, UNSTEADY_GRADIENT
from xcheck.oracle import Estimate
from xcheck.text import join_names, ratio
from xcheck.verdict import Verdict

_WHATEVER_THE_COMPONENT = (BACKEND_FAILED, DEPENDS_ON_HISTORY, OVERWRITTEN, UNSTEADY_GRADIENT)


def explain_component(check: CompletedCheck, flat: int) -> Explanation:
    """Return what is known about component `flat` of a check that is done.

    Raises:
        DefinitionError: it is a check of a whole Jacobian.
    """
    require_one_gradient(check)
    estimate, line = check.estimate, int(np.searchsorted(check.lines.components, flat))
    proof, slopes = prove_component(check, flat)
    refuted = {} if slopes is None or check.prover is None else refuted_by(check, check.prover, flat, slopes)
    statements = tuple(_statement(check, witness, line, refuted.get(witness.name)) for witness in check.witnesses)
    # What is asked again in float64 may show a mistake, and no more.
    counted = [
        statement.verdict
        for statement, witness in zip(statements, check.witnesses, strict=True)
        if not (witness.rerun_of and statement.verdict is Verdict.UNDECIDED)
    ]
    # So that a parameter of size 1 has the steps of the lecture notes.
    scale = max(1.0, abs(float(check.theta[flat])))
    steps = () if check.engine is None else sweep_steps(check.engine(), line, scale)
    # That the whole gradient is proved to be wrong is news where this component is not.
    codes = _WHATEVER_THE_COMPONENT if Verdict.DISAGREE in counted else (*_WHATEVER_THE_COMPONENT, PROVED_WRONG)
    findings = tuple(one.text for one in check.report.findings if one.code in codes)
    # What a witness may be off does not depend on the witness, but for its dtype; the first stands for all.
    own = check.witnesses[0].comparer.bounds(estimate.value) if check.witnesses else None
    return Explanation(
        model=check.report.model,
        component=check.layout.locate(flat),
        theta=float(check.theta[flat]),
        loss=estimate.loss,
        verdict=Verdict.worst([*check.own, *counted]),
        headline=_headline(statements, findings),
        value=float(estimate.value[line]),
        error_bar=float(estimate.error_bar[line]),
        lower=float(estimate.lower[line]),
        upper=float(estimate.upper[line]),
        allowed=float("nan") if own is None else float(own.allowed[line]),
        statements=statements,
        steps=steps,
        slopes=best_pair(steps, scale),
        kink=_kink(check, flat, line, steps),
        findings=findings,
        seed=check.report.seed,
        tolerance=check.report.tolerance,
        proved=proof,
    )


def _kink(check: CompletedCheck, flat: int, line: int, steps: Sequence[Step]) -> Kink:
    estimate = check.estimate
    # Of a declared network kinks are computed; of a function they are felt, by slopes that jump.
    if check.problem is not None:
        reach = steps[0].h
        distance = 0.0 if _slopes_at_kink(estimate, line) else nearest_kink(check.problem, flat, reach)
        return Kink(distance=distance, exact=True, sight=reach)
    if check.engine is None or check.kinks is None:
        return Kink(distance=float("nan"), exact=False, sight=0.0)
    engine = check.engine()
    sight = 4 * engine.first_step * float(engine.scale[line])
    return Kink(distance=float(check.kinks[line]), exact=False, sight=sight)


# --- witnesses ------------------------------------------------------------------------------------------------------


def _statement(check: CompletedCheck, witness: Witness, line: int, refuted: str | None) -> WitnessValue:
    """Return what a witness says of a line; where its calls differ, the worse one.

    Args:
        check: that is done.
        witness: who says it.
        line: number of the component's line.
        refuted: how it is proved to be wrong there, if it is.
    """
    found = [
        _of_call(check, witness, float(slopes[line]), witness.comparer.bounds(slopes), line)
        for slopes in (check.lines.along(call.gradient) for call in witness.whole.calls)
    ]
    # A gradient that is right at the first call only is wrong in training.
    worst = Verdict.worst(one.verdict for one in found)
    said = next(one for one in found if one.verdict is worst)
    return said if refuted is None else replace(said, verdict=Verdict.DISAGREE, text=refuted)


def _of_call(check: CompletedCheck, witness: Witness, value: float, bounds: Bounds, line: int) -> WitnessValue:
    estimate, excess = check.estimate, float(bounds.excess[line])
    bar = float(estimate.error_bar[line])
    bars = excess / bar if bar else (np.inf if excess else 0.0)
    verdict, text = _judged(check, witness, value, bounds, line)
    return WitnessValue(name=witness.name, value=value, bars=float(bars), verdict=verdict, text=text)


def _judged(check: CompletedCheck, witness: Witness, value: float, bounds: Bounds, line: int) -> tuple[Verdict, str]:
    """Return the verdict on one line and its reason."""
    pair, slopes = check.pair(witness), _slopes_at_kink(check.estimate, line)
    why_not = _unjudged(check, witness, bounds, line)
    if why_not:
        return Verdict.UNDECIDED, f"undecided because {why_not}"
    if bounds.wrong[line]:
        oracle = float(check.estimate.value[line])
        how = f"outside {slopes}, the slopes at the kink" if slopes else f"{ratio(value, oracle)} the oracle"
        return Verdict.DISAGREE, f"wrong: {how}"
    if not pair.losses_agree:
        return Verdict.DISAGREE, "computes another loss: its gradient belongs to another function"
    if bounds.undecided[line]:
        return Verdict.UNDECIDED, f"undecided because {_unsure(bounds, line, slopes)}"
    return Verdict.AGREE, f"right: at a kink, any slope in {slopes} is" if slopes else "right"


def _unjudged(check: CompletedCheck, witness: Witness, bounds: Bounds, line: int) -> str:
    """Return why nothing can be said about a witness, if that is so."""
    spread = witness.comparer.spread(witness.whole)
    if spread:
        return f"its loss differs by {spread:.2g} between two calls at the same θ"
    if not np.isfinite(check.estimate.value[line]):
        return "the oracle finds no finite slope here"
    if bounds.wrong[line] and check.pair(witness).verdict is not Verdict.DISAGREE:
        return "it is right in float64, and off by more than rounding explains"
    return ""


def _slopes_at_kink(estimate: Estimate, line: int) -> str:
    """Return the interval of slopes, empty where J is smooth."""
    lower, upper = float(estimate.lower[line]), float(estimate.upper[line])
    return f"[{lower:.6g}, {upper:.6g}]" if upper - lower > 2 * float(estimate.error_bar[line]) else ""


def _unsure(bounds: Bounds, line: int, slopes: str) -> str:
    if slopes:
        return f"at a kink any slope in {slopes} is right, and this is none that frameworks choose"
    return f"an error of {bounds.allowed[line]:.1e} could not be seen, which is too much beside the rest of the tensor"


def _headline(statements: Sequence[WitnessValue], findings: Sequence[str]) -> str:
    """Say who is wrong, who is undecided and who is right, those that say the same together."""
    said: dict[str, list[str]] = {}
    for verdict in (Verdict.DISAGREE, Verdict.UNDECIDED, Verdict.AGREE):
        for one in statements:
            if one.verdict is verdict:
                said.setdefault(_with_bars(one), []).append(one.name)
    sentences = [f"{join_names(names)} {_verb(text, len(names))}" for text, names in said.items()]
    return "; ".join([*sentences, *(text.splitlines()[0] for text in findings)])


def _with_bars(one: WitnessValue) -> str:
    # Fewer than one bar off is within reach of the tolerance alone, and infinitely many say nothing.
    if one.verdict is not Verdict.DISAGREE or one.bars < 1 or not np.isfinite(one.bars):
        return one.text
    return f"{one.text}, {one.bars:.1g} bars off"


def _verb(text: str, count: int) -> str:
    return text if text.startswith("computes") else f"{'is' if count == 1 else 'are'} {text}"
