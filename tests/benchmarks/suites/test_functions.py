"""The functions suite: how long a check of a function takes."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from benchmarks.__main__ import cli
from benchmarks.measure.rows import read
from benchmarks.publish import readme
from benchmarks.suites.function_cases import FUNCTIONS, FunctionCase, Made, small, small_gradient
from benchmarks.suites.functions import functions_markdown, measure_functions, ratios
from tests.benchmarks.fakes import row
from tests.benchmarks.suites.test_breadth import ROWS


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(cli, arguments)


def test_a_quick_run_from_end_to_end(tmp_path: Path) -> None:
    """The smallest function of NumPy: a row with its environment, and a table."""
    out = tmp_path / "functions.jsonl"
    done = run("functions", "--quick", "--functions", "small-numpy,perceptron", "--out", str(out))
    assert done.exit_code == 0, done.output
    (measured,) = read(out)
    assert (measured.scenario, measured.method, measured.parameters) == ("small-numpy", "xcheck", 100)
    assert measured.valid
    assert len(measured.samples) == 3
    assert measured.environment["cpu"]
    assert "7-8-4 (numpy), tanh" in done.stdout
    assert "7-8-4 (numpy), tanh" in run("show", str(out)).stdout
    assert list(tmp_path.iterdir()) == [out]  # no plots


def test_gradcheck_takes_its_turns() -> None:
    """Where a function is large enough, both are timed on it, and both look at every component."""
    case = FunctionCase(
        name="tiny", framework="torch", shape="7-8-4", activation="tanh", examples=16, large=True, make=tiny
    )
    ours, theirs = measure_functions([case], 2, {}, lambda text: None)
    assert (ours.method, theirs.method) == ("xcheck", "gradcheck")
    assert ours.valid
    assert theirs.valid
    assert len(ours.samples) == len(theirs.samples) == 2
    assert (theirs.evaluations or 0) >= 2 * theirs.parameters


def tiny() -> Made:
    """The function of 100 parameters in PyTorch."""
    return small("torch")


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.name)
def test_a_function_has_the_size_that_it_is_said_to_have(case: FunctionCase) -> None:
    """4,900 to 5,400 parameters, 2,700 to 3,100 of the two that keep a state or attend, or 100."""
    size = case.make().size
    least, most = (2_700, 3_100) if case.name in ("lstm", "attention") else (4_900, 5_400)
    assert least < size < most if case.large else size == 100


def test_the_gradient_by_hand_is_right() -> None:
    """Against jax.grad of the same function."""
    import jax

    made, twin = small("numpy"), small("jax")
    with jax.enable_x64(True):
        expected = jax.grad(twin.loss)(twin.params, *twin.data)
    for name, found in small_gradient(made.params, *made.data).items():
        np.testing.assert_allclose(found, np.asarray(expected[name]), rtol=1e-12)


def test_an_unknown_function_is_answered_with_the_known_ones() -> None:
    """Exit status 2, and nothing is measured."""
    done = run("functions", "--functions", "huge")
    assert done.exit_code == 2
    assert "unknown function huge; known: residual, transformer" in " ".join(done.stderr.replace("│", " ").split())


def test_times_become_a_ratio_or_meet_a_goal() -> None:
    """Within one run; a check that does not agree is not fast."""
    rows = [
        row(scenario="large", method="xcheck", kind="function", samples=(1.0,), evaluations=72),
        row(scenario="large", method="gradcheck", kind="function", samples=(4.0,), evaluations=24),
        row(scenario="small", method="xcheck", kind="function", samples=(0.2,)),
        row(scenario="slow", method="xcheck", kind="function", samples=(0.4,)),
        row(scenario="wrong", method="xcheck", kind="function", valid=False),
    ]
    large, *others = ratios(rows)
    assert large == ("5-2, tanh", "12", "1.00 s", "72", "4.00 s", "24", "0.25 of gradcheck's")
    assert [line[-1] for line in others] == ["≤ 0.3 s", "> 0.3 s", "INVALID"]
    assert functions_markdown(rows[:2]).splitlines()[2].endswith("| 0.25 of gradcheck's |")


def test_the_readme_is_written_between_its_markers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The table replaces what was there, and nothing else changes; without rows everything stays."""
    kept = tmp_path / "breadth.jsonl"
    kept.write_text("".join(f"{one.to_json()}\n" for one in ROWS))
    missing = tmp_path / "functions.jsonl"
    monkeypatch.setattr(readme, "TABLES", {"breadth table": kept, "functions table": missing})
    text = "a\n<!-- breadth table -->\nold\n<!-- end of breadth table -->\nb\n<!-- functions table -->\nc\n"
    written = readme.with_tables(text)
    assert written.startswith("a\n<!-- breadth table -->\n| fault | PyTorch: xcheck | JAX: check-grads |\n")
    assert written.endswith("| 3/3 | 0/1 |\n<!-- end of breadth table -->\nb\n<!-- functions table -->\nc\n")


def test_the_page_has_the_tables_of_the_rows_that_are_kept() -> None:
    """`python -m benchmarks readme` would change nothing."""
    text = readme.PAGE.read_text(encoding="utf-8")
    assert readme.with_tables(text) == text
    assert all(f"<!-- {name} -->\n" in text for name in readme.TABLES)
