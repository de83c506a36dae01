"""What a loss does, operation by operation, whatever framework it is written in."""

from xcheck.trace.model import Constant, Operation, Place, Trace, UntraceableError, Value
from xcheck.trace.replay import confirm, replay

__all__ = ["Constant", "Operation", "Place", "Trace", "UntraceableError", "Value", "confirm", "replay"]
