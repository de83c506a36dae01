"""The detection table: every planted fault, in the gradient of each shipped example."""

from pathlib import Path

from rich.table import Table

from xcheck import Problem, verify
from xcheck.backend import registry
from xcheck.checks.networks.check import load_model
from xcheck.testing import FAULTS, Fault, Planted

EXAMPLES = Path(__file__).parents[2] / "xcheck" / "examples"


def detection() -> Table:
    """Return one row per fault and one column per example.

    "named" means: the spoiled witness is the odd one out, and all the tensors that are called wrong are ones that the
    fault has changed. "-" means that the fault changes nothing there.
    """
    # Fully connected networks: others have layers of a kind.
    paths = [path for path in sorted(EXAMPLES.glob("*.toml")) if "kind =" not in path.read_text(encoding="utf-8")]
    problems = {path.stem: load_model(path).problem for path in paths}
    table = Table(title="planted faults: named, found or missed")
    for heading in ("class", "fault", *problems):
        table.add_column(heading)
    for fault in FAULTS:
        table.add_row(fault.kind, fault.name, *(_outcome(fault, problem) for problem in problems.values()))
    table.add_row("none", "correct gradients", *(_alarm(problem) for problem in problems.values()))
    return table


def _outcome(fault: Fault, problem: Problem) -> str:
    numpy = registry.get("numpy")
    _, gradient = numpy.network_objective(problem).loss_and_gradient(problem.theta)
    touched = fault.touched(problem, gradient)
    if not touched:
        return "-"
    report = verify(problem, backends=[Planted(numpy, fault), "torch", "jax"])
    if report.verdict != "DISAGREE":
        return "missed"
    wrong = {tensor.name for tensor in report.pairs[0].tensors if tensor.wrong}
    return "named" if report.odd_one_out == ("numpy",) and wrong and wrong <= touched else "found"


def _alarm(problem: Problem) -> str:
    return "agree" if verify(problem).ok else "false alarm"
