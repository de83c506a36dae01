"""What a backend needs to prove itself, and what proves the checker: contract, scenarios, planted faults.

```python
from xcheck.testing import check_contract
from my_plugin import backend

def test_contract():
    check_contract(backend)
```

`cases` gives the definitions in a folder to `pytest.mark.parametrize`.
"""

from xcheck.testing.collection import cases
from xcheck.testing.contract import check_contract
from xcheck.testing.faults import FAULTS, Fault
from xcheck.testing.generic_faults import GENERIC_FAULTS, GenericFault
from xcheck.testing.planted import Planted
from xcheck.testing.scenarios import large_scenario, scenario, scenarios

__all__ = [
    "FAULTS",
    "GENERIC_FAULTS",
    "Fault",
    "GenericFault",
    "Planted",
    "cases",
    "check_contract",
    "large_scenario",
    "scenario",
    "scenarios",
]
