"""The year 2015 as the files tell it, lived by the real programs without a coordinator, compared with the
same events in vigie-sim; and what becomes of mails to givers who are unknown or gone."""
import csv
import datetime
import json
import shutil
import subprocess
import tempfile

import pytest
from conftest import ROOT, Core, program
from sender import Sender, event

JURA = ROOT / "config" / "jura"
DATA = JURA / "data"
FILES = [DATA / f"{name}-2015.csv" for name in ("givers", "fsl-export", "supplier-notices", "referrals")]
MAPS = [argument for name in ("givers", "fsl", "suppliers", "referrals")
        for argument in ("--map", str(JURA / f"{name}.map"))]
WORKERS = ("vigie-notify", "vigie-schedule")
LAST_DAY = "2015-12-31"


def drive(core, until):
    (core.folder / "rejects").mkdir(exist_ok=True)
    done = core.run("vigie-feed", "--drive", "--until", until, "--rejects", str(core.folder / "rejects"),
                    *MAPS, *map(str, FILES))
    assert done.returncode == 1, done.stderr  # 1: the rows that are wrong are refused
    return done.stderr


def mails_of(core):
    tasks = core.status("task.list", {"kind": "mail", "limit": 10000})["tasks"]
    return tasks[::-1]


@pytest.fixture(scope="module")
def year():
    """A rehearsal driven to the last day of 2015; tests that go on with it come last. It begins before the
    first giver was registered, as the simulation does."""
    folder = tempfile.mkdtemp(prefix="vigie-", dir="/tmp")
    core = Core(folder, rehearse="2014-01-01", workers=WORKERS)
    try:
        drive(core, LAST_DAY)
        yield core
    finally:
        core.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """The same files through `vigie-feed --print` and `vigie-sim replay`."""
    folder = tmp_path_factory.mktemp("sim")
    lines = folder / "year.ndjson"
    with open(lines, "w") as file:
        done = subprocess.run([program("vigie-feed"), "--print", "--rejects", str(folder), *MAPS,
                               *map(str, FILES)], stdout=file, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1, done.stderr
    done = subprocess.run([program("vigie-sim"), "replay", "--policy", str(JURA / "policy.conf"),
                           "--events", str(lines), "--until", LAST_DAY, "--json"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# the rows that the daemon's feed refuses are those of the known list, in its words
def test_refused_rows_are_exactly_the_known_ones(year):
    with open(DATA / "rejects-2015.csv", newline="") as file:
        known = sorted((row["file"], row["row"], row["reason"]) for row in csv.DictReader(file))
    found = []
    for path in (year.folder / "rejects").glob("*.rejects.csv"):
        with open(path, newline="") as file:
            found += [(path.name.removesuffix(".rejects.csv"), row["row"], row["reason"])
                      for row in csv.DictReader(file)]

    assert sorted(found) == known
    assert year.status("status")["intake"]["refused"] == 0


# the list, place by place and with every reason, is that of the simulation
def test_list_is_that_of_the_simulation(year, simulated):
    told = year.status("queue.list", {"limit": 10000})["cases"]
    expected = sorted((case for case in simulated["cases"] if case["rank"]),
                      key=lambda case: case["rank"])
    assert len(told) == len(expected) > 20

    for place, case in zip(told, expected):
        for name in ("rank", "case", "state", "sector", "tier", "effective_date", "first_date",
                     "eligible", "reasons"):
            assert place[name] == case[name], (place["case"], name)


def mails_since(mails, first="2014-06-01"):
    """Those from a day on which both calendars have long been running."""
    return sorted((at, mail["template"], mail["to"], mail["case"] or 0)
                  for at, mail in mails if at >= first)


# the mails are those of the simulation: when, which, to whom, about which case
def test_mails_are_those_of_the_simulation(year, simulated):
    done = [mail for mail in mails_of(year) if mail["state"] == "done"]
    told = mails_since((mail["due"], mail) for mail in done)
    expected = mails_since((mail["at"], mail) for mail in simulated["mails"])

    assert len(told) == len(expected) > 400
    assert told == expected
    assert len(list((year.folder / "Maildir" / "new").iterdir())) == len(done)


# the plan, too: the planner behind the worker's socket is the simulation's
def test_visits_are_those_of_the_simulation(year, simulated):
    told = year.status("visit.list", {"limit": 10000})["visits"]

    assert [{name: visit[name] for name in ("visit", "case", "pair", "day", "half", "state")}
            for visit in told] == simulated["visits"]


# nobody who has left is written to: the successor is, or the coordinator
def test_givers_who_left_are_not_written_to(year):
    with open(DATA / "givers-2015.csv", newline="", encoding="utf-8-sig") as file:
        rows = {row["Identifiant"]: row for row in csv.DictReader(file, delimiter=";")}
    left = {id: datetime.datetime.strptime(row["Jusqu'au"], "%d/%m/%Y").date()
            for id, row in rows.items() if row["Jusqu'au"]}
    assert len(left) == 9

    late = [(mail["to"], mail["due"]) for mail in mails_of(year)
            if mail["state"] == "done" and mail["to"] in left and
            mail["due"][:10] > left[mail["to"]].isoformat()]
    assert not late


# the same files again: only duplicates, and the same state
def test_feeding_again_changes_nothing(year):
    before = year.status("status", {"digest": True})

    drive(year, LAST_DAY)

    after = year.status("status", {"digest": True})
    assert after["digest"] == before["digest"]
    assert after["intake"]["taken"] == before["intake"]["taken"]
    first, again = before["intake"]["duplicates"], after["intake"]["duplicates"]
    assert again - first == after["intake"]["taken"] - 1 + first, \
        "each event again (the policy is none), and the rows that stand twice in the files"


# decisions of 2016 on requests of 2015 wait for their day
def test_decisions_of_the_next_year_come_on_their_day(year):
    before = year.status("status")["intake"]["taken"]

    drive(year, "2016-04-30")

    after = year.status("status", {"digest": True})
    assert after["now"] > "2016"
    assert after["intake"]["taken"] > before
    assert after["intake"]["refused"] == 0


# --- givers -----------------------------------------------------------------------------------------


def registered(giver, id, day="2015-03-02", **more):
    return event("giver.registered", id, f"{day}T09:00:00Z",
                 {"giver": giver, "kind": "department_social_worker", "structure": "Département",
                  "name": f"Agent {giver}", "email": f"{giver.lower()}@exemple.test", **more})


def referred(giver, n, day="2015-03-02"):
    return event("referral.received", f"r{n}", f"{day}T10:00:00Z",
                 {"form": f"F{n}", "giver": giver, "insee": "39198", "reasons": ["cold"],
                  "consent_on": day, "person": {"name": f"Nom {n}"}}, subject=f"H-{n}")


def publish(core, *events):
    with Sender(core.intake) as sender:
        answers = sender.publish(list(events))
    assert all("seq" in answer for answer in answers), answers


def states(core):
    return [(mail["to"], mail["state"]) for mail in mails_of(core) if mail["case"]]


# a giver nobody registered: the mail is held, sent on registration, expired after thirty days
def test_mails_of_unknown_givers_are_held_sent_or_expired(start):
    core = start(rehearse="2015-03-02", workers=WORKERS)

    core.control("clock.advance", {"to": "2015-03-02T10:30:00Z"})
    publish(core, referred("TS1", 1), referred("TS2", 2))
    assert states(core) == [("TS1", "held"), ("TS2", "held")]
    core.control("clock.advance", {"to": "2015-03-20"})
    publish(core, registered("TS1", "g1", "2015-03-20"))
    core.control("clock.advance", {"to": "2015-03-30"})
    assert states(core) == [("TS1", "done"), ("TS2", "held")]
    core.control("clock.advance", {"to": "2015-04-02"})
    assert states(core) == [("TS1", "done"), ("TS2", "expired")]
    publish(core, registered("TS2", "g2", "2015-04-02"))
    core.control("clock.advance", {"to": "2015-04-03"})

    assert states(core) == [("TS1", "done"), ("TS2", "expired")]
    done = [mail for mail in mails_of(core) if mail["state"] == "done"]
    assert len(list((core.folder / "Maildir" / "new").iterdir())) == len(done)


# successors are followed along a chain; a circle, or nobody, ends at the coordinator
def test_successors_are_followed(start):
    core = start(rehearse="2015-03-02", workers=WORKERS)

    core.control("clock.advance", {"to": "2015-03-02T10:30:00Z"})
    publish(core, *[registered(f"TS{n}", f"g{n}") for n in range(1, 7)],
            *[event("giver.left", f"l{giver}", "2015-03-02T09:30:00Z",
                    {"giver": giver, "until": "2015-03-03", **({"successor": after} if after else {})})
              for giver, after in (("TS1", "TS2"), ("TS2", "TS3"), ("TS4", "TS5"), ("TS5", "TS4"),
                                   ("TS6", None))])
    core.control("clock.advance", {"to": "2015-03-04T10:30:00Z"})
    publish(core, referred("TS1", 1, "2015-03-04"), referred("TS4", 2, "2015-03-04"),
            referred("TS6", 3, "2015-03-04"))
    core.control("clock.advance", {"to": "2015-03-05"})

    assert [to for to, _ in states(core)] == ["TS3", "coordinator", "coordinator"]
