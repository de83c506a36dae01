"""Subject: gradients to be measured, and the functions whose loss may be evaluated, whatever was handed over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xcheck.checks.answer import Answer
from xcheck.checks.completed import several_gradients
from xcheck.checks.functions.check import FunctionCheck
from xcheck.checks.functions.implementations import complaints_under
from xcheck.checks.functions.jacobian.outputs import cotangents_for
from xcheck.checks.functions.purity import call_and_probe
from xcheck.checks.functions.run import candidates_of as functions_of
from xcheck.checks.networks.check import NetworkCheck
from xcheck.checks.networks.run import candidates_of as networks_of
from xcheck.checks.networks.witnesses import call_witnesses
from xcheck.checks.prepare import Check
from xcheck.checks.proof import is_steady
from xcheck.checks.prover import Candidate
from xcheck.compare.evaluation import Evaluation
from xcheck.dtypes import roundoff_of
from xcheck.errors import DefinitionError
from xcheck.layout import Layout, Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """What is measured.

    Attributes:
        name: of the model.
        layout: of θ.
        theta: shape (n,).
        dtypes: what each tensor, and its gradient, is stored in.
        answers: of the witnesses.
        candidates: makes the functions in 64 bits, the preferred one first.
        seed: of everything random.
        budget: seconds.
    """

    name: str
    layout: Layout
    theta: Vector
    dtypes: Mapping[str, str]
    answers: Sequence[Answer[Any]]
    candidates: Callable[[], Sequence[Candidate]]
    seed: int
    budget: float

    @property
    def evaluations(self) -> list[Evaluation]:
        """What the witnesses say that have answered, and twice the same but for rounding."""
        return [evaluation for evaluation in self._answered if is_steady(evaluation, self.roundoff)]

    @property
    def random(self) -> list[str]:
        """The witnesses whose answers differ from call to call."""
        return [evaluation.name for evaluation in self._answered if not is_steady(evaluation, self.roundoff)]

    @property
    def _answered(self) -> list[Evaluation]:
        return [answer.evaluation for answer in self.answers if answer.evaluation is not None]

    @property
    def roundoff(self) -> float:
        """The coarsest unit roundoff of a tensor."""
        return max(map(roundoff_of, self.dtypes.values()), default=roundoff_of("float64"))


def subject_of(check: Check) -> Subject:
    """Ask the witnesses of a check for their gradients.

    Raises:
        DefinitionError: a function does not fit its parameters, or every output of a loss is to be checked.
    """
    return _of_network(check) if isinstance(check, NetworkCheck) else _of_functions(check)


def _of_network(check: NetworkCheck) -> Subject:
    problem, settings = check.loaded.problem, check.loaded.check
    return Subject(
        name=problem.name,
        layout=problem.layout,
        theta=problem.theta,
        dtypes={tensor.name: settings.dtype for tensor in problem.layout},
        answers=call_witnesses(problem, settings, check.backends),
        candidates=lambda: networks_of(check.loaded),
        seed=settings.seed,
        budget=settings.budget,
    )


def _of_functions(check: FunctionCheck) -> Subject:
    options, arguments = check.options, check.arguments
    cotangents = cotangents_for(check.implementations, arguments, options)
    if options.jacobian or len(cotangents) > 1:
        raise DefinitionError(several_gradients())
    [cotangent] = cotangents
    answers = []
    for one in check.implementations:
        objective = one.objective(arguments, device=options.device, cotangent=cotangent)
        with complaints_under(one.label):
            answers.append(call_and_probe(one, objective, arguments.theta))
    return Subject(
        name=check.name,
        layout=arguments.layout,
        theta=arguments.theta,
        dtypes={part: leaf.dtype for name, leaf in arguments.leaves.items() for part in arguments.parts(name)},
        answers=answers,
        candidates=lambda: functions_of(check.implementations, arguments, options.device, cotangent),
        seed=options.differences.seed,
        budget=options.differences.budget,
    )
