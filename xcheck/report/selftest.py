"""The result of a self-test as text, readable at 40 columns and in a pipe, and as JSON."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from xcheck.checks.selftest.score import FaultOutcome, FaultResult, Limit, SelfTest
from xcheck.report.console import NARROW, STYLES, add_title, build_table, pad, print_sections, render_text
from xcheck.report.json import common_dict, finite_dict
from xcheck.text import join_names
from xcheck.verdict import Verdict

# A guess, chosen so that the table fits a screen; test_many_tensors_are_not_all_shown holds it.
_MOST_TENSORS = 20


def render(selftest: SelfTest, *, width: int = 80) -> str:
    """Return the result as plain text of at most `width` columns."""
    return render_text(lambda console: show(selftest, console), width)


def show(selftest: SelfTest, console: Console) -> None:
    """Print the result on a console, at its width."""
    print_sections(console, _build_sections(selftest, narrow=console.width < NARROW), selftest.command, selftest.seed)


def as_dict(selftest: SelfTest) -> dict[str, Any]:
    """Return the result as plain dicts, lists, strings and numbers."""
    content = common_dict(selftest) | {
        "check": str(selftest.check),
        "headline": selftest.headline,
        "headline_of_check": selftest.headline_of_check,
        "score": selftest.score,
        "all": asdict(selftest.whole),
        "classes": [asdict(score) for score in selftest.classes],
        "faults": [asdict(fault) | {"outcome": str(fault.outcome)} for fault in selftest.results],
        "limits": [asdict(limit) for limit in selftest.limits],
        "sampled": selftest.sampled,
        "witnesses": list(selftest.witnesses),
        "skipped": list(selftest.skipped),
        "tolerance": selftest.tolerance,
        "seed": selftest.seed,
        "seconds": {"check": selftest.check_seconds, "self-test": selftest.seconds},
        "command": list(selftest.command),
    }
    return finite_dict(content)


def _build_sections(selftest: SelfTest, *, narrow: bool) -> Iterable[RenderableType]:
    # SHARP and BLUNT are about a check that agrees; where it does not, its own verdict comes first.
    word = str(selftest.check) if selftest.check is not Verdict.AGREE else "SHARP" if selftest.ok else "BLUNT"
    yield Text.assemble((word, STYLES[selftest.verdict]), f"  {selftest.model}: {selftest.headline}")
    yield pad(Text.assemble("the check itself: ", (str(selftest.check), STYLES[selftest.check])))
    if selftest.check is not Verdict.AGREE:
        yield pad(selftest.headline_of_check)
        yield pad(_describe_use(selftest))
    if not selftest.witnesses:  # nothing was planted
        return
    # A score of 100 % must not be taken for more than it is.
    where = f"the gradient of {join_names(selftest.witnesses)}, none inside a layer"
    planted = f"{len(selftest.results)} faults, each planted in {where}"
    yield pad(f"{planted}; in {selftest.seconds:.2f} s; the check took {selftest.check_seconds:.2f} s")
    yield ""
    yield pad(_tabulate_classes(selftest, narrow=narrow))
    yield from _list_slipping(selftest)
    yield from _list_inapplicable(selftest.results)
    yield from _show_limits(selftest, narrow=narrow)


def _describe_use(selftest: SelfTest) -> str:
    """Return what the self-test is good for where the check does not agree."""
    if not selftest.witnesses:
        return "mend this first: faults can only be planted in a gradient that is right"
    if selftest.check is Verdict.UNDECIDED:
        return "what follows holds for the components that the check can decide"
    if not selftest.skipped:
        return "mend this first; what follows holds for the witnesses that are right"
    return f"mend this first; no fault is planted in {join_names(selftest.skipped)}: what follows holds for the others"


def _tabulate_classes(selftest: SelfTest, *, narrow: bool) -> Table:
    headings = ("class", "found", "located", "n/a" if narrow else "not applicable")
    rows: list[Sequence[str | Text]] = []
    for score in (*selftest.classes, selftest.whole):
        # A fault that changes nothing at this θ cannot be found, and is not held against the check.
        style = "" if score.killed == score.applicable else "red"
        killed = Text(f"{score.killed}/{score.applicable}", style=style)
        rows.append((score.kind, killed, f"{score.named}/{score.killed}", str(score.inapplicable)))
    return build_table(headings, rows, narrow=narrow)


def _list_slipping(selftest: SelfTest) -> Iterable[RenderableType]:
    if not selftest.slipping:
        return
    yield ""
    yield pad(Text("faults that slip through", style="bold"))
    for fault in selftest.slipping:
        # Named only where not all witnesses miss it.
        where = "" if fault.missed_in == selftest.witnesses else f" (in {join_names(fault.missed_in)})"
        word = ", undecided" if fault.outcome is FaultOutcome.UNDECIDED else ""
        size = f"{fault.error:.1e} of itself, {fault.tolerated:.1e} is tolerated"
        yield pad(f"{fault.name}{where}{word}: {fault.component} is off by {size}")


def _list_inapplicable(results: Sequence[FaultResult]) -> Iterable[RenderableType]:
    names = [fault.name for fault in results if fault.outcome is FaultOutcome.INAPPLICABLE]
    if names:
        yield from add_title("faults that change nothing at this θ", ", ".join(names))


def _show_limits(selftest: SelfTest, *, narrow: bool) -> Iterable[RenderableType]:
    """Yield the smallest error that a check sees, for each tensor; of many tensors, those where it is largest."""
    limits = selftest.limits
    if len(limits) > _MOST_TENSORS:
        limits = tuple(sorted(limits, key=_bluntness, reverse=True))[:_MOST_TENSORS]
    hidden = [limit for limit in limits if limit.hidden]
    where = not (narrow and hidden)  # 40 columns have no room for both
    headings = ["tensor", "median", "worst", *(["at"] if where else []), *(["hidden"] if hidden else [])]
    rows = []
    for limit in limits:
        row = [
            limit.tensor,
            _format_error(limit.median),
            _format_error(limit.worst),
            *([limit.component] if where else []),
        ]
        rows.append([*row, *([f"{limit.hidden}/{limit.of}"] if hidden else [])])
    yield from add_title(
        "errors smaller than this, relative to the component, slip through", build_table(headings, rows, narrow=narrow)
    )
    if len(limits) < len(selftest.limits):
        yield pad(f"... {len(selftest.limits) - len(limits)} more")
    if hidden:
        yield pad(_describe_hidden(hidden))
    if selftest.sampled:
        yield pad(selftest.sampled)


def _format_error(number: float) -> str:
    # nan: every component of the tensor is hidden, so there is no smallest error to name.
    return "–" if math.isnan(number) else f"{number:.1e}"


def _bluntness(limit: Limit) -> float:
    # All of its components are hidden: nothing can be blunter.
    return math.inf if math.isnan(limit.worst) else limit.worst


def _describe_hidden(limits: Sequence[Limit]) -> str:
    # The tensor where it takes most: its error is enough in every other.
    largest = max(limits, key=lambda limit: limit.absolute)
    return (
        "hidden components are zero, at a kink, or smaller than the errors that slip through; an error in any of them "
        f"is found if it is at least {largest.absolute:.1e} ({largest.tensor})"
    )
