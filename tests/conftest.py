"""What holds for every test: nothing may be left behind, and how hard Hypothesis tries.

`HYPOTHESIS_PROFILE` chooses `default`, `ci` or `nightly`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.leaks import Held, left_behind

# Times depend on how busy the machine is; a test that hangs is pytest-timeout's business.
settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), max_examples=200, print_blob=True)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=10_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fails a test that leaves descriptors, threads or child processes; autouse, so it is torn down last."""
    before = Held.now()
    yield
    leaks = left_behind(before)
    if leaks:
        pytest.fail("left behind:\n  " + "\n  ".join(leaks), pytrace=False)
