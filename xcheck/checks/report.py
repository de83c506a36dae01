"""Report: everything a check has found, as one frozen value. Renderings only read it."""

from collections.abc import Mapping
from dataclasses import dataclass

from xcheck.caveats.layers import LayerState
from xcheck.certificates.claims import Proof
from xcheck.checks.result import Result
from xcheck.compare.coverage import TensorCoverage
from xcheck.compare.pair import ORACLE, Pair
from xcheck.compare.precision import TensorPrecision
from xcheck.findings import (
    ALL_AGAINST_ORACLE,
    BACKEND_FAILED,
    COTANGENT_MISREAD,
    DEPENDS_ON_HISTORY,
    LOSSES_PART,
    NO_SECOND_ORDER,
    NOTHING_TO_JUDGE,
    OPERATIONS_PART,
    OVERWRITTEN,
    UNSTEADY_GRADIENT,
    WRONG_OPERATION,
    Finding,
)
from xcheck.oracle import Estimate
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.oracle.estimators.audit import Audit
from xcheck.text import ratio
from xcheck.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleSummary:
    """How the oracle's gradient came about.

    Attributes:
        engine: name of the engine.
        predicted: seconds that the batched and the structured engine were predicted to take; empty where the engine was
            named.
        budget: seconds that an engine chosen by xcheck might take.
        audits: how samples of the components fared with more direct engines.
        referred: components that the noise of subtracted losses had left too wide, measured again without subtracting.
        refereed: components in dispute that were measured again in extended precision.
        scope: "all" when every component was perturbed; "sample", "directions" or "jacobian".
        difference: "central" or "forward".
        epsilon: the step; with "auto" the median of the steps.
        evaluations: losses evaluated.
        seconds: wall time.
        compile_seconds: of which until the first differences were there.
        loss: J(θ) as the oracle computes it.
        widest_bar: the widest error bar.
        ties: units and weights that sit on a kink.
    """

    engine: str
    predicted: Mapping[str, float]
    budget: float
    audits: tuple[Audit, ...]
    referred: int
    refereed: int
    scope: str
    difference: str
    epsilon: float
    evaluations: int
    seconds: float
    compile_seconds: float
    loss: float
    widest_bar: float
    ties: int

    @classmethod
    def of(cls, estimate: Estimate, *, scope: str, budget: float) -> "OracleSummary":
        """Return how an estimate came about."""
        return cls(
            engine=estimate.engine,
            predicted=estimate.predicted,
            budget=budget,
            audits=estimate.audits,
            referred=estimate.referred,
            refereed=estimate.refereed,
            scope=scope,
            difference=estimate.difference,
            epsilon=estimate.epsilon,
            evaluations=estimate.evaluations,
            seconds=estimate.seconds,
            compile_seconds=estimate.compile_seconds,
            loss=estimate.loss,
            # θ may have no components, and then there is no bar.
            widest_bar=float(estimate.error_bar.max(initial=0.0)),
            ties=estimate.ties,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Result):
    """The result of a check.

    Attributes:
        model: name of what was checked.
        summary: the network in one line.
        verdict: of the whole check.
        parameters: number of components of θ.
        seed: of everything random.
        losses: loss of each witness.
        pairs: every witness against the oracle, then the witnesses among themselves.
        odd_one_out: who stands alone.
        consensus: who stands where, and how far apart in units of the error bars; empty where all agree.
        starts: per witness where in its backward pass a fault has entered, as far as that can be told.
        findings: why it failed.
        warnings: what the check does not prove.
        tensors: what the check does prove, tensor by tensor.
        layers: sizes of activations and gradients, layer by layer.
        oracle: how the oracle's gradient came about.
        dtype: what the witnesses computed in.
        tolerance: relative, per component, as it was applied: float32 has one of its own.
        resolution: what an error must exceed, beside the tolerance, to be seen: in units of the largest component of
            its tensor.
        seconds: wall time of each witness, imports and compilation included.
        environment: versions and device.
        command: what was typed, if anything was.
        precision: in narrow dtypes, how far each tensor of each witness is off in units of what rounding may do.
        proof: what slopes with proved bounds say; None where nothing was to be proved.
    """

    kind = "check"

    model: str
    summary: str
    verdict: Verdict
    parameters: int
    seed: int
    losses: Mapping[str, float]
    pairs: tuple[Pair, ...]
    odd_one_out: tuple[str, ...]
    consensus: str
    starts: Mapping[str, str]
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    tensors: tuple[TensorCoverage, ...]
    layers: tuple[LayerState, ...]
    oracle: OracleSummary
    dtype: str
    tolerance: float
    resolution: float
    seconds: Mapping[str, float]
    environment: Mapping[str, str]
    command: tuple[str, ...] = ()
    precision: tuple[TensorPrecision, ...] = ()
    proof: Proof | None = None

    def __repr__(self) -> str:
        # What `assert report` shows in a test.
        return f"<Report {self.verdict} {self.model}: {self.headline}>"

    @property
    def verified(self) -> int:
        """Number of components that are right and would be seen to be wrong; see `xcheck.compare.coverage`."""
        return sum(tensor.verified for tensor in self.tensors)

    @property
    def components(self) -> int:
        """Number of components that were looked at: all parameters, a sample, or a whole Jacobian."""
        return sum(tensor.of for tensor in self.tensors)

    @property
    def idle(self) -> tuple[TensorCoverage, ...]:
        """The tensors of which nothing is verified."""
        return tuple(tensor for tensor in self.tensors if tensor.of and not tensor.verified)

    @property
    def headline(self) -> str:
        """One sentence that stands alone: who disagrees, where, by how much.

        Such as `numpy disagrees: W2[3, 1] is 1.5 x the oracle (48 of 609 wrong)`; where an operation is known to be
        wrong, followed by it and its line: "; wrong in `rms_norm` at layers.py:41".
        """
        if self.ok:
            names = ", ".join(self.losses)
            agree = "agree" if len(self.losses) > 1 else "agrees"
            return f"{names} {agree} with the oracle{_extent(self)}"
        # Of several failures the one that decides the verdict is the one to begin with.
        pairs = [pair for pair in self.pairs if pair.verdict is self.verdict]
        decisive = [finding.text for finding in self.findings if finding.code in _DECISIVE]
        if decisive or not pairs:
            # Every component may be within its bounds, and a witness be refuted by more than components.
            texts = decisive or [finding.text for finding in self.findings] or ["nothing was compared"]
            # The text of another's exception may go on for lines.
            return texts[0].splitlines()[0] + self._parting
        # Who stands alone is the likeliest to be wrong.
        sentence = _sentence(next((pair for pair in pairs if pair.a in self.odd_one_out), pairs[0]))
        places = [finding.where for finding in self.findings if finding.code == WRONG_OPERATION and finding.where]
        return f"{sentence}; wrong in {places[0].short}" if places else sentence

    @property
    def _parting(self) -> str:
        """Where two implementations part whose losses differ; empty where that is not known."""
        found = next((finding for finding in self.findings if finding.code == OPERATIONS_PART), None)
        if found is None or found.where is None or found.beside is None:
            return ""
        return f"; they part at {found.where.short} and {found.beside.short}"


# Findings that say more than any one pair does.
_DECISIVE = (
    BACKEND_FAILED,
    NOTHING_TO_JUDGE,
    ALL_AGAINST_ORACLE,
    UNSTEADY_GRADIENT,
    DEPENDS_ON_HISTORY,
    OVERWRITTEN,
    COTANGENT_MISREAD,
    LOSSES_PART,
    NO_SECOND_ORDER,
)


def _extent(report: Report) -> str:
    """Say on how much all agree, and what of it proves nothing."""
    whole, proved = report.components, report.verified
    what = {
        "jacobian": "derivatives",
        "sample": "sampled parameters and directions",
        "directions": "random directions",
    }.get(report.oracle.scope, "parameter" if whole == 1 else "parameters")
    # The plain case is one short sentence, so that anything else stands out.
    if proved == whole:
        return f" on all {whole} {what}" if whole > 1 else f" on the one {what}"
    idle = report.idle
    reasons = ["zero" if tensor.zero == tensor.of else "below the noise" for tensor in idle]
    # Each reason once, "zero" first, whatever the order of the tensors.
    reason = " or ".join(dict.fromkeys(sorted(reasons, reverse=True)))
    if not proved:
        return f", which proves nothing: the whole gradient is {reason}"
    extent = f" on {proved} of {whole} {what}"
    if not idle:
        others = whole - proved
        return f"{extent}; no loss depends on the other {others if others > 1 else 'one'}"
    names = ", ".join(tensor.name for tensor in idle)
    verb, theirs = ("proves", "its gradient is") if len(idle) == 1 else ("prove", "their gradients are")
    return f"{extent}; {names} {verb} nothing: {theirs} {reason}"


def _sentence(pair: Pair) -> str:
    other = "the oracle" if pair.b == ORACLE else pair.b
    # In this order: a random loss explains all that follows, and another loss explains another gradient.
    if pair.spread:
        return f"{pair.a} is undecided: its loss differs by {pair.spread:.2g} between two calls at the same θ"
    if pair.verdict is Verdict.UNDECIDED:
        return f"{pair.a} is undecided: {pair.undecided} of {pair.of} components could not be decided"
    if not pair.losses_agree:
        mine, theirs = pair.losses
        return f"{pair.a} computes another loss: {mine:.9g}, {other} {theirs:.9g}"
    worst = pair.worst[0]
    return f"{pair.a} disagrees: {worst.location} is {ratio(worst.a, worst.b)} {other} ({_count(pair)})"


def _count(pair: Pair) -> str:
    """Say how much is wrong; directions are no components."""
    # Random directions are laid out like a tensor behind the components.
    along = next((tensor for tensor in pair.tensors if tensor.name == DIRECTIONS), None)
    if along is None:
        return f"{pair.wrong} of {pair.of} wrong"
    components, of = pair.wrong - along.wrong, pair.of - along.of
    looked = f"{components} of {of} components looked at" if of else "no component looked at"
    return f"{looked} and {along.wrong} of {along.of} directions wrong"
