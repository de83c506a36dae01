"""What a loss does, operation by operation, whatever framework it is written in."""

from xcheck.trace.backward import BackwardPass, Call, Read, Written
from xcheck.trace.model import Constant, Operation, Place, Trace, UntraceableError, Value
from xcheck.trace.nodes import Nodes, Site
from xcheck.trace.replay import replay

__all__ = [
    "BackwardPass",
    "Call",
    "Constant",
    "Nodes",
    "Operation",
    "Place",
    "Read",
    "Site",
    "Trace",
    "UntraceableError",
    "Value",
    "Written",
    "replay",
]
