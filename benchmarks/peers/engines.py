"""xcheck's engines as methods: the whole oracle, three steps per component, noise and error bars included."""

from abc import abstractmethod
from functools import cached_property
from typing import Any, ClassVar, get_args

import numpy as np

from benchmarks.peers.method import Judgement, Method, SkippedError
from xcheck import Problem
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import Tolerance
from xcheck.layout import Vector
from xcheck.oracle import EngineName, Estimate, OracleOptions, numerical_gradient
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.engines.node import NodeEngine
from xcheck.oracle.engines.selection import ENGINES, predict
from xcheck.oracle.estimators.node import estimate_by_nodes
from xcheck.verdict import Verdict

# A call that is predicted to take longer than this is not made.
_LIMIT_SECONDS = 45.0
_JUDGEMENTS: dict[Verdict, Judgement] = {Verdict.AGREE: "agree", Verdict.DISAGREE: "disagree"}


class EngineMethod(Method):
    """The judge of xcheck with one engine; its verdict is that of a pair of witness and oracle.

    Attributes:
        engine: its name.
        on_gpu: whether it can use one.
    """

    losses_per_component = None
    engine: ClassVar[str]
    on_gpu: ClassVar[bool] = True

    def __init__(self, problem: Problem, gradient: Vector, device: str) -> None:
        super().__init__(problem, gradient, device)
        if self.engine not in get_args(EngineName):
            raise SkippedError(f"this version of xcheck has no engine called {self.engine!r}")
        seconds = self.predicted_seconds()
        if seconds > _LIMIT_SECONDS and (device == "cpu" or not self.on_gpu):
            raise SkippedError(f"one call would take about {seconds:,.0f} s")
        chosen: Any = self.engine
        self._options = OracleOptions(engine=chosen, device=device)
        self._estimate: Estimate | None = None

    @abstractmethod
    def predicted_seconds(self) -> float:
        """Return about how long a call takes on two cores: only decides whether it is made at all."""

    def run(self) -> None:
        """Estimate the gradient with its error bars."""
        estimate = numerical_gradient(self.problem, self._options)
        if estimate.engine != self.engine:
            raise RuntimeError(f"the engine {estimate.engine!r} has answered in its place")
        if self._estimate is None:
            self.compile_seconds = estimate.compile_seconds
        self._estimate = estimate
        self.evaluations, self.value, self.bar = estimate.evaluations, estimate.value, estimate.error_bar

    def run_passes(self) -> int:
        """Take one central difference of every component, with the first step of the estimator."""
        engine = self._ready_engine
        step = engine.first_step * engine.scale
        engine.differences(np.arange(self.problem.layout.size), step, -step)
        return 1

    @cached_property
    def _ready_engine(self) -> NetworkEngine:
        return ENGINES[self._options.engine](self.problem, device=self.device)

    def judge(self, gradient: Vector) -> Judgement:
        """Compare the way `xcheck.verify` does."""
        if self._estimate is None:
            raise RuntimeError("nothing to compare with: call run() first")
        comparer = Comparer(self._estimate, self.problem.layout, Tolerance(), worst=1)
        pair = comparer.with_oracle(Evaluation("benchmark", self._estimate.loss, gradient))
        return _JUDGEMENTS.get(pair.verdict, "undecided")

    @property
    def losses_per_pass(self) -> int | None:
        """Two losses for every component of θ."""
        return 2 * self.problem.layout.size


class _WholeNetwork(EngineMethod):
    """An engine that runs the whole network six times per component."""

    def predicted_seconds(self) -> float:
        """Add up six losses per component."""
        return 6 * self.problem.layout.size * self._seconds_per_loss


class Loop(_WholeNetwork):
    """One perturbed network after the other, in NumPy."""

    engine = "loop"
    on_gpu = False
    overhead = 6e-5


class Batched(_WholeNetwork):
    """The whole network for each perturbation, many at a time."""

    engine = "batched"
    overhead = 5e-6


class Structured(EngineMethod):
    """Only what a weight changes."""

    engine = "structured"

    def predicted_seconds(self) -> float:
        """Ask what xcheck itself predicts for three differences per component."""
        return predict(self.problem, 3 * self.problem.layout.size)["structured"]


class Node(EngineMethod):
    """Units instead of weights."""

    engine = "node"

    def predicted_seconds(self) -> float:
        """Never too long."""
        return 0.0

    def run_passes(self) -> int:
        """Measure everything with three steps; they cannot be taken apart."""
        engine = self._ready_engine
        if not isinstance(engine, NodeEngine):
            raise TypeError(f"expected the node engine, not {engine.name}")
        estimate_by_nodes(engine, np.zeros(self.problem.layout.size))
        return 3

    @property
    def losses_per_pass(self) -> int | None:
        """Two losses for every unit: this engine perturbs pre-activations."""
        return 2 * sum(self.problem.network.widths[1:])
