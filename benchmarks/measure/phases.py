"""Where the time of `python -m xcheck EXAMPLE` goes: whole processes, timed from outside."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

EXAMPLES = Path(__file__).parents[2] / "xcheck" / "examples"
IMPORTS = "import numpy, torch, jax, pydantic, rich, click"


def _seconds(command: Sequence[str]) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - start, done.stdout


def phases(runs: int) -> Table:
    """Return medians over `runs` processes per example, imports measured in between in processes of their own.

    *imports* is a process that imports the frameworks and nothing else; *compile* is the time until the oracle's first
    differences are there; *differences* is the rest of the oracle.
    """
    table = Table(title=f"seconds, median of {runs} processes")
    for heading in ("example", "parameters", "losses", "whole", "imports", "compile", "differences"):
        table.add_column(heading, justify="left" if heading == "example" else "right")
    for path in sorted(EXAMPLES.glob("*.toml")):
        if "[training]" in path.read_text(encoding="utf-8"):
            continue  # `benchmarks training` is about those
        whole, imports, compiling, differences = [], [], [], []
        content = {}
        for _ in range(runs):
            seconds, output = _seconds([sys.executable, "-m", "xcheck", str(path), "--format", "json"])
            content = json.loads(output)
            oracle = content["oracle"]
            whole.append(seconds)
            imports.append(_seconds([sys.executable, "-c", IMPORTS])[0])
            compiling.append(oracle["compile_seconds"])
            differences.append(oracle["seconds"] - oracle["compile_seconds"])
        medians = [f"{statistics.median(times):.2f}" for times in (whole, imports, compiling, differences)]
        table.add_row(path.stem, str(content["parameters"]), str(content["oracle"]["evaluations"]), *medians)
    return table
