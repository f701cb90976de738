"""Hand-made replay cases: short forms of events, and partial expectations.

A case is {name, until, events, expect}, perhaps with givers and with what is other in the Jura's policy:
{"openings": {"dole": [[first day, last day]]}, "rules": {}, "outreach": {}, "givers": {}, "pairs": []}.
An event is written as

    ["2015-02-02", "referral.received", "h1", {data}]

(time, type, subject or null, data, and perhaps envelope attributes). A bare date is 12:00 in Paris.
What a case does not care about is filled in."""

import json
from datetime import date
from pathlib import Path

from . import calendar_fr as calendar
from .compare import comparable
from .policy import jura, merged

FOLDER = Path(__file__).resolve().parents[1] / "replay"
SOURCE = "fsl-39"
DOLE = "39198"
NETWORK = ("sector_announced", "sector_opened", "sector_closing", "sector_closed", "outreach_suspended",
    "outreach_resumed", "quiet")


def at(text):
    if len(text) > 10:
        return text
    return calendar.format_time(calendar.paris_moment(date.fromisoformat(text), 12))


def referral(index, day, _):
    return {"form": f"F{index}", "giver": "G1", "reasons": ["cold"], "consent_on": day,
        "insee": DOLE, "person": {"name": f"Personne numéro{index}"}}


def notice(_, day, data):
    return {"supplier": "A", "energy": "electricity", "issued_on": day}


def supply(_, day, data):
    return {"supplier": "A", "energy": "electricity", "on": day}


def limited(index, day, data):
    return dict(supply(index, day, data), power_va=1000)


def request(index, day, _):
    return {"request": f"R{index}", "energies": ["electricity"], "filed_on": day}


DEFAULTS = {
    "referral.received": referral,
    "referral.withdrawn": lambda i, d, _: {"by": "household", "reason": "solved"},
    "supplier.notice": notice, "supplier.cut": supply, "supplier.restored": supply,
    "supplier.limited": limited,
    "fsl.request_filed": request,
    "fsl.decided": lambda i, d, _: {"decided_on": d, "outcome": "granted"},
    "household.protection": lambda i, d, _: {"energy_voucher": True},
    "household.moved": lambda i, d, _: {"on": d},
    "giver.registered": lambda i, d, data: {"kind": "partner_structure", "structure": "Structure",
        "name": "Nom", "email": data["giver"].lower() + "@exemple.test"},
    "visit.confirmed": lambda i, d, _: {"by": "coordinator"},
    "visit.moved": lambda i, d, _: {"by": "coordinator"},
    "visit.cancelled": lambda i, d, _: {"by": "coordinator"},
    "visit.recorded": lambda i, d, _: {"result": "done", "second_visit": False},
    "case.closed": lambda i, d, _: {"reason": "done"},
    "event.retracted": lambda i, d, _: {"source": SOURCE, "reason": "erreur de saisie"},
}


def expand(index, short):
    time, kind, subject, data = (list(short) + [None, None])[:4]
    data = data or {}
    filled = DEFAULTS.get(kind, lambda i, d, _: {})(index, time[:10], data)
    filled.update(data)
    event = {"specversion": "1.0", "id": f"e{index}", "source": SOURCE,
        "type": "fr.vigie." + kind, "time": at(time),
        "data": {k: v for k, v in filled.items() if v is not None}}
    if subject is not None:
        event["subject"] = subject
    if len(short) > 4:
        event.update(short[4])
    return event


def events_of(case):
    """Two givers are registered at first, unless the case says otherwise."""
    first = case["events"][0][0][:10]
    givers = [[first + "T00:00:01Z", "giver.registered", None, {"giver": g}, {"id": "giver-" + g}]
        for g in case.get("givers", ["G1", "G2"])]
    start = [expand(0, short) for short in givers]
    return start + [expand(i + 1, short) for i, short in enumerate(case["events"])]


def load():
    """All cases, as (file name, case)."""
    result = []
    for path in sorted(FOLDER.glob("*.json")):
        if path.name == "cutoff-cases.json":
            continue
        for case in json.loads(path.read_text(encoding="utf-8")):
            result.append((path.stem, case))
    return result + [("cutoff-cases", cutoff_case(c)) for c in cutoff_cases()]


def cutoff_cases():
    return json.loads((FOLDER / "cutoff-cases.json").read_text(encoding="utf-8"))


def cutoff_case(case):
    """A worked example as a history. The household is referred on the last day."""
    energy, today = case["energy"], case["today"]
    about = {"supplier": "A", "energy": energy}
    events = []
    if case["energy_voucher"]:
        first = case["notice_1"] or case["notice_2"]
        events.append([first, "household.protection", "h1",
            {"valid_from": first[:4] + "-01-01", "valid_to": first[:4] + "-12-31"}])
    for step in (1, 2):
        if case[f"notice_{step}"]:
            data = dict(about, step=step, smart_meter=case["smart_meter"])
            if step == 2 and case["notice_days"] is not None:
                data["notice_days"] = case["notice_days"]
            events.append([case[f"notice_{step}"], "supplier.notice", "h1", data])
    if case["limited_on"]:
        events.append([case["limited_on"], "supplier.limited", "h1", about])
    for index, fsl in enumerate(case["fsl"]):
        number = f"R{index}"
        events.append([fsl["filed_on"], "fsl.request_filed", "h1",
            {"request": number, "filed_on": fsl["filed_on"], "energies": [energy]}])
        if "outcome" in fsl:
            events.append([fsl["decided_on"], "fsl.decided", "h1",
                {"request": number, "outcome": fsl["outcome"]}])
    events.append([today, "referral.received", "h1"])
    cut = case["earliest_cut"]
    expected = [{"energy": energy, "supplier": "A", "earliest_cut": cut}] if cut else []
    return {"name": case["name"], "until": today, "events": sorted(events, key=lambda e: e[0]),
        "expect": {"cases": [{"case": 1, "cutoffs": expected}]}}


def policy_of(case):
    """The Jura's policy with what the case says otherwise."""
    policy = jura()
    changes = case.get("policy")
    if changes is None:
        return policy
    openings = {name: [tuple(map(date.fromisoformat, opening)) for opening in listed]
        for name, listed in changes.get("openings", {}).items()}
    policy["openings"] = {**policy["sectors"], **openings}
    policy["sectors"] = {name: merged(listed) for name, listed in policy["openings"].items()}
    for group in ("rules", "outreach", "givers"):
        policy[group].update(changes.get(group, {}))
    if "pairs" in changes:
        policy["pairs"] = [{**policy["pairs"][0], **pair} for pair in changes["pairs"]]
    return policy


# what an answer must hold


def differences(expected, answer):
    """Sentences, one for each thing that `answer` lacks of `expected`."""
    result = []
    for key, wanted in expected.items():
        if key == "cases":
            rows = {row["case"]: row for row in answer["cases"]}
            for row in wanted:
                result += partial(row, rows.get(row["case"]), f"case {row['case']}")
        elif key == "case_count":
            result += partial(wanted, len(answer["cases"]), "number of cases")
        elif key == "last_visit":
            result += partial(wanted, answer["visits"][-1] if answer["visits"] else None, key)
        elif key == "visits":
            result += same_rows(wanted, answer[key], key)
        elif key == "mails":
            result += same_rows(wanted, comparable(answer[key]), key)
        elif key == "network":
            result += same_rows(wanted, [m for m in answer["mails"] if m["template"] in NETWORK], key)
        else:
            result.append(f"unknown expectation {key}")
    return result


def same_rows(wanted, given, what):
    if len(wanted) != len(given):
        return [f"{what}: {len(wanted)} expected, given {given}"]
    left, result = list(given), []
    for row in wanted:
        match = next((g for g in left if not partial(row, g, what)), None)
        if match is None:
            result.append(f"{what}: {row} is missing among {left}")
        else:
            left.remove(match)
    return result


def partial(wanted, given, path):
    if isinstance(wanted, dict):
        if not isinstance(given, dict):
            return [f"{path}: expected {wanted}, given {given}"]
        return [line for key, value in wanted.items()
            for line in partial(value, given.get(key), f"{path}.{key}")]
    if isinstance(wanted, list):
        if not isinstance(given, list) or len(wanted) != len(given):
            return [f"{path}: expected {wanted}, given {given}"]
        return [line for index, value in enumerate(wanted)
            for line in partial(value, given[index], f"{path}[{index}]")]
    return [] if wanted == given else [f"{path}: expected {wanted!r}, given {given!r}"]
