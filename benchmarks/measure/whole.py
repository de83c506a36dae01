"""The whole command: `python -m xcheck` as a person types it, against a process that only imports torch and jax."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import memory
from benchmarks.measure.rows import Row
from benchmarks.measure.sampling import Plan, Tell, blank_row
from benchmarks.suites.scenarios import Scenario

COMMAND = "python -m xcheck"
IMPORTS = "import torch, jax"
_GLANCE = 0.01  # seconds between two looks at a running process


@dataclass(frozen=True, slots=True)
class Process:
    """How a process went; `status` is None if it took too long."""

    seconds: float
    peak_memory: int
    status: int | None
    output: str
    errors: str


def watch(command: Sequence[str], folder: Path, timeout: float) -> Process:
    """Run a command to its end, looking at its high-water mark now and then; one that takes too long is ended."""
    out, err = folder / "out", folder / "err"
    with out.open("w") as output, err.open("w") as errors:
        start, peak = time.perf_counter(), 0
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        while (status := process.poll()) is None and time.perf_counter() - start < timeout:
            peak = max(peak, memory.peak(str(process.pid)))
            time.sleep(_GLANCE)
        seconds = time.perf_counter() - start
        if status is None:
            process.kill()
            process.wait()
    return Process(seconds, peak, status, out.read_text(), err.read_text())


def measure_command(
    scenario: Scenario, *, plan: Plan, device: str, environment: dict[str, Any], tell: Tell
) -> Iterator[Row]:
    """Yield a row for the whole command and one for the imports, measured in turns.

    The first call of either is kept apart: files are not in the cache yet.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        definition = folder / f"{scenario.name}.toml"
        definition.write_text(scenario.definition(device))
        commands = {
            COMMAND: [sys.executable, "-m", "xcheck", str(definition), "--format", "json"],
            IMPORTS: [sys.executable, "-c", IMPORTS],
        }
        runs: dict[str, list[Process]] = {method: [] for method in commands}
        for number in range(plan.least + 1):
            for method, command in commands.items():
                tell(f"{scenario.name}: {method}, {number + 1} of {plan.least + 1}")
                if not runs[method] or runs[method][-1].status is not None:
                    runs[method].append(watch(command, folder, plan.timeout))
    for method, processes in runs.items():
        yield _row(blank_row(scenario, environment, method, "command"), processes, plan)


def _row(row: Row, processes: Sequence[Process], plan: Plan) -> Row:
    last = processes[-1]
    if last.status is None:
        return replace(row, note=f"given up after {plan.timeout:g} s")
    row = replace(
        row,
        valid=last.status == 0,
        first=processes[0].seconds,
        samples=tuple(process.seconds for process in processes[1:]),
        peak_memory=max(process.peak_memory for process in processes),
    )
    return _reported(row, last) if row.method == COMMAND else row


def _reported(row: Row, process: Process) -> Row:
    """Add what stands in the report."""
    try:
        report = json.loads(process.output)
    except ValueError:
        return replace(row, valid=False, note=process.errors.strip().rpartition("\n")[2])
    oracle = report["oracle"]
    return replace(
        row,
        verdict=report["verdict"].lower(),
        note=f"engine {oracle['engine']}",
        compile=oracle["compile_seconds"],
        evaluations=oracle["evaluations"],
    )
