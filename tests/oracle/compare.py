#!/usr/bin/python3
"""Compares `vigie-sim replay` with the model over random histories.

    tests/oracle/compare.py --sim BUILD/tools/sim/vigie-sim --seeds 1..100 [--profile life,years,…]
        [--without visits,mails]

Where they differ the history is made as small as it can be while they still do, and shown."""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.generate import PROFILES, generate  # noqa: E402
from oracle.model import OPTIONS, Model  # noqa: E402
from oracle.random_policy import policy_text  # noqa: E402
from oracle.run_sim import SimFailed, run_sim  # noqa: E402


def main():
    options = parse()
    failed = 0
    for seed in options.seeds:
        for profile in options.profiles:
            events, until, policy = generate(seed, profile)
            found = differences(events, until, policy, options)
            if found:
                failed += 1
                report(seed, profile, events, until, policy, options, found)
                if failed >= options.stop:
                    print(f"stopped after {failed} differences")
                    return 1
    print(f"{len(options.seeds) * len(options.profiles)} histories, {failed} differ")
    return 1 if failed else 0


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sim", required=True)
    parser.add_argument("--seeds", required=True, help="A..B")
    parser.add_argument("--profile", default=",".join(PROFILES))
    parser.add_argument("--without", default="", 
        help="leave out mails, visits, refused or templates of mails")
    parser.add_argument("--option", action="append", default=[], help="a reading, NAME=VALUE")
    parser.add_argument("--stop", type=int, default=3, help="after so many differences")
    parser.add_argument("--full", action="store_true", help="do not make the history smaller")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("..")
    options.seeds = range(int(first), int(last or first) + 1)
    options.profiles = options.profile.split(",")
    options.without = set(filter(None, options.without.split(",")))
    options.readings = dict(reading(text) for text in options.option)
    return options


def reading(text):
    name, _, value = text.partition("=")
    if name not in OPTIONS:
        raise SystemExit(f"no such reading: {name}")
    return name, {"true": True, "false": False}.get(value, value)


# both sides


def differences(events, until, policy, options):
    return differ(events, until, policy, options.sim, options.without, options.readings)


def differ(events, until, policy, sim, without=frozenset(), readings=None):
    """Sentences, one for each difference."""
    model = Model(policy, **(readings or {}))
    wanted = model.run(events, until)
    try:
        given, lines = run_sim(sim, policy, events, until.isoformat())
    except SimFailed as error:
        return [str(error)]
    result = compare(wanted, given, without)
    if "refused" not in without and len(lines) != len(model.refused):
        ours = [f"{raw['id']}: {why}" for raw, why in model.refused]
        result.append(f"refused: model {ours}, given {lines}")
    return result


def compare(wanted, given, without):
    result = []
    result += rows("case", {r["case"]: r for r in wanted["cases"]}, {r["case"]: r for r in given["cases"]})
    if "visits" not in without:
        result += rows("visit", {r["visit"]: r for r in wanted["visits"]},
            {r["visit"]: r for r in given["visits"]})
    if "mails" not in without:
        result += mails(*([m for m in comparable(answer["mails"]) if m["template"] not in without]
            for answer in (wanted, given)))
    return result


def rows(what, wanted, given):
    result = []
    for number in sorted(wanted.keys() | given.keys()):
        if number not in given or number not in wanted:
            side = "model" if number in wanted else "vigie-sim"
            result.append(f"{what} {number}: only {side}: {wanted.get(number) or given.get(number)}")
            continue
        for field, value in wanted[number].items():
            other = without_steps(given[number].get(field))
            if without_steps(value) != other:
                result.append(f"{what} {number}.{field}: model {value}, vigie-sim {other}")
    return result


def without_steps(value):
    """The names of steps are free, and so is the order of cutoffs."""
    if isinstance(value, list) and value and isinstance(value[0], dict) and "steps" in value[0]:
        rows_ = [{k: v for k, v in row.items() if k != "steps"} for row in value]
        return sorted(rows_, key=lambda row: (row["energy"], row["supplier"]))
    return value


def comparable(mails):
    """All but the coordinator's in the morning: what an alarm is the specification does not count."""
    return [m for m in mails if m["template"] != "coordinator" or m["case"]]


def mails(wanted, given):
    def text(mail):
        return f"{mail['at']} {mail['template']} to {mail['to']} case {mail['case']}"

    ours, theirs = sorted(map(text, wanted)), sorted(map(text, given))
    if ours == theirs:
        return []
    for mail in list(ours):
        if mail in theirs:
            ours.remove(mail)
            theirs.remove(mail)
    return [f"mail only in the model: {m}" for m in ours] + \
        [f"mail only in vigie-sim: {m}" for m in theirs]


# making it small


def report(seed, profile, events, until, policy, options, found):
    print(f"seed {seed}, profile {profile}: {len(events)} events, until {until}")
    if not options.full:
        events = shrink(events, until, policy, options, kind_of(found))
        found = differences(events, until, policy, options)
        print(f"made smaller: {len(events)} events")
    if "openings" in policy:
        print(policy_text(policy))
    for event in events:
        print("   ", short(event))
    for line in found:
        print("  -", line)
    print(flush=True)


def kind_of(found):
    return {line.split(":")[0].split(" ")[0] + "." + line.split(":")[0].rpartition(".")[2]
        if "." in line.split(":")[0] else line.split(" ")[0] for line in found}


def shrink(events, until, policy, options, kind):
    size = max(1, len(events) // 2)
    while size:
        index, shrunk = 0, False
        while index < len(events):
            fewer = events[:index] + events[index + size:]
            if fewer and kind & kind_of(differences(fewer, until, policy, options)):
                events, shrunk = fewer, True
            else:
                index += size
        if size == 1 and not shrunk:
            return events
        size = size // 2 or (1 if shrunk else 0)
    return events


def short(event):
    data = {k: v for k, v in event["data"].items() if k not in ("person", "name", "email", "structure")}
    who = event.get("subject", "-")
    return f"{event['id']} {event['time']} {event['type'].removeprefix('fr.vigie.')} {who} " + \
        json.dumps(data, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
