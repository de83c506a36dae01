"""A worker: one method on one scenario in a process of its own, which does what it is told and then waits.

Its own process makes the first call a first call, and its peak memory its own; waiting lets calls of several methods be
interleaved, so that whatever else the machine does hits all of them alike.
"""

import os
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import numpy as np

from benchmarks.measure import memory
from benchmarks.peers.catalogue import Entry
from benchmarks.peers.method import Method, SkippedError
from benchmarks.suites.scenarios import Scenario
from xcheck.layout import Vector
from xcheck.testing import FAULTS


class WorkerError(Exception):
    """The method failed, or its process died."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A method that is set up: components it checks, seconds and bytes it took, its remark."""

    components: int
    setup: float
    idle_memory: int
    note: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of a method after its calls; fields as in `benchmarks.measure.rows.Row`, nothing extrapolated."""

    verdict: str
    compile: float | None
    evaluations: int
    losses_per_pass: int | None
    peak_memory: int
    max_error: float | None
    relative_error: float | None
    outside_bar: int | None


class Session:
    """The requests that a worker answers, each a method of this class."""

    def __init__(self, scenario: Scenario, entry: Entry, device: str, gradient: Vector) -> None:
        start = time.perf_counter()
        self._method: Method = entry.load()(scenario.problem(), gradient, device)
        memory.forget_peak()
        setup = time.perf_counter() - start
        self._ready = Ready(len(self._method.indices), setup, memory.held(), self._method.note)

    def ready(self) -> Ready:
        """Say that everything is set up."""
        return self._ready

    def sample(self, repeats: int) -> float:
        """Return seconds per call."""
        start = time.perf_counter()
        for _ in range(repeats):
            self._method.run()
        return (time.perf_counter() - start) / repeats

    def sample_passes(self, repeats: int) -> float | None:
        """Return seconds per central difference of everything, None if a call is nothing else."""
        start, passes = time.perf_counter(), 0
        for _ in range(repeats):
            passes += self._method.run_passes()
        return (time.perf_counter() - start) / passes if passes else None

    def findings(self) -> Findings:
        """Return what is known by now."""
        method, peak = self._method, memory.peak()
        error = outside = relative = None
        if method.value is not None:
            right = method.gradient[method.indices]
            errors = np.abs(method.value - right)
            error = _finite(errors.max())
            relative = None if error is None else error / float(np.abs(right).max())
            outside = None if method.bar is None else int((errors > method.bar).sum())
        return Findings(
            verdict=method.verdict(),
            compile=method.compile_seconds,
            evaluations=method.evaluations,
            losses_per_pass=method.losses_per_pass,
            peak_memory=peak,
            max_error=error,
            relative_error=relative,
            outside_bar=outside,
        )

    def faults(self, limit: float) -> dict[str, bool] | None:
        """Plant every fault and return whether it was found; None if that would take more than `limit` seconds."""
        method, problem = self._method, self._method.problem
        if len(FAULTS) * method.seconds_to_reject > limit:
            return None
        touching = (fault for fault in FAULTS if fault.touched(problem, method.gradient))
        return {f.name: method.judge(f.plant(problem, method.gradient)) == "disagree" for f in touching}


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def serve(connection: Connection, scenario: Scenario, entry: Entry, device: str, gradient: Vector) -> None:
    """Answer requests until told to stop; the body of the worker's process."""
    # Ctrl-C reaches the whole process group; the parent ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if device == "gpu":
        # By default JAX takes most of the memory for itself, and the workers share one device.
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    try:
        session = Session(scenario, entry, device, gradient)
        connection.send(("answer", session.ready()))
        while (request := connection.recv()) is not None:
            name, arguments = request
            answer: Callable[..., Any] = getattr(session, name)
            connection.send(("answer", answer(*arguments)))
    except (EOFError, BrokenPipeError):
        return  # whoever asked is gone
    except SkippedError as reason:
        connection.send(("skipped", str(reason)))
    except Exception as error:  # noqa: BLE001 - a peer may fail in any way; it fails alone, and is quoted
        traceback.print_exc()
        connection.send(("failed", f"{type(error).__name__}: {error}"))


class Worker:
    """The other end: starts the process, asks, and gives up on one that does not answer.

    Args:
        scenario: what the method is asked about.
        entry: the method.
        device: "cpu" or "gpu".
        gradient: the right gradient.
        timeout: seconds that any answer may take.
    """

    def __init__(self, scenario: Scenario, entry: Entry, device: str, gradient: Vector, timeout: float) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        arguments = (theirs, scenario, entry, device, gradient)
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self._timeout = timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._process.is_alive():
            with suppress(OSError):
                self._connection.send(None)
            self._process.join(5)
        self._process.kill()
        self._process.join()
        self._connection.close()

    def ready(self) -> Ready:
        """Wait until the method is set up.

        Raises:
            SkippedError: it does not take part, or takes too long.
            WorkerError: it failed.
        """
        answer = self._answer()
        if not isinstance(answer, Ready):
            raise WorkerError(f"expected to be told that it is ready, not {answer!r}")
        return answer

    def ask(self, request: str, *arguments: Any) -> Any:
        """Return the answer of `Session.request(*arguments)`.

        Raises:
            SkippedError: it takes too long.
            WorkerError: there is none.
        """
        try:
            self._connection.send((request, arguments))
        except OSError as error:
            raise WorkerError("its process has ended") from error
        return self._answer()

    def _answer(self) -> Any:
        if not self._connection.poll(self._timeout):
            self._process.kill()
            raise SkippedError(f"given up after {self._timeout:g} s")
        try:
            kind, content = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(1)
            raise WorkerError(f"its process has ended with status {self._process.exitcode}") from error
        if kind == "skipped":
            raise SkippedError(content)
        if kind == "failed":
            raise WorkerError(content)
        return content
