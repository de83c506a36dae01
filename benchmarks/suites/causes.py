"""The table of causes: mistakes of people in random networks, functions and layers, and what xcheck names as the cause.

*right*: a code that names the mistake, and no other. *place*: a code that says in which part of the gradient the error
is and all else is right. *wrong*: any other code. *unknown*: XC200 alone.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from rich.table import Table

from benchmarks.publish.console import wide_console
from tests.breadth.catalogue import CATALOGUE
from tests.breadth.entry import Entry
from tests.breadth.planted import planted
from tests.diagnose.faults import MISTAKES, Mistake, network
from tests.diagnose.layers.catalogue import LAYERS
from tests.diagnose.layers.layer import Layer
from xcheck import check, objective
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import Tolerance
from xcheck.diagnose import diagnose_gradients
from xcheck.findings import CAUSE_UNKNOWN, FEW_COMPONENTS, WRONG_PART, WRONG_TENSORS, Finding
from xcheck.networks.problem import Problem
from xcheck.oracle import OracleOptions, numerical_gradient
from xcheck.testing import GENERIC_FAULTS

# What a generic fault is called, when it makes a difference at all; a row of one component is a component.
OF_FUNCTIONS: dict[str, str] = {
    "x 2": "XC201",
    "x 1/2": "XC201",
    "x -1": "XC202",
    "x 1.001": "XC201",
    "x 1.0001": "XC201",
    "one tensor x 2": "XC201",
    "one component + 10 %": "XC233",
    "one component + 1 %": "XC233",
    "one component + 1e-4": "XC233",
    "one component + 1e-6": "XC233",
    "one component zero": "XC233 XC231",
    "one row's sign flipped": "XC234 XC233",
    "rows rolled by one": "XC222",
    "two rows swapped": "XC222",
    "transposed": "XC221",
    "last row missing": "XC232 XC233",
    "one tensor detached": "XC231",
    "two tensors swapped": "XC223",
    "clipped": "XC252 XC201",  # a single number that is clipped at its half is halved
    "weight decay": "XC211",
}

# Codes that say where the error is, and nothing of how it was made.
PLACES = frozenset({FEW_COMPONENTS, WRONG_PART, WRONG_TENSORS})
# A gradient that differs from the right one by less than this, in units of the largest of its tensor, is no mistake.
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Score:
    """How often a mistake was called by its name.

    Attributes:
        name: of the mistake.
        codes: those that name it.
        counts: of "right", "place", "wrong", "unknown", "missed" and "n/a".
    """

    name: str
    codes: str
    counts: Counter[str]


def in_networks(networks: int) -> Iterator[Score]:
    """Yield the score of every mistake, each made in so many random networks."""
    known: dict[tuple[int, str], tuple[Problem, Comparer]] = {}
    for mistake in MISTAKES:
        counts: Counter[str] = Counter()
        for number in range(networks):
            key = (number, repr(mistake.needs))
            if key not in known:
                problem = network(number, **mistake.needs)
                estimate = numerical_gradient(problem, OracleOptions(engine="loop"))
                known[key] = problem, Comparer(estimate, problem.layout, Tolerance())
            counts[_in_network(mistake, *known[key])] += 1
        yield Score(mistake.name, " ".join(sorted(mistake.codes)), counts)


def _in_network(mistake: Mistake, problem: Problem, comparer: Comparer) -> str:
    gradient = mistake.plant(problem)
    if gradient is None:
        return "n/a"
    evaluation = Evaluation("numpy", comparer.estimate.loss, gradient)
    found = diagnose_gradients(
        [evaluation], [comparer.with_oracle(evaluation)], comparer, theta=problem.theta, problem=problem
    ).findings
    return judged({finding.code for finding in found}, mistake.codes)


def in_functions(every: int) -> Iterator[Score]:
    """Yield the score of every generic fault, made in one NumPy function in `every`."""
    entries = [entry for entry in CATALOGUE if entry.framework == "numpy" and not entry.array_valued][::every]
    for name, codes in OF_FUNCTIONS.items():
        counts = Counter(_in_function(entry, name, codes.split()) for entry in entries)
        yield Score(name, codes, counts)


def _in_function(entry: Entry, name: str, codes: Collection[str]) -> str:
    params, data = entry.make(np.random.default_rng(0))
    faulty = planted(entry, GENERIC_FAULTS[name], params, data)
    if faulty is None:
        return "n/a"
    report = check(faulty.loss, params, data, gradient=faulty.gradient)
    return judged({finding.code for finding in report.findings if finding.code >= CAUSE_UNKNOWN}, codes)


def in_layers(draws: int) -> Iterator[Score]:
    """Yield the score of every mistake in every layer, each made at so many θ."""
    for layer in LAYERS:
        counts: dict[str, Counter[str]] = {mistake: Counter() for mistake in layer.mistakes}
        for number in range(draws):
            for mistake, score in _in_layer(layer, number).items():
                counts[mistake][score] += 1
        for mistake, codes in layer.mistakes.items():
            yield Score(f"{layer.name}: {mistake}", codes, counts[mistake])


def _in_layer(layer: Layer, number: int) -> dict[str, str]:
    """Return how each mistake of a layer is called: one check of all of them, that needs one oracle."""
    params, data = layer.make(np.random.default_rng(number))
    right = layer.gradient(params, *data)
    scores = {}
    functions = {"right": objective(layer.loss, "numpy", gradient=layer.gradient)}
    for mistake in layer.mistakes:
        wrong = layer.wrong(mistake)(params, *data)
        if all(np.abs(wrong[name] - g).max() <= _SAME * np.abs(g).max() for name, g in right.items()):
            scores[mistake] = "n/a"
        else:
            functions[mistake] = objective(layer.loss, "numpy", gradient=layer.wrong(mistake))
    findings = check(functions, params, data).findings
    for mistake in functions:
        if mistake != "right":
            scores[mistake] = judged(_codes_of(findings, mistake), layer.mistakes[mistake].split())
    return scores


def _codes_of(findings: Collection[Finding], name: str) -> set[str]:
    """Return the causes of what one function has got wrong."""
    return {each.code for each in findings if each.code >= CAUSE_UNKNOWN and each.text.startswith(f"{name}: ")}


def judged(found: Collection[str], codes: Collection[str]) -> str:
    """Return how a mistake with these codes was called by the codes that were found."""
    if not found:
        return "missed"
    named, others = set(found) & set(codes), set(found) - set(codes) - {CAUSE_UNKNOWN}
    if others - PLACES:
        return "wrong"
    return "right" if named else "place" if others else "unknown"


_HEADINGS = ("mistake", "code", "right", "place", "unknown", "wrong", "not seen", "not applicable")


def rows(scores: Sequence[Score]) -> list[tuple[str, ...]]:
    """Return the scores as cells, one row each, and their sum."""
    total = sum((score.counts for score in scores), Counter[str]())
    keys = ("right", "place", "unknown", "wrong", "missed", "n/a")
    return [
        (score.name, score.codes, *(str(score.counts[key] or "") for key in keys))
        for score in (*scores, Score("all", "", total))
    ]


def table(title: str, scores: Sequence[Score]) -> Table:
    """Return the scores as a table for a terminal."""
    found = Table(title=title)
    for heading in _HEADINGS:
        found.add_column(heading, justify="left" if heading in ("mistake", "code") else "right")
    for row in rows(scores):
        found.add_row(*row)
    return found


def markdown(title: str, scores: Sequence[Score]) -> str:
    """Return the scores as a section of a page."""
    rule = "|---|---|" + "---:|" * (len(_HEADINGS) - 2)
    lines = ["| " + " | ".join(row) + " |" for row in (_HEADINGS, *rows(scores))]
    return "\n".join([f"## {title}", "", lines[0], rule, *lines[1:]])


@click.command(name="causes")
@click.option("--networks", type=click.IntRange(min=1), default=20, show_default=True, help="For each mistake.")
@click.option("--every", type=click.IntRange(min=1), default=1, show_default=True, help="One function in so many.")
@click.option("--draws", type=click.IntRange(min=1), default=3, show_default=True, help="Of each layer.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a page in Markdown, too.")
def causes_command(networks: int, every: int, draws: int, out: Path | None) -> None:
    """Mistakes of people: how often the right cause is named, and how often a wrong one."""
    found = {
        f"In networks, {networks} for each mistake": list(in_networks(networks)),
        "In functions of NumPy": list(in_functions(every)),
        f"In layers written by hand, {draws} of each": list(in_layers(draws)),
    }
    for title, scores in found.items():
        wide_console().print(table(title, scores))
    if out is not None:
        out.write_text("\n\n".join([_PAGE, *(markdown(*each) for each in found.items())]) + "\n", encoding="utf-8")


_PAGE = """# Causes

How often the cause of a planted mistake is named, as `python -m benchmarks causes --out docs/causes.md` writes it.

*right*: a code that names the mistake, and no other; *place*: a code that says where in the gradient the error is, and
that all else is right; *unknown*: no rule explains the gradient down to the noise, and the report says so; *wrong*:
another code. The networks are random, with two to four layers of any activation, dropout
and penalties; `python -m xcheck explain CODE` explains a code."""
