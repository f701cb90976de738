"""The Jura's policy as plain Python values, written from the specification."""

import csv
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from .calendar_fr import add_months

ROOT = Path(__file__).resolve().parents[2]
JURA = ROOT / "config" / "jura" / "policy.conf"
COMMUNES = ROOT / "config" / "jura" / "communes.csv"

ALWAYS = date.min
WORKING_HALVES = [f"{day}.{half}" for day in ("mon", "tue", "wed", "thu", "fri")
    for half in ("am", "pm")]

RULES = {
    "critical_within": 15, "critical_after": 30, "urgent_within": 60, "supply_stale": 180,
    "fsl_window_months": 24, "fsl_repeat": 30, "fsl_urgent_from": 4, "vulnerable": 31,
    "carried_over": 120, "carry_over_weeks": 52, "closing": 90, "closing_within": 70,
    "reopening_months": 12, "no_show": 30, "reopen_months": 12, "visited_closes_after": 30,
    "old_fact": 7, "open_on_recurrence": False, "open_on_cutoff": False, "derogation": "auto",
}

LAW = {
    "valid_from": ALWAYS, "grace": 15, "grace_protected": 30, "final_notice": 20,
    "reduced_power": 60, "fsl_months": 2, "truce_from": 1101, "truce_to": 331, "stale": 180,
}

SECTORS = {"Dole": "dole", "Champagnole": "champagnole", "Lons-le-Saunier": "lons-le-saunier",
    "Saint-Claude": "saint-claude"}

OPEN_YEARS = {"dole": (2014, 2015, 2017), "champagnole": (2014, 2015, 2017),
    "lons-le-saunier": (2014, 2016), "saint-claude": (2014, 2016)}

PAIR = {
    "id": "binome-1", "sectors": [], "visits_a_week": 4, "closed_sectors": True,
    "half_days": ["tue.am", "tue.pm", "wed.am", "wed.pm", "thu.am", "thu.pm", "fri.am", "fri.pm"],
}


def merged(openings):
    """Openings that touch are one."""
    result = []
    for start, end in sorted(openings):
        if result and (start - result[-1][1]).days <= 1:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def reopens(policy, sector, last):
    """Does an opening begin within the months after a closing, whose last open day is `last`?"""
    latest = add_months(last, policy["rules"]["reopening_months"])
    return any(last < start <= latest for start, _ in policy["sectors"][sector])


def year_openings(years):
    return merged((date(y, 1, 1), date(y, 12, 31)) for y in years)


@cache
def read_rows(path=COMMUNES):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_places(path=COMMUNES):
    """Latitude and longitude in microdegrees."""
    return {row["insee"]: (microdegrees(row["lat"]), microdegrees(row["lon"]))
        for row in read_rows(path)}


def microdegrees(text):
    return int(Decimal(text) * 10 ** 6)


@cache
def read_communes(path=COMMUNES):
    """Commune → sector."""
    return {row["insee"]: SECTORS[row["unit_guess"]] for row in read_rows(path)}


@cache
def read_cantons(path=COMMUNES):
    """Commune → canton."""
    return {row["insee"]: row["canton_code"] for row in read_rows(path)}


def jura(communes=None, cantons=None):
    return {
        "department": "39",
        "rules": dict(RULES),
        "laws": [dict(LAW)],
        "sectors": {name: year_openings(years) for name, years in OPEN_YEARS.items()},
        "communes": communes if communes is not None else read_communes(),
        "cantons": cantons if cantons is not None else read_cantons(),
        "places": read_places(),
        "pairs": [dict(PAIR)],
        "planning": {"weeks": 3, "alsace_moselle": False},
        "outreach": {"suspend_above": 12, "resume_below": 8},
        "givers": {"nudge_quiet": False},
    }
