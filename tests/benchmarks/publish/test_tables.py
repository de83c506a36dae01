from rich.console import Console

from benchmarks.measure.whole import COMMAND, IMPORTS
from benchmarks.publish.tables import change_table, environment_lines, markdown, row_tables, target_table
from benchmarks.publish.targets import TARGETS, Run
from tests.benchmarks.fakes import ENVIRONMENT, row


def text(*renderables: object) -> str:
    """What is printed on a wide terminal."""
    console = Console(width=132)
    with console.capture() as capture:
        console.print(*renderables)
    return capture.get()


def test_an_invalid_row_is_marked() -> None:
    """However fast it is."""
    printed = text(*row_tables([row(valid=False, verdict="disagree")]))
    assert "INVALID disagree" in printed


def test_an_extrapolated_time_is_marked_and_explained() -> None:
    """With how many components were looked at."""
    printed = text(*row_tables([row(extrapolated_from=512, parameters=101_770)]))
    assert "≈ 2.50 s" in printed
    assert "scipy: ≈ from 512 of 101,770 components" in printed


def test_targets_say_what_was_reached() -> None:
    """Met, not met, and not measured."""
    rows = [
        row(scenario="small", method=COMMAND, samples=(5.0,)),
        row(scenario="small", method=IMPORTS, samples=(2.5,)),
        row(scenario="mnist", method="xcheck-structured", samples=(90.0,), pass_samples=(60.0,)),
        row(scenario="mnist", method="xcheck-node", samples=(5.0,), pass_samples=(1.0,)),
    ]
    values = [target.measured(Run(rows)) for target in TARGETS]
    assert values.count(None) == len(TARGETS) - 2
    printed = text(target_table(rows))
    assert "60 ×" in printed
    assert "2.5 s │ not met" in printed
    assert "not measured" in printed


def test_an_invalid_row_reaches_no_target() -> None:
    """A wrong verdict is not fast."""
    rows = [row(scenario="million", method=COMMAND, valid=False, samples=(1.0,))]
    assert all(target.measured(Run(rows)) is None for target in TARGETS)


def test_a_busy_machine_is_said() -> None:
    """Others' work makes ratios meaningless."""
    assert "not idle" not in environment_lines([row()])
    assert "not idle" in environment_lines([row(environment={**ENVIRONMENT, "load": 3.0})])


def test_markdown_leaves_out_who_took_no_part() -> None:
    """A heading, a rule, and one line per row."""
    lines = markdown([row(), row(method="absent", valid=None)]).splitlines()
    assert len(lines) == 3
    assert lines[2] == "| 5-2 tanh, n = 12 | scipy | 2.50 s | 0.83 s | 72 |  | agree | 1/2 |"


def test_no_changes_is_a_table_too() -> None:
    """Nothing to say is said with headings."""
    assert "ratio" in text(change_table([]))
