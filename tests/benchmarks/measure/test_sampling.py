import sys
from pathlib import Path

import pytest

from benchmarks.measure.rows import Row
from benchmarks.measure.sampling import Plan, measure
from benchmarks.measure.whole import watch
from benchmarks.peers.catalogue import ENGINES, PEERS, Entry, select
from benchmarks.peers.method import Differences, Method
from benchmarks.suites.scenarios import SCENARIOS, exact_gradient
from tests.benchmarks import fakes

TINY = SCENARIOS[0]
PLAN = Plan(rounds=2, least=2, seconds=0.1, planting=10.0, timeout=60.0)


def measured(*kinds: type[Differences], plan: Plan = PLAN) -> list[Row]:
    """The rows of some fakes on the smallest scenario."""
    entries = [fakes.entry(kind) for kind in kinds]
    rows = measure(TINY, entries, plan=plan, device="cpu", environment={}, tell=lambda text: None)
    return list(rows)


def test_each_method_fails_alone() -> None:
    """One row each: a method that rejects the right gradient is invalid, as is one that crashes; others go on."""
    right, rejecting, crashing, absent = measured(fakes.Right, fakes.Rejecting, fakes.Crashing, fakes.Absent)
    assert (right.valid, right.verdict, right.max_error) == (True, "agree", 0.0)
    assert len(right.samples) == 2
    assert right.peak_memory
    assert (rejecting.valid, rejecting.verdict) == (False, "disagree")
    assert (crashing.valid, crashing.note) == (False, "ZeroDivisionError: on purpose")
    assert (absent.valid, absent.note) == (None, "not today")


def test_a_sample_of_the_components_is_extrapolated() -> None:
    """Losses are multiplied up to all components, and no faults are planted where nobody looks."""
    (few,) = measured(fakes.Few)
    assert few.extrapolated_from == 16
    assert few.evaluations == 2 * few.parameters
    assert few.faults is None


def test_planted_faults_are_counted() -> None:
    """numpy.allclose against the right gradient finds all but the smallest."""
    (right,) = measured(fakes.Right)
    assert right.faults is not None
    assert right.planted == right.found + 1 if right.found else False
    assert not right.faults["one component + 1e-6"]


def test_a_method_that_hangs_is_given_up() -> None:
    """It takes no part, and says after how many seconds."""
    (hanging,) = measured(fakes.Hanging, plan=Plan(rounds=1, least=1, seconds=0.1, planting=1.0, timeout=2.0))
    assert (hanging.valid, hanging.note) == (None, "given up after 2 s")


@pytest.mark.parametrize("entry", [*PEERS, select(ENGINES, "batched", "engine")[0]], ids=lambda entry: entry.name)
def test_every_method_accepts_what_is_right_and_rejects_what_is_doubled(entry: Entry) -> None:
    """On the smallest scenario, in this process."""
    problem = TINY.problem()
    gradient = exact_gradient(problem)
    method: Method = entry.load()(problem, gradient, "cpu")
    method.run()
    assert method.verdict() == "agree"
    assert method.judge(2 * gradient) == "disagree"
    assert method.evaluations > 0


def test_a_command_is_watched(tmp_path: Path) -> None:
    """Its output, status, time, and the most memory it held; one that takes too long is ended."""
    code = "import time; block = bytearray(b'x') * 200_000_000; time.sleep(0.3); print('done')"
    process = watch([sys.executable, "-c", code], tmp_path, timeout=60)
    assert (process.status, process.output) == (0, "done\n")
    assert process.seconds > 0.3
    assert process.peak_memory > 200_000_000
    late = watch([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, timeout=0.2)
    assert late.status is None
    assert late.seconds < 30
