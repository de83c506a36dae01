"""A self-test for people, also at 40 columns and in a pipe, and as JSON."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from xcheck.checks.selftest.score import FaultOutcome, FaultResult, Limit, SelfTest
from xcheck.report.console import NARROW, STYLES, pad, print_sections, render_text, table, titled
from xcheck.report.json import SCHEMA, finite
from xcheck.verdict import Verdict

_MOST_TENSORS = 20


def render(found: SelfTest, *, width: int = 80) -> str:
    """Return it as plain text of at most `width` columns."""
    return render_text(lambda console: show(found, console), width)


def show(found: SelfTest, console: Console) -> None:
    """Print it."""
    print_sections(console, _sections(found, narrow=console.width < NARROW), found.command)


def as_dict(found: SelfTest) -> dict[str, Any]:
    """Return it as plain dicts, lists, strings and numbers."""
    content = {
        "schema": SCHEMA,
        "model": found.model,
        "verdict": str(found.verdict),
        "exit": found.verdict.exit_status,
        "check": str(found.check),
        "headline": found.headline,
        "headline_of_check": found.headline_of_check,
        "score": found.score,
        "all": asdict(found.whole),
        "classes": [asdict(one) for one in found.classes],
        "faults": [asdict(one) | {"outcome": str(one.outcome)} for one in found.results],
        "limits": [asdict(one) for one in found.limits],
        "sampled": found.sampled,
        "witnesses": list(found.witnesses),
        "skipped": list(found.skipped),
        "tolerance": found.tolerance,
        "seed": found.seed,
        "seconds": {"check": found.check_seconds, "self-test": found.seconds},
        "command": list(found.command),
    }
    plain: dict[str, Any] = finite(content)
    return plain


def _sections(found: SelfTest, *, narrow: bool) -> Iterable[RenderableType]:
    word = str(found.check) if found.check is not Verdict.AGREE else "SHARP" if found.ok else "BLUNT"
    yield Text.assemble((word, STYLES[found.verdict]), f"  {found.model}: {found.headline}")
    yield pad(Text.assemble("the check itself: ", (str(found.check), STYLES[found.check])))
    if found.check is not Verdict.AGREE:
        yield pad(found.headline_of_check)
        yield pad(_meaning(found))
    if not found.witnesses:
        return
    planted = f"{len(found.results)} faults, each planted in {_listed(found.witnesses)}"
    yield pad(f"{planted}; {found.seconds:.2f} s beside {found.check_seconds:.2f} s for the check")
    yield ""
    yield pad(_classes(found, narrow=narrow))
    yield from _slipping(found)
    yield from _inapplicable(found.results)
    yield from _limits(found, narrow=narrow)


def _meaning(found: SelfTest) -> str:
    """Say what the self-test is worth where the check does not agree."""
    if not found.witnesses:
        return "mend this first: faults are planted in gradients that are right as they are"
    if found.check is Verdict.UNDECIDED:
        return "what follows holds for the components that the check can decide"
    skipped = f"; none is planted in {_listed(found.skipped)}" if found.skipped else ""
    return f"mend this first{skipped}; what follows holds for the others"


def _classes(found: SelfTest, *, narrow: bool) -> Table:
    headings = ("class", "found", "named", "n/a" if narrow else "not applicable")
    rows: list[Sequence[str | Text]] = []
    for one in (*found.classes, found.whole):
        style = "" if one.killed == one.applicable else "red"
        score = Text(f"{one.killed}/{one.applicable}", style=style)
        rows.append((one.kind, score, f"{one.named}/{one.killed}", str(one.inapplicable)))
    return table(headings, rows, narrow=narrow)


def _slipping(found: SelfTest) -> Iterable[RenderableType]:
    if not found.slipping:
        return
    yield ""
    yield pad(Text("slip through", style="bold"))
    for one in found.slipping:
        where = "" if one.missed_in == found.witnesses else f" (in {_listed(one.missed_in)})"
        word = ", undecided" if one.outcome is FaultOutcome.UNDECIDED else ""
        yield pad(f"{one.name}{where}{word}: {one.component} is off by {_size(one)}")


def _size(one: FaultResult) -> str:
    return f"{one.error:.1e} of itself, {one.tolerated:.1e} is tolerated"


def _inapplicable(results: Sequence[FaultResult]) -> Iterable[RenderableType]:
    names = [one.name for one in results if one.outcome is FaultOutcome.INAPPLICABLE]
    if names:
        yield from titled("change nothing at this θ", ", ".join(names))


def _limits(found: SelfTest, *, narrow: bool) -> Iterable[RenderableType]:
    """The tensors, bluntest first where there are many."""
    limits = found.limits
    if len(limits) > _MOST_TENSORS:
        limits = tuple(sorted(limits, key=_bluntness, reverse=True))[:_MOST_TENSORS]
    hidden = [one for one in limits if one.hidden]
    where = not (narrow and hidden)
    headings = ["tensor", "median", "worst", *(["at"] if where else []), *(["hidden"] if hidden else [])]
    rows = []
    for one in limits:
        row = [one.tensor, _limit(one.median), _limit(one.worst), *([one.component] if where else [])]
        rows.append([*row, *([f"{one.hidden}/{one.of}"] if hidden else [])])
    yield from titled(
        "smaller errors of a component, relative to itself, slip through", table(headings, rows, narrow=narrow)
    )
    if len(limits) < len(found.limits):
        yield pad(f"... {len(found.limits) - len(limits)} more")
    if hidden:
        yield pad(_hidden(hidden))
    if found.sampled:
        yield pad(found.sampled)


def _limit(number: float) -> str:
    return "–" if math.isnan(number) else f"{number:.1e}"


def _bluntness(limit: Limit) -> float:
    return math.inf if math.isnan(limit.worst) else limit.worst


def _hidden(limits: Sequence[Limit]) -> str:
    largest = max(limits, key=lambda one: one.absolute)
    return (
        "hidden components are zero, at a kink, or smaller than what slips through: an error there is seen from "
        f"{largest.absolute:.1e} on ({largest.tensor})"
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
