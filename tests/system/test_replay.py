"""The hand-made cases of tests/replay, told to `vigie-sim replay` and to the model of the oracle."""

import os
import sys
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from oracle import cases  # noqa: E402
from oracle.compare import differ  # noqa: E402
from oracle.generate import generate  # noqa: E402
from oracle.model import Model  # noqa: E402
from oracle.run_sim import run_sim  # noqa: E402

BUILD = Path(os.environ.get("VIGIE_BUILD", ROOT / "build"))
SIM = BUILD / "tools" / "sim" / "vigie-sim"

ALL = cases.load()
every_case = pytest.mark.parametrize("case", [c for _, c in ALL],
    ids=[f"{name}: {c['name']}" for name, c in ALL])


@every_case
def test_the_model_gives_what_the_case_says(case):
    model = Model(cases.policy_of(case))
    answer = model.run(cases.events_of(case), date.fromisoformat(case["until"]))
    assert cases.differences(case["expect"], answer) == []
    assert len(model.refused) == case.get("refused", 0)


@every_case
def test_vigie_sim_gives_what_the_case_says(case):
    answer, refused = run_sim(SIM, cases.policy_of(case), cases.events_of(case), case["until"])
    assert cases.differences(case["expect"], answer) == []
    assert len(refused) == case.get("refused", 0), refused


# more of them: tests/campaign/oracle
SEEDS = {"facts": 40, "life": 40, "undo": 40, "crowded": 20, "years": 12, "seasons": 16, "undone": 12, "lived": 3}


@pytest.mark.parametrize("profile, seed",
    [(profile, seed) for profile, count in SEEDS.items() for seed in range(1, count + 1)])
def test_random_histories_are_told_alike(profile, seed):
    events, until, rules = generate(seed, profile)
    assert differ(events, until, rules, SIM) == []
