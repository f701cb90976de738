"""The earliest legal cutoff of one household, energy and supplier (SPEC, section 3).

Facts are dicts with `day`, `n` (their number) and their data. `steps` keeps every intermediate
date."""

from datetime import date, timedelta

from .calendar_fr import add_months

ENERGIES = ("electricity", "gas", "heat")
HELPED = ("granted", "partial")


def order(fact):
    return (fact["day"], fact["n"])


def days(count):
    return timedelta(days=count)


def not_voided(facts, restored):
    """A restoration voids what is dated before it, or the same day with a lower number."""
    return [f for f in facts if not any(order(f) < order(r) for r in restored)]


def procedure(notices):
    """Notice 1 and notice 2 of the running procedure, and all notices of it."""
    first = max((f for f in notices if f["step"] == 1), key=order, default=None)
    seconds = [f for f in notices if f["step"] == 2
        and (first is None or order(f) > order(first))]
    second = max(seconds, key=order, default=None)
    return first, second, ([first] if first else []) + seconds


def law_on(laws, day):
    laws = sorted(laws, key=lambda law: law["valid_from"])
    valid = [law for law in laws if law["valid_from"] <= day]
    return valid[-1] if valid else laws[0]


def is_protected(d0, vouchers, requests):
    if any(v["energy_voucher"] and v["valid_from"] <= d0 <= v["valid_to"] for v in vouchers):
        return True
    return any(r["outcome"] in HELPED and add_months(d0, -12) <= r["decided_on"] < d0
        for r in requests if r["decided_on"])


def in_truce(law, day):
    mark = day.month * 100 + day.day
    start, end = law["truce_from"], law["truce_to"]
    if start <= end:
        return start <= mark <= end
    return mark >= start or mark <= end


def after_truce(law, day):
    while in_truce(law, day):
        day += days(1)
    return day


def completes(law, start):
    """The day that completes the days at reduced power, counted from the day after `start`."""
    day, left = start, law["reduced_power"]
    while left:
        day += days(1)
        left -= not in_truce(law, day)
    return day


def smart_meter(notices):
    stated = [f for f in notices if f.get("smart_meter") is not None]
    return max(stated, key=order)["smart_meter"] if stated else False


def earliest_cut(energy, facts, vouchers, requests, laws, today):
    """`facts`: those of this energy and supplier, each with its `kind`. Gives (c, steps)."""
    steps = []

    def step(rule, day):
        steps.append({"rule": rule, "date": day.isoformat()})
        return day

    if energy not in ENERGIES:
        return None, steps
    restored = [f for f in facts if f["kind"] == "restored"]
    notices = not_voided([f for f in facts if f["kind"] == "notice"], restored)
    first, second, running = procedure(notices)
    if not running:
        return None, steps
    d0 = (first or second)["day"]
    law = law_on(laws, d0)
    protected = is_protected(d0, vouchers, requests)
    grace = law["grace_protected"] if protected else law["grace"]

    if second:
        c = second["day"] + days(max(second.get("notice_days") or 0, law["final_notice"]))
    else:
        c = first["day"] + days(grace + law["final_notice"])
    step("notice", c)

    if energy == "electricity" and protected and smart_meter(running):
        limited = not_voided([f for f in facts if f["kind"] == "limited"], restored)
        starts = [f["day"] for f in limited if f["day"] >= d0]
        start = min(starts) if starts else first and first["day"] + days(grace)
        if start:
            c = max(c, step("reduced_power", completes(law, start)))

    mine = [r for r in requests if energy in r["energies"]]
    if mine:
        last = max(mine, key=lambda r: (r["filed_on"], r["n"]))
        if last["filed_on"] >= add_months(d0, -law["fsl_months"]):
            outcome, decided = last["outcome"], last["decided_on"]
            if outcome in (None, "postponed"):
                c = max(c, step("fsl", add_months(last["filed_on"], law["fsl_months"])
                    + days(law["final_notice"])))
            elif outcome in ("refused", "partial"):
                c = max(c, step("fsl", decided + days(law["final_notice"])))
            elif decided >= d0:
                return None, steps

    if in_truce(law, c):
        c = step("truce", after_truce(law, c))
    if (today - c).days > law["stale"]:
        return None, steps
    return c, steps


def parse_day(text):
    return date.fromisoformat(text) if text else None
