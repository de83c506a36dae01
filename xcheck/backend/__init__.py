"""The contract between xcheck and a framework: what a backend implements. See `xcheck.backend.contract`."""

from xcheck.backend.contract import Backend, Objective

__all__ = ["Backend", "Objective"]
