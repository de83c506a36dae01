"""SelfTest: how good a check is on one's own model, as one frozen value. Renderings only read it.

Mutation testing: faults are planted one at a time in gradients that are right, and a check is worth the share of them
that it finds.

Source: DeMillo, Lipton and Sayward, "Hints on test data selection", 1978.
"""

from dataclasses import dataclass
from enum import StrEnum

from xcheck.checks.result import Result
from xcheck.verdict import Verdict


class FaultOutcome(StrEnum):
    """What became of a fault."""

    KILLED = "killed"
    UNDECIDED = "undecided"
    SLIPS = "slips through"
    INAPPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResult:
    """What became of one fault, planted in each witness by itself.

    Attributes:
        name: of the fault.
        kind: class of mistake.
        outcome: killed only if it is in every witness; not applicable where it changes nothing at this θ.
        named: whether the wrong tensors were among those that it touches, in every witness.
        missed_in: the witnesses in which it is not killed.
        component: that comes closest to being seen, where it is not killed.
        error: relative error of this component.
        tolerated: relative error that it might have.
    """

    name: str
    kind: str
    outcome: FaultOutcome
    named: bool = False
    missed_in: tuple[str, ...] = ()
    component: str = ""
    error: float = 0.0
    tolerated: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultClass:
    """The score of one class of mistakes.

    Attributes:
        kind: the class.
        killed: faults that were found.
        named: those of them of which the wrong tensors were named, and no others.
        applicable: faults that change anything at this θ.
        inapplicable: those that do not.
    """

    kind: str
    killed: int
    named: int
    applicable: int
    inapplicable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The smallest error of a component that is still seen, in one tensor.

    An error is relative to the component itself. Where a component is no larger than what slips through, as a zero is,
    or one between the slopes at a kink may be, it is hidden, and only absolute errors make sense.

    Attributes:
        tensor: its name.
        of: number of components that were looked at.
        median: over the components that are not hidden; nan if all are.
        worst: the largest of them.
        component: which one that is.
        hidden: number of hidden components.
        absolute: the largest error, in absolute terms, that slips through in one of those.
    """

    tensor: str
    of: int
    median: float
    worst: float
    component: str
    hidden: int
    absolute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest(Result):
    """How good a check is.

    Attributes:
        model: name of what was checked.
        check: verdict of the check as it is, without faults.
        headline_of_check: its sentence.
        witnesses: those in which faults were planted.
        skipped: those in which none was, because they are wrong already, or random.
        results: one for each fault.
        limits: one for each tensor.
        sampled: what was not looked at component by component; empty where everything was.
        tolerance: relative, as it was applied.
        seed: of everything random.
        check_seconds: wall time of the check.
        seconds: wall time of everything else.
        command: what was typed, if anything was.
    """

    # By this word `xcheck.checks.result` finds the functions that render it.
    kind = "selftest"

    model: str
    check: Verdict
    headline_of_check: str
    witnesses: tuple[str, ...]
    skipped: tuple[str, ...]
    results: tuple[FaultResult, ...]
    limits: tuple[Limit, ...]
    sampled: str
    tolerance: float
    seed: int
    check_seconds: float
    seconds: float
    command: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[FaultClass, ...]:
        """The score of each class of mistakes."""
        # Kinds in the order in which the catalogue first has them.
        kinds = dict.fromkeys(result.kind for result in self.results)
        return tuple(_score(kind, [result for result in self.results if result.kind == kind]) for kind in kinds)

    @property
    def whole(self) -> FaultClass:
        """The score of all faults together."""
        return _score("all", self.results)

    @property
    def score(self) -> float:
        """Killed of applicable faults, from 0 to 1; nan if none applies."""
        whole = self.whole
        # 0 of 0 is neither a good score nor a bad one.
        return whole.killed / whole.applicable if whole.applicable else float("nan")

    @property
    def slipping(self) -> tuple[FaultResult, ...]:
        """The faults that would not be found."""
        # What is undecided is not found either: no gradient is called wrong for it.
        return tuple(one for one in self.results if one.outcome in (FaultOutcome.SLIPS, FaultOutcome.UNDECIDED))

    @property
    def verdict(self) -> Verdict:
        """That of the check, but UNDECIDED where it agrees and is not worth much: exit status 3."""
        # A check that agrees, but would agree with faults as well, shows too little for a plain success.
        short = self.slipping or not self.whole.applicable
        return Verdict.worst([self.check, *([Verdict.UNDECIDED] if short else [])])

    @property
    def headline(self) -> str:
        """The score in one sentence."""
        # Two reasons for an empty score: no gradient to spoil, and faults that spoil none.
        if not self.witnesses:
            return "no fault could be planted: no witness has a gradient that is right and the same in every call"
        whole = self.whole
        if not whole.applicable:
            return "no planted fault changes the gradient at this θ, so nothing is shown"
        found = f"{whole.killed} of {whole.applicable} planted faults found"
        return f"{found}, {whole.named} of them located"

    def __repr__(self) -> str:
        return f"<SelfTest {self.model}: {self.headline}>"


def _score(kind: str, results: "tuple[FaultResult, ...] | list[FaultResult]") -> FaultClass:
    # A fault that changes nothing cannot be found, and does not count against the check.
    applicable = [one for one in results if one.outcome is not FaultOutcome.INAPPLICABLE]
    killed = [one for one in applicable if one.outcome is FaultOutcome.KILLED]
    return FaultClass(
        kind=kind,
        killed=len(killed),
        named=sum(one.named for one in killed),
        applicable=len(applicable),
        inapplicable=len(results) - len(applicable),
    )
