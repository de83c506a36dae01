"""Coverage: which ordinary functions, and which of the example networks, proofs can be had of.

The functions are those of the tests (`tests.breadth`), each at one point in float64, with the gradient of its
framework, or in NumPy one written by hand; the networks are those that xcheck ships, each with all of its witnesses.
"""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.suites.breadth import FRAMEWORKS, SEED
from benchmarks.suites.detection import EXAMPLES
from benchmarks.suites.proof_coverage_rows import CoverageRow
from tests.breadth.catalogue import CATALOGUE
from tests.breadth.entry import Entry, precision_of
from xcheck.certificates.claims import Proof
from xcheck.checks.accuracy.subject import subject_of
from xcheck.checks.prepare import Check, prepare
from xcheck.checks.proof import proof_warnings, prove
from xcheck.findings import NOT_PROVED

NETWORKS = "example networks"
# What is said of a function is the worst of what is said of its witnesses.
_WORST = ("wrong", "inaccurate", "unstable", "right")
# The line of a function moves with every change of its file.
_PLACE = re.compile(r" at \S+:\d+")


def prove_check(check: Check) -> Proof:
    """Return what is proved of the gradients of a check; no differences are taken."""
    subject = subject_of(check)
    claims = [(one, subject.roundoff) for one in subject.evaluations]
    return prove(subject.candidates(), claims, subject.theta, subject.seed)[0]


def claim_of(proof: Proof) -> tuple[str, str]:
    """Return the worst claim of a proof, or "" and why there is none."""
    not_proved = [one.text for one in proof_warnings(proof) if one.code == NOT_PROVED]
    claims = {one.claim for one in proof.witnesses}
    if not_proved or not claims:
        why = not_proved[0] if not_proved else "no gradient came"
        return "", _PLACE.sub("", re.sub(r"^nothing is proved: (\w+: )?", "", why))
    return next(claim for claim in _WORST if claim in claims), ""


def _of_entry(entry: Entry) -> tuple[str, str]:
    params, data = entry.make(np.random.default_rng(SEED))
    settings = {"backend": entry.framework, "gradient": entry.gradient, "name": entry.name}
    return claim_of(prove_check(prepare(entry.loss, params, data, None, settings)))


def _of_network(path: Path) -> tuple[str, str]:
    return claim_of(prove_check(prepare(path, None, (), None, {})))


def _asked(kind: str) -> Mapping[str, Callable[[], tuple[str, str]]]:
    """Return what there is to ask, by name."""
    if kind == NETWORKS:
        return {path.name: partial(_of_network, path) for path in sorted(EXAMPLES.glob("*.toml"))}
    return {entry.name: partial(_of_entry, entry) for entry in CATALOGUE if entry.framework == kind}


def measure_coverage(every: int, environment: dict[str, Any], tell: Callable[[str], None]) -> Iterator[CoverageRow]:
    """Yield a row for each framework, and one for the example networks.

    Args:
        every: each so-manieth function is asked.
        environment: for the rows.
        tell: called with what is going on.
    """
    for kind in (*FRAMEWORKS, NETWORKS):
        chosen = dict(list(_asked(kind).items())[::every])
        tell(f"{kind}: {len(chosen)}")
        said = {name: _quietly(kind, ask) for name, ask in chosen.items()}
        yield CoverageRow(
            functions=kind,
            asked=len(chosen),
            claims=dict(Counter(claim for claim, _ in said.values() if claim)),
            exceptions={name: claim for name, (claim, _) in said.items() if claim not in ("right", "")},
            missing={name: why for name, (claim, why) in said.items() if not claim},
            environment=environment,
        )


def _quietly(kind: str, ask: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    # Frameworks warn of what they convert; outside of its domain a function divides by zero.
    with warnings.catch_warnings(), precision_of("jax" if kind == "jax" else "numpy"), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return ask()
