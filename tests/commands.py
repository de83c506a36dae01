"""The command line in this process, which saves three seconds each time; `tests/cli/test_main.py` starts processes."""

import signal
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from xcheck.cli.main import run_cli

SMALL = """
[data]
synthetic = { inputs = 3, examples = 8 }
[network]
layers = [{ units = 4, activation = "tanh" }, { units = 1 }]
loss = "mean_squared_error"
[check]
backends = ["numpy"]
"""


class Done(NamedTuple):
    """What came of a command."""

    status: int
    out: str
    err: str


class Typist:
    """Types commands in a folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, streams: pytest.CaptureFixture[str]) -> None:
        self.folder, self._patch, self._streams = folder, patch, streams

    def __call__(self, *arguments: str, columns: int = 80) -> Done:
        """Run `python -m xcheck` with standard output as a pipe."""
        self._patch.chdir(self.folder)
        self._patch.setenv("COLUMNS", str(columns))
        self._patch.setattr(sys, "argv", ["xcheck", *arguments])
        before = signal.getsignal(signal.SIGINT)
        try:
            run_cli()
            status: object = 0
        except SystemExit as ended:
            status = ended.code
        finally:
            signal.signal(signal.SIGINT, before)
        return Done(int(str(status)), *self._streams.readouterr())
