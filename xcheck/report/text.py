"""The report on a check as text: coloured on a terminal, plain in a pipe, readable at 40 columns.

The report on a check that passes has two lines and its tightest component. That on one that fails is a diagnosis: the
odd one out, where the error starts, its cause, the worst components, and what to type next. Nothing is said by colour
alone.
"""

import shlex
from collections.abc import Iterable, Sequence
from textwrap import indent

from rich.console import Console, RenderableType
from rich.text import Text

from xcheck.checks.report import Report
from xcheck.compare.pair import ORACLE, Component, band
from xcheck.findings import COTANGENT, Finding
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.pages import page
from xcheck.report.console import NARROW, STYLES, add_title, pad, print_commands, render_text, repeat_command
from xcheck.report.oracle import describe_engine, describe_oracle, describe_times, name_engine
from xcheck.report.tables import Tables, format_slope, title_of
from xcheck.text import join_names
from xcheck.verdict import Verdict

# A guess: whoever has seen the command for three codes can type it for a fourth.
_MOST_CODES = 3
# A gradient in float32 that is asked again in float64 is proved 2²⁹ times more sharply. So much sharper, it is said by
# itself.
_SHARPER = 1e-3
# The options that decide which gradients are compared, at which θ and on which examples: with them, `explain` looks at
# the same component as the check. Those that only decide how long the oracle takes are left out.
_POINT_OPTIONS = ("--backend", "--tolerance", "--dtype", "--device", "--seed", "--examples", "--dropout", "--weights")


def render(report: Report, *, width: int = 80, verbose: bool = False) -> str:
    """Return the report as plain text of at most `width` columns."""
    return render_text(lambda console: show(report, console, verbose=verbose), width)


def show(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Print the whole report; `verbose` adds layers, the tensors of every pair, and where the time went."""
    tables = Tables(narrow=console.width < NARROW)
    for section in _build_sections(report, tables, verbose=verbose):
        # A traceback keeps its lines, however narrow the terminal: files and places in it are there to be found.
        console.print(section, soft_wrap=isinstance(section, Text) and section.no_wrap is True)
    print_commands(console, _list_commands(report))


def print_line(report: Report, console: Console) -> None:
    """Print verdict, model and headline as one line, however narrow the terminal."""
    console.print(_format_headline(report), soft_wrap=True)


def _format_headline(report: Report) -> Text:
    # A check that covers nothing of some tensor is no plain AGREE: it is as yellow as UNDECIDED.
    style = STYLES[Verdict.UNDECIDED if report.ok and report.idle else report.verdict]
    # The sentence has no style of its own, not even the default colour: HTML would write that down as black.
    return Text.assemble((str(report.verdict), style), f"  {report.model}: {report.headline}")


def _build_sections(report: Report, tables: Tables, *, verbose: bool) -> Iterable[RenderableType]:
    yield _format_headline(report)
    if report.ok and not verbose:
        yield from _summarize_pass(report)
    else:
        yield from _show_in_full(report, tables, verbose=verbose)
    # What is said of every loss that is an array is a line of the summary of a check that agrees.
    brief = report.ok and not verbose
    warnings = [warning for warning in report.warnings if not (brief and warning.code == COTANGENT)]
    yield from _show_findings("warning", warnings, verbose=verbose)
    yield from _show_run(report, verbose=verbose)


def _summarize_pass(report: Report) -> Iterable[RenderableType]:
    """Yield the largest difference, what it was measured with, and the component that was closest to being wrong."""
    against = [pair for pair in report.pairs if pair.b == ORACLE]
    # The largest of all witnesses: the line holds for each of them.
    difference = max(pair.difference for pair in against)
    yield pad(
        Text(
            f"difference {difference:.1e}: {_describe_difference(difference)}; {report.oracle.evaluations:,} losses in "
            f"{report.oracle.seconds:.1f} s ({name_engine(report.oracle)}), seed {report.seed}; "
            f"{_describe_agreement(report)}"
        )
    )
    yield from (pad(Text(f"{note.code}: {note.text}")) for note in report.warnings if note.code == COTANGENT)
    yield from _summarize_precision(report)
    yield from _summarize_proof(report)
    tightest = [(_share_used(pair.worst[0]), pair.a, pair.worst[0]) for pair in against if pair.worst]
    if tightest:
        # How much room there was says more than the largest difference, which may be that of a tiny component.
        used, name, component = max(tightest, key=lambda each: each[0])
        yield pad(
            Text(
                f"tightest: {component.location}: {name} {component.a:.8g}, oracle {format_slope(component, 8)} ± "
                f"{component.error_bar:.0e}, off by {component.excess:.1g}: {used:.1g} of what is allowed"
            )
        )


def _summarize_proof(report: Report) -> Iterable[RenderableType]:
    """Yield which gradients are proved to be right, and how small an error would have been seen."""
    right = [] if report.proof is None else report.proof.of(["right"])
    if report.proof is None or not right:
        return
    allowed = max(one.allowed for one in right)
    names = ", ".join(one.name for one in right)
    sharper = [one for one in right if one.allowed < _SHARPER * allowed]
    more = ""
    if sharper:
        more = f", of {join_names([one.name for one in sharper])} one of {max(one.allowed for one in sharper):.0e}"
    narrow = f"; the rounding of the loss to {report.proof.narrow} is left out of them" if report.proof.narrow else ""
    left_out = f" ({report.proof.left_out} more do not fit the budget)" if report.proof.left_out else ""
    yield pad(
        Text(
            f"proved: {names}: slopes along {report.proof.directions} random directions{left_out}, enclosed in ball "
            f"arithmetic, are those of the gradient; an error of {allowed:.0e} of its norm would have been seen{more}"
            f"{narrow}"
        )
    )


def _summarize_precision(report: Report) -> Iterable[RenderableType]:
    """Yield the largest error of a gradient in float32 or bfloat16, and whether rounding explains it."""
    if report.precision:
        worst = max(report.precision, key=lambda row: row.units)
        verdict = "within rounding" if worst.within_rounding else "more than rounding"
        where = f"{worst.tensor} of {worst.witness}"
        text = f"{report.dtype}: off by at most {worst.units:.2g} of what rounding may cause ({where}): {verdict}"
        yield pad(Text(text))


def _describe_difference(difference: float) -> str:
    """Return the band of the difference of a check that agrees; a large one is that of a kink, or of a narrow dtype."""
    word = band(difference)
    return word if word == "great" else "every component is within its bounds"


def _share_used(component: Component) -> float:
    """Return how far a component is off, as a share of what error bar, tolerance and rounding allow."""
    return component.excess / component.allowed if component.allowed else 0.0


def _describe_agreement(report: Report) -> str:
    """Return what AGREE means here: of how much of θ, and to what tolerance."""
    if report.oracle.scope == "directions":
        return (
            f"every random direction agrees to {report.tolerance:.0e} of the slope along it; no component was checked "
            "by itself"
        )
    return (
        f"every component agrees to {report.tolerance:.0e} of itself plus {report.resolution:.0e} of the largest in "
        "its tensor"
    )


def _show_in_full(report: Report, tables: Tables, *, verbose: bool) -> Iterable[RenderableType]:
    """Yield what was checked and how, the diagnosis, and then the numbers."""
    yield pad(Text(f"{report.summary}, seed {report.seed}"))
    yield pad(Text(describe_oracle(report.oracle)))
    yield from _show_diagnosis(report, verbose=verbose)
    for pair in report.pairs:
        # Between two witnesses nobody knows which one is wrong; against the oracle it is the witness.
        if pair.verdict is Verdict.DISAGREE and pair.wrong and pair.b == ORACLE:
            yield from add_title(f"{title_of(pair)}, worst components", tables.components(pair))
    if report.pairs:
        yield ""
        yield pad(tables.pairs(report.pairs))
        # Losses are shown where they explain the verdict.
        if verbose or not all(pair.losses_agree for pair in report.pairs):
            yield ""
            yield pad(tables.losses(report))
    yield from _summarize_precision(report)
    if verbose:
        yield from _show_details(report, tables)


def _show_diagnosis(report: Report, *, verbose: bool) -> Iterable[RenderableType]:
    """Yield which side is the odd one out, in which layer its error starts, the findings, and the likely causes."""
    if report.odd_one_out or report.consensus or report.starts:
        yield ""
    if report.odd_one_out or report.consensus:
        yield pad(Text(_describe_odd_one(report), style="bold"))
    for name, where in report.starts.items():
        yield pad(Text(f"starts: {name}: {where}"))
    yield from _show_findings("finding", [each for each in report.findings if not _is_cause(each)], verbose=verbose)
    yield from _show_findings("cause", [each for each in report.findings if _is_cause(each)], verbose=verbose)


def _describe_odd_one(report: Report) -> str:
    """Return who agrees with whom, so that it can be seen who is likely to be wrong."""
    # No witness differs from the oracle, so there are names and no distances, such as of one that has failed.
    if not report.consensus:
        return f"odd one out: {', '.join(report.odd_one_out)}"
    # Reruns in float64 and second derivatives are no further witnesses.
    against = [pair for pair in report.pairs if pair.b == ORACLE and pair.a in report.seconds]
    # Of two sides, or where all witnesses agree against the oracle, nobody can be called the odd one.
    if report.odd_one_out == (ORACLE,) or len(against) == 1:
        return f"against the oracle: {report.consensus}"
    if report.odd_one_out:
        return f"odd one out: {report.consensus}"
    alone = all(pair.verdict is Verdict.DISAGREE for pair in against)
    return f"{'nobody agrees' if alone else 'they differ'}: {report.consensus}"


def _is_cause(finding: Finding) -> bool:
    # The codes of `xcheck.findings`: XC1xx say what happened, XC2xx why.
    return finding.code.startswith("XC2")


def _show_details(report: Report, tables: Tables) -> Iterable[RenderableType]:
    """Yield what `-v` adds: layers, rounding, coverage, and every tensor of every pair."""
    if report.layers:
        yield from add_title("layers at θ", tables.layers(report.layers))
    if report.precision:
        yield from add_title(
            f"errors in {report.dtype}, in units of what rounding may cause", tables.precision(report.precision)
        )
    if report.ok and report.verified < report.parameters:
        yield from add_title("verified, per tensor", tables.coverage(report.tensors))
    # Two witnesses beside each other show nothing, tensor by tensor, that they do not show beside the oracle.
    for pair in (pair for pair in report.pairs if pair.b == ORACLE):
        yield from add_title(f"{title_of(pair)}, per tensor", tables.tensors(pair.tensors))


def find_worst_component(report: Report) -> str | None:
    """Return the name of the component with the largest error, if one is wrong."""
    # A random direction is a component of the comparison, but not of θ.
    wrong = (
        str(component.location)
        for pair in report.pairs
        if pair.b == ORACLE and pair.wrong
        for component in pair.worst
        if component.location.name != DIRECTIONS
    )
    return next(wrong, None)


def select_point_options(command: Sequence[str]) -> list[str]:
    """Return those options of a command, with their values, that decide which gradients are compared and at which θ."""
    kept: list[str] = []
    # "--seed 0" is two words, "--seed=0" is one.
    for word, value in zip(command, [*command[1:], ""], strict=True):
        if word in _POINT_OPTIONS:
            kept += [word, value]
        # A flag has no value, and stands alone.
        elif word == "--inputs" or word.split("=")[0] in _POINT_OPTIONS:
            kept.append(word)
    return kept


def _show_findings(kind: str, findings: Sequence[Finding], *, verbose: bool) -> Iterable[RenderableType]:
    for finding in findings:
        yield ""
        # The text of a warning begins with its subject; that of a finding needs the title of its code.
        title = "" if kind == "warning" else f", {page(finding.code).title}"
        yield pad(Text(f"{kind} {finding.code}{title}: {finding.text}"))
        if verbose and finding.trace:
            yield Text(indent(finding.trace, "  "), no_wrap=True)


def _show_run(report: Report, *, verbose: bool) -> Iterable[RenderableType]:
    """Yield how the check was run, which `-v` shows: tolerance, engine, times and versions."""
    if not verbose:
        return
    yield ""
    if report.ok:
        yield pad(Text(_describe_agreement(report)))
    yield pad(Text(describe_engine(report.oracle)))
    yield pad(Text(describe_times(report)))
    yield pad(Text(", ".join(f"{name} {version}" for name, version in report.environment.items())))


def _list_commands(report: Report) -> Iterable[str]:
    """Yield what to type next after a failure, and the command that repeats the check."""
    if report.ok:
        return
    codes = list(dict.fromkeys(finding.code for finding in report.findings))
    explain = "python -m xcheck explain"
    yield from (f"next: {explain} {code}" for code in codes[:_MOST_CODES])
    where = find_worst_component(report)
    # One output of many has no component of its own to explain.
    if report.command and where and report.oracle.scope != "jacobian":
        yield f"next: {explain} {shlex.join([report.model, where, *select_point_options(report.command)])}"
    if report.command:
        yield repeat_command(report.command, report.seed)
