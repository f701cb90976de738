#!/usr/bin/python3
"""What must hold of the list whatever happened, looked at in what `vigie-sim replay` prints.

    tests/oracle/properties.py --sim BUILD/tools/sim/vigie-sim --seeds 1..100

Each property takes a history and gives sentences, one for each way in which it does not hold."""

import argparse
import sys
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle import calendar_fr as calendar  # noqa: E402
from oracle.compare import short  # noqa: E402
from oracle.cutoff import in_truce  # noqa: E402
from oracle.facts import is_elsewhere  # noqa: E402
from oracle.generate import History  # noqa: E402
from oracle.model import CODES, TIER_OF, TIERS  # noqa: E402
from oracle.policy import jura, reopens  # noqa: E402
from oracle.run_sim import run_sim  # noqa: E402

DAY = timedelta(days=1)
CUTTABLE = ("electricity", "gas", "heat")
CUTOFF_CODES = ("cutoff_critical", "cutoff_urgent")


class Facts(History):
    """What is said of households, and nothing about visits or about facts being one or void: whatever is
    taken out of such a history, the rest may still be said."""

    def kinds(self):
        return [(self.referral, 8), (self.request, 5), (self.notice, 5), (self.supply, 4),
            (self.protection, 2), (self.move, 2), (self.close, 1), (self.withdraw, 1),
            (self.derogate, 2)]


class Told:
    """A history with its policy, its last day, and whoever can replay it."""

    def __init__(self, sim, drawn):
        self.sim = sim
        self.events, self.until = drawn.draw()
        self.policy = drawn.policy or jura()
        self.random = drawn.random
        end = calendar.paris_moment(self.until + DAY)
        self.events = [e for e in self.events if calendar.parse_time(e["time"]) < end]

    def replay(self, events=None, until=None):
        answer, _ = run_sim(self.sim, self.policy, self.events if events is None else events,
            (until or self.until).isoformat())
        return answer

    def open_cases(self, **how):
        return {c["case"]: c for c in self.replay(**how)["cases"] if c["rank"] is not None}


def day_of(text):
    return date.fromisoformat(text)


def closings(policy):
    return [(sector, last) for sector, listed in policy["sectors"].items() for _, last in listed]


# --- one list ---------------------------------------------------------------------------------------


def total(told):
    """Every open case has one place, and the places are those of tier and date."""
    cases = sorted(told.open_cases().values(), key=lambda c: c["rank"])
    if [c["rank"] for c in cases] != list(range(1, len(cases) + 1)):
        yield f"ranks {[c['rank'] for c in cases]}"
    keys = [(TIERS.index(c["tier"]), c["effective_date"]) for c in cases]
    if keys != sorted(keys):
        yield f"the list is not in the order of tier and date: {keys}"


def explained(told):
    """The reasons alone rebuild date and tier, and the cutoffs those reasons that stand for them."""
    for case in told.open_cases().values():
        codes = [r["code"] for r in case["reasons"]]
        days = sum(r["days"] for r in case["reasons"])
        if codes != [c for c in CODES if c in codes]:
            yield f"case {case['case']}: reasons twice or not in their order: {codes}"
        if day_of(case["first_date"]) - timedelta(days=days) != day_of(case["effective_date"]):
            yield f"case {case['case']}: {case['first_date']} less {days} days is not " \
                f"{case['effective_date']}"
        if case["tier"] != min(filter(None, ["normal", *case["reason_tiers"]]), key=TIERS.index):
            yield f"case {case['case']}: tier {case['tier']} out of {case['reason_tiers']}"
        if len(codes) != len(case["reason_tiers"]) or any(tier not in tiers_of(code, told)
                for code, tier in zip(codes, case["reason_tiers"])):
            yield f"case {case['case']}: {codes} give {case['reason_tiers']}"
        if [c for c in codes if c in CUTOFF_CODES] != cutoff_codes(case, told):
            yield f"case {case['case']}: {codes} with the cutoffs {case['cutoffs']}"


def tiers_of(code, told):
    """What a reason may give. Carried over is urgent, or not, as its sector opens again; which closing it
    was is not printed."""
    if code != "carried_over":
        return {TIER_OF.get(code)}
    return {None if reopens(told.policy, *c) else "urgent" for c in closings(told.policy)
        if c[1] < told.until}


def cutoff_codes(case, told):
    rules = told.policy["rules"]
    left = [(day_of(c["earliest_cut"]) - told.until).days for c in case["cutoffs"]]
    if any(-rules["critical_after"] <= n <= rules["critical_within"] for n in left):
        return ["cutoff_critical"]
    return ["cutoff_urgent"] if any(n <= rules["urgent_within"] for n in left) else []


# --- the law ----------------------------------------------------------------------------------------


def lawful(told):
    """No cutoff inside the truce, none earlier than the notices allow, none for what is never cut."""
    law = told.policy["laws"][0]
    for case in told.replay()["cases"]:
        for cutoff in case["cutoffs"]:
            day = day_of(cutoff["earliest_cut"])
            if cutoff["energy"] not in CUTTABLE:
                yield f"case {case['case']}: {cutoff['energy']} may be cut"
            if in_truce(law, day):
                yield f"case {case['case']}: {day} lies in the truce"
            allowed = earliest_allowed(told, case, cutoff, law)
            if allowed and day < allowed:
                yield f"case {case['case']}: {day} is earlier than {allowed}"


def earliest_allowed(told, case, cutoff, law):
    """By the latest notice 1 alone, of a household with one number and an energy never restored; None
    where that says nothing."""
    said = [e for e in told.events if e.get("subject") == case["subject"]
        and e["data"].get("supplier") == cutoff["supplier"]
        and e["data"].get("energy") == cutoff["energy"]]
    first = [e["data"]["issued_on"] for e in said if e["data"].get("step") == 1]
    if not first or any("restored" in e["type"] for e in said):
        return None
    grace = 0 if any(e["data"].get("step") == 2 for e in said) else law["grace"]
    return day_of(max(first)) + timedelta(days=grace + law["final_notice"])


def protects(told):
    """Who is protected is not cut earlier."""
    before = cutoffs_of(told.replay()["cases"])
    after = cutoffs_of(told.replay(events=with_vouchers(told))["cases"])
    for key, day in before.items():
        if key not in after or after[key] < day:
            yield f"{key}: {day} without a voucher, {after.get(key)} with one"


def with_vouchers(told):
    subjects = sorted({(e.get("subjectsource", e["source"]), e["subject"]) for e in told.events
        if e.get("subject")})
    data = {"energy_voucher": True, "valid_from": "2010-01-01", "valid_to": "2030-12-31"}
    return [{"specversion": "1.0", "id": f"voucher-{subject}", "source": source,
        "type": "fr.vigie.household.protection", "time": told.events[0]["time"],
        "subject": subject, "data": data} for source, subject in subjects] + told.events


def cutoffs_of(cases):
    return {(c["subject"], k["energy"], k["supplier"]): k["earliest_cut"]
        for c in cases if c["rank"] is not None for k in c["cutoffs"]}


# --- time -------------------------------------------------------------------------------------------


def stable(told):
    """From one day to the next, without an event, only what a timer is named for changes."""
    days = {calendar.paris_day(calendar.parse_time(e["time"])) for e in told.events}
    today = told.until
    while today + DAY in days:
        today += DAY
    before, after = (told.open_cases(until=d) for d in (today, today + DAY))
    for number in after.keys() - before.keys():
        yield f"case {number} opened in the night after {today}"
    for number in before.keys() - after.keys():
        if before[number]["state"] != "visited":
            yield f"case {number}, {before[number]['state']}, closed in the night after {today}"
    kept = sorted(before.keys() & after.keys())
    for number in kept:
        yield from changes(told, today, before[number], after[number])
    still = [n for n in kept if place(before[n]) == place(after[n])]
    if sorted(still, key=lambda n: before[n]["rank"]) != sorted(still, key=lambda n: after[n]["rank"]):
        yield f"cases changed places in the night after {today}"


def place(case):
    return case["tier"], case["effective_date"]


def changes(told, today, before, after):
    what = f"in the night after {today}, case {before['case']}"
    was, now = ({r["code"]: r["days"] for r in c["reasons"]} for c in (before, after))
    for code in CODES:
        if was.get(code) != now.get(code) and \
                not may_change(told, today, code, was.get(code), now.get(code), before):
            yield f"{what}: {code} {was.get(code)}, then {now.get(code)}"
    if was == now and place(before) != place(after):
        yield f"{what}: {place(before)}, then {place(after)} for the same reasons"
    if before["eligible"] != after["eligible"] and not may_turn(told, today, before, after):
        yield f"{what}: eligible {before['eligible']}, then {after['eligible']}"
    soonest = {(c["energy"], c["supplier"]): c["earliest_cut"] for c in before["cutoffs"]}
    for cutoff in after["cutoffs"]:
        if soonest.get((cutoff["energy"], cutoff["supplier"])) != cutoff["earliest_cut"]:
            yield f"{what}: a cutoff changed: {soonest}, then {cutoff}"


def may_change(told, today, code, was, now, case):
    rules = told.policy["rules"]
    turns = {"starts": {s for listed in told.policy["sectors"].values() for s, _ in listed},
        "ends": {last for _, last in closings(told.policy)}}
    if code in ("cut", "limited"):
        return now is None
    if code in CUTOFF_CODES:
        left = [(day_of(c["earliest_cut"]) - today - DAY).days for c in case["cutoffs"]]
        law = told.policy["laws"][0]
        return any(n in (rules["urgent_within"], rules["critical_within"],
            -rules["critical_after"] - 1, -law["stale"] - 1) for n in left)
    if code in ("fsl_repeat", "fsl_urgent"):
        lately = any(e["data"].get("filed_on") == (today + DAY).isoformat() for e in told.events)
        return lately or now is None or was is not None and now < was
    if code == "carried_over":
        return was is None and today in turns["ends"]
    if code == "closing":
        return today in turns["ends"] or today + DAY in turns["starts"] or \
            today + DAY + timedelta(days=rules["closing_within"]) in turns["ends"]
    return False


def may_turn(told, today, before, after):
    """Its sector opens or closes, its tier changes, a derogation or a carry-over ends."""
    weeks = timedelta(weeks=told.policy["rules"]["carry_over_weeks"])
    return before["tier"] != after["tier"] or \
        any(today == last or today == last + weeks for _, last in closings(told.policy)) or \
        any(today + DAY == start for listed in told.policy["sectors"].values() for start, _ in listed) or \
        any(e["data"].get("until") == today.isoformat() for e in told.events)


# --- what is taken back -----------------------------------------------------------------------------


def retracted(told):
    """A fact that was retracted is as if it never was. Not one that closes a case: while it stood, what
    was said to an open case was refused."""
    facts = [e for e in told.events if e.get("subject") and not closes(told, e)]
    if not facts:
        return
    gone = told.random.choice(facts)
    moment = calendar.paris_moment(told.until + DAY) - timedelta(minutes=1)
    retraction = {"specversion": "1.0", "id": "retraction", "source": gone["source"],
        "type": "fr.vigie.event.retracted", "time": calendar.format_time(moment),
        "data": {"source": gone["source"], "id": gone["id"], "reason": "erreur de saisie"}}
    had = told.replay(events=told.events + [retraction])
    never = told.replay(events=[e for e in told.events if e is not gone])
    for row in different(rows_of(had), rows_of(never)):
        yield f"{short(gone)}: {row}"


def closes(told, event):
    return event["type"].endswith(("case.closed", "referral.withdrawn")) or \
        event["type"].endswith("household.moved") and is_elsewhere(told.policy, event["data"]["insee"])


def alone(told):
    """What is said of one household changes nothing about the others."""
    subjects = sorted({e["subject"] for e in told.events if e.get("subject")})
    if len(subjects) < 2:
        return
    gone = told.random.choice(subjects)
    all_rows = [r for r in rows_of(told.replay(), "rank") if r["subject"] != gone]
    rest = [e for e in told.events if e.get("subject") != gone]
    if any(e["data"].get("form") in forms_of(told, gone) for e in rest):
        return # a correction leads from one household to another
    for row in different(all_rows, rows_of(told.replay(events=rest), "rank")):
        yield f"without {gone}: {row}"


def forms_of(told, subject):
    return {e["data"].get("form") for e in told.events if e.get("subject") == subject} - {None}


def rows_of(answer, *without):
    """Without the number that was drawn for it, and without what plans do. Cutoffs are a set."""
    result = []
    for case in answer["cases"]:
        row = {k: v for k, v in case.items() if k not in ("case", *without)}
        row["cutoffs"] = sorted(row["cutoffs"], key=lambda c: (c["energy"], c["supplier"]))
        row["state"] = "waiting" if row["state"] == "planned" else row["state"]
        result.append(row)
    return sorted(result, key=repr)


def different(one, other):
    return [f"only with it: {r}" for r in one if r not in other] + \
        [f"only without it: {r}" for r in other if r not in one]


PROPERTIES = {
    "total": (total, History), "explained": (explained, History), "lawful": (lawful, Facts),
    "protects": (protects, Facts), "stable": (stable, History), "retracted": (retracted, Facts),
    "alone": (alone, Facts),
}


def check(sim, name, seed, profile):
    holds, kind = PROPERTIES[name]
    return list(holds(Told(sim, kind(seed, profile))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sim", required=True)
    parser.add_argument("--seeds", required=True, help="A..B")
    parser.add_argument("--profiles", default="life,years,seasons,undone")
    parser.add_argument("--properties", default=",".join(PROPERTIES))
    options = parser.parse_args()
    first, _, last = options.seeds.partition("..")
    count = broken = 0
    for seed in range(int(first), int(last or first) + 1):
        for profile in options.profiles.split(","):
            for name in options.properties.split(","):
                found = check(options.sim, name, seed, profile)
                count += 1
                broken += bool(found)
                for line in found:
                    print(f"seed {seed}, profile {profile}, {name}: {line}", flush=True)
    print(f"{count} histories looked at, {broken} in which something does not hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
