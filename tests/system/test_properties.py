"""What must hold of the list, over a few random histories; over many more: tests/campaign/oracle."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from oracle.properties import PROPERTIES, check  # noqa: E402

BUILD = Path(os.environ.get("VIGIE_BUILD", ROOT / "build"))
SIM = BUILD / "tools" / "sim" / "vigie-sim"


@pytest.mark.parametrize("profile", ["life", "years", "seasons"])
@pytest.mark.parametrize("seed", range(1, 7))
@pytest.mark.parametrize("name", PROPERTIES)
def test_what_must_hold_holds(name, seed, profile):
    assert check(SIM, name, seed, profile) == []
