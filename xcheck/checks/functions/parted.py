"""Parted losses: in which parameters, and at which operations, functions part that compute different losses."""

from collections.abc import Sequence
from functools import partial

from xcheck.backend.contract import wrap_errors
from xcheck.checks.functions.answers import Answers
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.functions.jacobian.outputs import most_different_output, output_name
from xcheck.compare.pair import ORACLE, Pair
from xcheck.diagnose.functions import parting_findings
from xcheck.diagnose.parting import operation_parting
from xcheck.errors import BackendError
from xcheck.findings import Finding
from xcheck.functions.arguments import Arguments, Numbers
from xcheck.trace import UntraceableError
from xcheck.trace.flow import Flow, flow_of


def parted_losses(
    implementations: Sequence[Implementation],
    found: Answers,
    pairs: Sequence[Pair],
    arguments: Arguments,
    device: str,
) -> list[Finding]:
    """Return where the losses part of those functions that compute another one than the oracle's.

    Args:
        implementations: the functions.
        found: what they say.
        pairs: what was compared.
        arguments: θ and the data.
        device: where the functions are computed.
    """
    label, findings = found.run.label, list[Finding]()
    differing = [pair.a for pair in pairs if pair.b == ORACLE and not pair.losses_agree and not pair.spread]
    by_name = {each.label: each for each in implementations}
    # The oracle's own function is the reference: it cannot part from itself. Reruns are none of these names.
    for name in [answer.name for answer in found.answers if answer.name in differing and answer.name != label]:
        output = most_different_output(found, name)
        objectives = {answer.name: answer.objective for answer in output.answers}
        own, reference = objectives.get(name), objectives.get(label)
        if own is not None and reference is not None:
            what = output_name(output.cotangent) if found.outputs else "losses"
            findings += parting_findings(name, own, label, reference, arguments, what=what)
            flows = [partial(_flow, by_name[each], arguments, device, output.cotangent) for each in (name, label)]
            findings += operation_parting((name, label), flows)
    return findings


def _flow(implementation: Implementation, arguments: Arguments, device: str, cotangent: Numbers | None) -> Flow:
    """Return the forward pass of a function in 64 bits.

    Raises:
        UntraceableError: it cannot be followed.
    """
    objective = implementation.objective(arguments, device=device, wide=True, cotangent=cotangent)
    names = [str(name) for name in objective.parameters.naming.canonical.values()]
    try:
        with wrap_errors(objective.backend):
            return flow_of(objective.trace(), objective.traced_arrays(arguments.theta), names)
    except BackendError as error:  # the loss was computed before: whatever fails now, fails for looking
        raise UntraceableError(str(error)) from error
