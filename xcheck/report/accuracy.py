"""The accuracy of gradients as text, readable at 40 columns and in a pipe, and as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from xcheck.checks.accuracy.accuracy import EXCEEDED, Accuracy, TensorAccuracy, WitnessAccuracy, short, ulps
from xcheck.report.console import NARROW, STYLES, add_title, build_table, pad, print_sections, render_text
from xcheck.report.json import common_dict, finite_dict
from xcheck.text import join_names

# A guess, chosen so that a table fits a screen; test_many_tensors_are_not_all_shown holds it.
_MOST_TENSORS = 20


def render(accuracy: Accuracy, *, width: int = 80) -> str:
    """Return the result as plain text of at most `width` columns."""
    return render_text(lambda console: show(accuracy, console), width)


def show(accuracy: Accuracy, console: Console) -> None:
    """Print the result on a console, at its width."""
    print_sections(console, _build_sections(accuracy, narrow=console.width < NARROW), accuracy.command, accuracy.seed)


def as_dict(accuracy: Accuracy) -> dict[str, Any]:
    """Return the result as plain dicts, lists, strings and numbers."""
    content = common_dict(accuracy) | {
        "headline": accuracy.headline,
        "function": accuracy.function,
        "parameters": accuracy.parameters,
        "looked": accuracy.looked,
        "kinks": accuracy.kinks,
        "operations": list(accuracy.operations),
        "unproved": accuracy.unproved,
        "reasons": list(accuracy.reasons),
        "remarks": list(accuracy.remarks),
        "findings": list(accuracy.findings),
        "witnesses": [asdict(witness) for witness in accuracy.witnesses],
        "exceeded": list(EXCEEDED),
        "seed": accuracy.seed,
        "seconds": accuracy.seconds,
        "command": list(accuracy.command),
    }
    return finite_dict(content)


def _build_sections(accuracy: Accuracy, *, narrow: bool) -> Iterable[RenderableType]:
    yield Text.assemble((str(accuracy.verdict), STYLES[accuracy.verdict]), f"  {accuracy.model}: {accuracy.headline}")
    for finding in accuracy.findings[1:]:
        yield pad(finding)
    if accuracy.witnesses:
        yield pad(_describe_extent(accuracy))
    yield from map(pad, _describe_left_out(accuracy))
    for witness in accuracy.witnesses:
        yield from _show_witness(witness, narrow=narrow)
    yield from _show_losses(accuracy)


def _describe_extent(accuracy: Accuracy) -> str:
    what = f"{accuracy.parameters} components"
    if accuracy.looked < accuracy.parameters:
        what = f"{accuracy.looked} of {what}, drawn at random,"
    return f"{what} against proved slopes of the loss of {accuracy.function}; in {accuracy.seconds:.2f} s"


def _describe_left_out(accuracy: Accuracy) -> Iterable[str]:
    if accuracy.kinks and accuracy.witnesses:
        where = join_names(list(accuracy.operations[:2]))
        yield f"{accuracy.kinks} at a kink, where the loss has two slopes, left out ({where})"
    if accuracy.unproved:
        yield f"{accuracy.unproved} left out, of which nothing is proved: {accuracy.reasons[0]}"
    if accuracy.remarks and accuracy.witnesses:
        yield f"the slopes are those of real numbers: {'; '.join(accuracy.remarks)}"


def _show_witness(witness: WitnessAccuracy, *, narrow: bool) -> Iterable[RenderableType]:
    tensors: Sequence[TensorAccuracy] = witness.tensors
    if len(tensors) > _MOST_TENSORS:
        tensors = sorted(tensors, key=lambda one: one.worst, reverse=True)[:_MOST_TENSORS]
    dtypes = join_names(list(dict.fromkeys(one.dtype for one in witness.tensors)))
    yield from add_title(f"{witness.name}: errors in ulps of {dtypes}", _tabulate_errors(tensors, narrow=narrow))
    yield from add_title("how many exceed", _tabulate_counts(tensors, narrow=narrow))
    yield from add_title("in ulps of the tensor's largest component", _tabulate_largest(tensors, narrow=narrow))
    if len(tensors) < len(witness.tensors):
        yield pad(f"... {len(witness.tensors) - len(tensors)} more tensors")


def _tabulate_errors(tensors: Sequence[TensorAccuracy], *, narrow: bool) -> Table:
    rows = [(one.tensor, short(one.median), short(one.ninety), short(one.worst), one.component) for one in tensors]
    return build_table(("tensor", "median", "90 %", "worst", "at"), rows, narrow=narrow)


def _tabulate_counts(tensors: Sequence[TensorAccuracy], *, narrow: bool) -> Table:
    rows = [(one.tensor, *map(str, one.exceeding), str(one.of)) for one in tensors]
    headings = ["1/2" if count == 0.5 else f"{count:g}" for count in EXCEEDED]
    return build_table(("tensor", *headings, "of"), rows, narrow=narrow)


def _tabulate_largest(tensors: Sequence[TensorAccuracy], *, narrow: bool) -> Table:
    rows = [(one.tensor, short(one.of_largest), one.component_of_largest) for one in tensors]
    return build_table(("tensor", "worst", "at"), rows, narrow=narrow)


def _show_losses(accuracy: Accuracy) -> Iterable[RenderableType]:
    """Say where digits are lost, and which of that is to be expected."""
    lost = [f"{witness.name}: {one.lost}" for witness in accuracy.witnesses for one in witness.tensors if one.lost]
    for number, text in enumerate(lost[:_MOST_TENSORS]):
        if number:
            yield pad(text)
        else:
            yield from add_title("digits lost", text)
    cancelling = [(one, witness) for witness in accuracy.witnesses for one in witness.tensors if one.cancels]
    if cancelling:
        tensor, witness = max(cancelling, key=lambda pair: pair[0].worst)
        yield ""
        yield pad(
            f"{tensor.component} of {witness.name} is off by {ulps(tensor.worst)} of its own, nothing in its tensor by "
            f"more than {ulps(tensor.of_largest)} of the largest component: that small components lose digits where "
            f"large terms cancel is expected{_describe_better(tensor)}"
        )


def _describe_better(tensor: TensorAccuracy) -> str:
    """Say that another gradient keeps the digits, where one does."""
    if not tensor.avoidable:
        return ""
    return f"; here it could be avoided: another gradient is off by {ulps(tensor.least)} there"
