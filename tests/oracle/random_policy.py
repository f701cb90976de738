"""Random policies: a few sectors of a made-up department, whose openings touch, follow one another at
once, after about a year, or never."""

import csv
import random
from datetime import date, timedelta
from pathlib import Path

from .calendar_fr import add_months
from .policy import LAW, RULES, WORKING_HALVES, merged

DEPARTMENT = "39"
COMMUNES = ("39001", "39002", "39003", "39004", "39005", "39006", "39007")
CANTONS = ("3901", "3902", "3903", "3904")
START = date(2014, 1, 1)
END = date(2018, 12, 31)
LENGTHS = (1, 10, 27, 28, 41, 42, 43, 60, 70, 71, 90, 120, 180, 365)
GAPS = (1, 1, 2, 10, 27, 28, 29, 60, 90, 180)


def random_policy(seed):
    return Draw(seed).policy()


class Draw:
    def __init__(self, seed):
        self.random = random.Random(f"policy-{seed}")

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, items):
        return self.random.choice(list(items))

    def policy(self):
        sectors = self.sectors()
        return {
            "department": DEPARTMENT,
            "rules": self.rules(),
            "laws": [dict(LAW)],
            "openings": sectors,
            "sectors": {name: merged(openings) for name, openings in sectors.items()},
            "communes": {c: self.pick(sectors) for c in COMMUNES},
            "cantons": {c: self.pick(CANTONS) for c in COMMUNES},
            "places": {c: self.place() for c in COMMUNES},
            "pairs": self.pairs(sectors),
            "planning": {"weeks": self.random.randint(1, 3), "alsace_moselle": self.chance(20)},
            "outreach": self.outreach(),
            "givers": {"nudge_quiet": self.chance(50)},
        }

    def place(self):
        """In microdegrees, all within some thirty kilometres."""
        return tuple(middle + self.random.randrange(-200, 200) * 1000 for middle in (46700000, 5500000))

    def sectors(self):
        result = {}
        for number in range(1, self.random.randint(1, 4) + 1):
            if result and self.chance(20):
                openings = list(self.pick(result.values())) # as another one
            else:
                openings = self.openings()
            result[f"s{number}"] = openings
        return result

    def openings(self):
        if self.chance(5):
            return []
        result = []
        first = START + timedelta(days=self.random.randint(0, 500))
        while first <= END and len(result) < 12:
            last = first + timedelta(days=self.pick(LENGTHS) - 1)
            result.append((first, last))
            if self.chance(15):
                break
            first = self.next_opening(last)
        return result

    def next_opening(self, last):
        if self.chance(35):
            return add_months(last, 12) + timedelta(days=self.random.randint(-1, 1))
        return last + timedelta(days=self.pick(GAPS))

    def rules(self):
        rules = dict(RULES, derogation=self.pick(("auto", "auto", "ask", "never")))
        for name in ("open_on_recurrence", "open_on_cutoff"):
            rules[name] = self.chance(15)
        if self.chance(25):
            rules.update(carried_over=self.pick((0, 10, 365)), carry_over_weeks=self.pick((0, 1, 10)),
                closing=self.pick((0, 7)), closing_within=self.pick((0, 1, 200)),
                reopening_months=self.pick((1, 3, 24)))
        return rules

    def pairs(self, sectors):
        return [self.pair(number, sectors) for number in range(1, self.random.randint(1, 3) + 1)]

    def pair(self, number, sectors):
        halves = sorted(self.random.sample(WORKING_HALVES, self.random.randint(1, 10)),
            key=WORKING_HALVES.index)
        served = [] if self.chance(40) else sorted(self.random.sample(sorted(sectors),
            self.random.randint(1, len(sectors))))
        return {"id": f"pair-{number}", "sectors": served, "half_days": halves,
            "visits_a_week": self.random.randint(0, min(3, len(halves))),
            "closed_sectors": self.chance(70)}

    def outreach(self):
        resume = self.random.randint(1, 3)
        return {"suspend_above": resume + self.random.randint(0, 3), "resume_below": resume}


# as a file

def write_policy(policy, folder):
    """Gives the path of policy.conf."""
    with open(Path(folder) / "communes.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["insee", "name", "sector", "canton", "lat", "lon"])
        for commune, sector in policy["communes"].items():
            place = [f"{part / 10 ** 6:.6f}" for part in policy["places"][commune]]
            rows.writerow([commune, "Commune " + commune, sector, policy["cantons"][commune], *place])
    path = Path(folder) / "policy.conf"
    path.write_text(policy_text(policy), encoding="utf-8")
    return path


def policy_text(policy):
    person = 'name = "Personne"; email = "personne@exemple.test";'
    return "\n".join([
        f'department = "{policy["department"]}";', 'name = "Essai";',
        f"coordinator = {{ {person} }};",
        "sectors = " + listed(sector_text(*item) for item in policy["openings"].items()),
        'communes = { file = "communes.csv"; canton = "canton"; lat = "lat"; lon = "lon"; };',
        "pairs = " + listed(f"{{ {person} {fields_text(pair)} }}" for pair in policy["pairs"]),
        *(f"{name} = {{ {fields_text(policy[name])} }};"
            for name in ("rules", "planning", "outreach")),
        "givers = { nudge_quiet = true; };" if policy["givers"]["nudge_quiet"] else "", ""])


def sector_text(name, openings):
    dated = ", ".join(f'{{ from = "{first}"; to = "{last}"; }}' for first, last in openings)
    return f'{{ id = "{name}"; name = "Unité {name}"; openings = ( {dated} ); }}'


def listed(items):
    return "( " + ",\n  ".join(items) + " );"


def fields_text(record):
    return " ".join(f"{name} = {value_text(value)};" for name, value in record.items()
        if value != [])


def value_text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[ " + ", ".join(f'"{v}"' for v in value) + " ]"
    return f'"{value}"' if isinstance(value, str) else str(value)


# what a history draws its days from

def edges(policy, first, last):
    """Days on which the year of some sector turns, each with its neighbours."""
    result = set()
    for openings in policy["sectors"].values():
        for start, end in openings:
            turns = [start - timedelta(days=28), start, start + timedelta(days=42),
                end - timedelta(days=70), end - timedelta(days=42), end,
                end + timedelta(weeks=policy["rules"]["carry_over_weeks"])]
            result.update(day + timedelta(days=n) for day in turns for n in (-1, 0, 1, 2))
    return sorted(day for day in result if first <= day <= last)
