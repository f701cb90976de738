"""Random histories of a few households, mostly on the edges of the rules.

    generate.py SEED > events.ndjson

A history is drawn from one seed and one profile. By the Jura's policy, within a year: `facts` (what
senders tell), `life` (and what the coordinator does), `undo` (and retractions and merges), `moved` (and
corrections under other households' numbers), `crowded` (many households in many villages within two
months: full weeks for the pair). Through three years and more: `years` by the Jura's policy, `seasons` by
a random one, `undone` the same with retractions and merges. `lived`: many households and a coordinator
who confirms what is planned and records what took place, with many no-shows. Days are mostly drawn from
bounds: some day of the history, or a turn of some sector's year, plus or minus a rule's number, give or
take one."""

import json
import random
import sys
from datetime import date, timedelta

from . import calendar_fr as calendar
from .calendar_fr import add_months
from .model import Model
from .policy import jura, merged
from .random_policy import CANTONS, edges, random_policy

PROFILES = ("facts", "life", "undo", "moved", "crowded", "years", "seasons", "undone", "lived")
LONG = ("years", "seasons", "undone", "lived")
SOURCES = ("fsl-39", "caf-39")
SUPPLIERS = ("A", "B")
ENERGIES = ("electricity", "electricity", "electricity", "gas", "heat", "water", "wood")
COMMUNES = ("39198", "39198", "39097", "39300", "39478", "39001")
VILLAGES = ("39198", "39526", "39001", "39101", "39211", "39415", "39013", "39434", "39097", "39500",
    "39154", "39313", "39391", "39258", "39300", "39478")
UNKNOWN = ("39999", "39999", "25056", "2A004")
GIVERS = ("G1", "G2", "G3", "P1", "P2")
MANY_GIVERS = ("G1", "G2", "G3", "G4", "G5", "P1", "P2", "H1", "H2", "H3")
JURA_CANTONS = ("3901", "3902", "3903", "3907", "3909", "3915")
FIRST = date(2015, 1, 5)
LAST = date(2015, 10, 10)   # the closing bonus begins 70 days before 31 December
LAST_LONG = date(2018, 2, 10)
LASTS = {"crowded": date(2015, 3, 6), "lived": date(2016, 3, 31)}
HOUSEHOLDS = {"crowded": (12, 24), "lived": (15, 40)}
BOUNDS = (0, 1, 15, 20, 30, 31, 35, 50, 60, 80, 90, 180)


class History:
    def __init__(self, seed, profile):
        self.random = random.Random(f"{profile}-{seed}")
        self.profile = profile
        self.long = profile in LONG
        self.policy = random_policy(f"{profile}-{seed}") if self.long and profile != "years" else None
        if profile == "undone": # which number a case has whose opening is undone is nobody's business
            self.policy["rules"].update(open_on_recurrence=False, open_on_cutoff=False)
        self.first, self.last = FIRST, LASTS.get(profile, LAST_LONG if self.long else LAST)
        self.givers = MANY_GIVERS if self.long else GIVERS
        self.communes = VILLAGES if profile == "crowded" else COMMUNES
        if self.policy:
            self.communes = sorted(self.policy["communes"])
        self.cantons = JURA_CANTONS if self.policy is None else CANTONS
        self.events = []
        self.days = [FIRST]
        self.turns = edges(self.policy or jura({}, {}), self.first, self.last) if self.long else []
        count = self.random.randint(*HOUSEHOLDS.get(profile, (2, 6)))
        self.households = [f"h{n}" for n in range(1, count + 1)]
        self.forms, self.requests, self.told = [], [], []

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, items):
        return self.random.choice(list(items))

    def some(self, items, most=2):
        return sorted(self.random.sample(list(items), self.random.randint(0, most)))

    def day(self, first=None, last=None):
        """A day between two, near something else that happens more often than not."""
        first, last = first or self.first, last or self.last
        if self.turns and self.chance(40):
            day = self.pick(self.turns)
        elif self.chance(70):
            day = self.pick(self.days) + timedelta(days=self.pick((-1, 1)) * self.pick(BOUNDS)
                + self.random.randint(-1, 1))
            if self.chance(15):
                day = add_months(day, self.pick((-24, -12, -2, 2, 12)))
        else:
            day = first + timedelta(days=self.random.randint(0, (last - first).days))
        day = min(max(day, first), last)
        self.days.append(day)
        return day

    def moment(self, day):
        hour = self.pick((0, 5, 6, 9, 12, 12, 12, 18, 23))
        moment = calendar.paris_moment(day, hour) + timedelta(minutes=self.random.randint(1, 59))
        return moment

    def add(self, kind, day, data, subject=None, source=None, moment=None, subjectsource=None):
        event = {"specversion": "1.0", "id": f"e{len(self.events) + 1}",
            "source": source or SOURCES[0], "type": "fr.vigie." + kind,
            "time": calendar.format_time(moment or self.moment(day)), "data": data}
        if subject is not None:
            event["subject"] = subject
            if event["source"] != SOURCES[0]:
                event["subjectsource"] = subjectsource or SOURCES[0]
        self.events.append(event)
        return event

    def fact_day(self, day):
        """When a fact happened that is told on `day`: mostly then, sometimes long before."""
        roll = self.random.randrange(100)
        if roll < 65:
            return day
        if roll < 72:
            return day + timedelta(days=1)
        return day - timedelta(days=self.pick(BOUNDS) + self.random.randint(-1, 1) + 1)

    # what senders tell

    def referral(self, day, household):
        form = f"F{len(self.forms)}"
        if self.forms and self.chance(10):
            form = self.pick(self.forms)[0]
        self.forms.append((form, household))
        data = {"form": form, "giver": self.pick(self.givers), "reasons": ["cold"],
            "consent_on": day.isoformat(), "insee": self.commune(),
            "person": {"name": f"Personne numéro{len(self.events)}"}}
        if self.chance(40):
            data["vulnerable"] = self.some(("infant", "elderly", "ill"))
        subject = household
        if self.chance(5) and self.forms.count(form) == 1:
            subject = None
        if self.profile != "moved":
            subject = self.owner(form, subject)
        self.add("referral.received", day, data, subject)

    def owner(self, form, subject):
        """A correction stays with the household of its form, in all but the profile `moved`."""
        return next(h for f, h in self.forms if f == form) if subject else None

    def commune(self):
        if self.chance(12 if self.long and self.policy else 4):
            return self.pick(UNKNOWN)
        return self.pick(self.communes)

    def request(self, day, household):
        number = f"R{len(self.requests)}"
        if self.requests and self.chance(10):
            number, household = self.pick(self.requests)
        self.requests.append((number, household))
        data = {"request": number, "energies": sorted({self.pick(ENERGIES), self.pick(ENERGIES)}),
            "filed_on": self.fact_day(day).isoformat()}
        if self.chance(20):
            data["insee"] = self.commune()
        self.add("fsl.request_filed", day, data, household)
        if self.chance(60):
            self.decision(min(day + timedelta(days=self.pick(BOUNDS)), self.last), number, household)

    def decision(self, day, number, household):
        self.days.append(day)
        outcome = self.pick(("granted", "granted", "partial", "refused", "postponed"))
        self.add("fsl.decided", day, {"request": number, "outcome": outcome,
            "decided_on": self.fact_day(day).isoformat()}, household)

    def notice(self, day, household):
        data = {"supplier": self.pick(SUPPLIERS), "energy": self.pick(ENERGIES),
            "step": self.pick((1, 1, 2)), "issued_on": self.fact_day(day).isoformat()}
        if self.chance(30):
            data["notice_days"] = self.pick((0, 19, 20, 21, 30, 60, 90))
        if self.chance(60):
            data["smart_meter"] = self.chance(70)
        if self.chance(10):
            data["insee"] = self.commune()
        self.add("supplier.notice", day, data, household)

    def supply(self, day, household):
        kind = self.pick(("limited", "cut", "restored"))
        data = {"supplier": self.pick(SUPPLIERS), "energy": self.pick(ENERGIES),
            "on": self.fact_day(day).isoformat()}
        if kind == "limited":
            data["power_va"] = 1000
        self.add("supplier." + kind, day, data, household)

    def protection(self, day, household):
        start = self.day(date(2014, 6, 1))
        end = start + timedelta(days=self.pick((0, 1, 30, 180, 365)))
        self.add("household.protection", day, {"energy_voucher": self.chance(85),
            "valid_from": start.isoformat(), "valid_to": end.isoformat()}, household)

    def move(self, day, household):
        self.add("household.moved", day, {"insee": self.commune(),
            "on": self.fact_day(day).isoformat()}, household)

    def giver(self, day, _):
        giver = self.pick(self.givers)
        if self.long and self.chance(40):
            self.move_giver(giver, day)
        elif self.chance(50):
            data = {"giver": giver, "until": (day + timedelta(days=self.random.randint(-1, 3))).isoformat()}
            if self.chance(60):
                data["successor"] = self.pick(self.givers)
            self.add("giver.left", day, data)
        else:
            self.register(giver, day)

    def register(self, giver, day, moment=None):
        data = {"giver": giver, "kind": "partner_structure", "structure": "Structure",
            "name": "Nom", "email": giver.lower() + "@exemple.test"}
        if self.long:
            data.update(self.places(), kind=self.kind(giver))
            if data["kind"] == "household" and self.chance(30):
                del data["email"]
        self.add("giver.registered", day, data, moment=moment)

    def kind(self, giver):
        return "household" if giver.startswith("H") else "department_social_worker"

    def places(self):
        """Nowhere, which is everywhere; or a few cantons or communes."""
        result = {}
        if self.chance(40):
            result["cantons"] = self.some(self.cantons)
        if self.chance(30):
            result["insee"] = self.some(sorted(set(self.communes)))
        return result

    def move_giver(self, giver, day):
        data = {"giver": giver, **self.places()}
        if self.chance(20):
            data["service"] = "Accueil"
        self.add("giver.moved", day, data)

    # what the coordinator does

    def visit(self, day, _):
        number = self.random.randint(1, 12)
        kind = self.pick(("confirmed", "confirmed", "confirmed", "moved", "cancelled", "recorded",
            "recorded"))
        data = {"visit": number}
        if kind == "recorded":
            data["result"] = self.pick(("done", "done", "no_show", "declined", "moved_away", "unsafe"))
            data["second_visit"] = data["result"] == "done" and self.chance(30)
        else:
            data["by"] = "coordinator"
        if kind == "moved" or kind == "confirmed" and self.chance(60):
            data["day"] = (day + timedelta(days=self.random.randint(1, 20))).isoformat()
            data["half"] = self.pick(("am", "pm"))
        self.add("visit." + kind, day, data)

    def close(self, day, household):
        reason = self.pick(("done", "ineligible", "unreachable", "withdrawn", "moved_away"))
        self.add("case.closed", day, {"reason": reason}, household)

    def withdraw(self, day, household):
        self.add("referral.withdrawn", day, {"by": self.pick(("household", "giver")),
            "reason": "solved"}, household)

    def derogate(self, day, household):
        until = day + timedelta(days=self.pick((0, 1, 7, 30, 400) if self.long else (0, 1, 7, 30)))
        self.add("derogation.decided", day, {"allow": self.chance(60), "until": until.isoformat()},
            household)

    def absence(self, day, _):
        start = day + timedelta(days=self.random.randint(0, 5))
        end = start + timedelta(days=self.random.randint(0, 10))
        self.add("pair.unavailable", day, {"pair": self.pick(self.pairs()), "from": start.isoformat(),
            "to": end.isoformat()})

    def pairs(self):
        return ["binome-1"] if self.policy is None else [p["id"] for p in self.policy["pairs"]]

    # what is taken back

    def retract(self, day, _):
        before = calendar.format_time(calendar.paris_moment(day))
        earlier = [e for e in self.events if e["time"] < before and "retracted" not in e["type"]]
        if earlier:
            target = self.pick(earlier)
            self.add("event.retracted", day, {"source": target["source"], "id": target["id"],
                "reason": "erreur"})

    def same(self, day, household):
        other = self.pick(self.households)
        if other != household:
            kind = self.pick(("same_as", "same_as", "not_same"))
            self.add("household." + kind, day, {"other": {"source": SOURCES[0], "subject": other}},
                household)

    def draw(self):
        self.register_first()
        bag = [kind for kind, weight in self.kinds() for _ in range(weight)]
        for household in self.households:
            if self.chance(80):
                self.referral(self.day(), household)
            if self.chance(40):
                self.past(household)
        for _ in range(self.random.randint(5, 40)):
            self.pick(bag)(self.day(), self.pick(self.households))
        until = self.pick(self.turns or self.days) + timedelta(days=self.pick(BOUNDS))
        until = min(max(until, self.first), self.last)
        return sorted(self.events, key=lambda e: calendar.parse_time(e["time"])), until

    def register_first(self):
        for giver in self.givers:
            if giver.startswith("G") or giver.startswith("H") and self.chance(70):
                self.register(giver, self.first, calendar.paris_moment(self.first))

    def kinds(self):
        """What happens, and how often beside the rest."""
        kinds = [(self.referral, 5), (self.request, 5), (self.notice, 5), (self.supply, 4),
            (self.protection, 2), (self.move, 1), (self.giver, 1)]
        if self.profile in ("years", "seasons", "undone"):
            kinds += [(self.referral, 6), (self.move, 2), (self.giver, 3)]
        if self.profile == "lived":
            return kinds + [(self.referral, 20), (self.absence, 1)]
        if self.profile != "facts":
            kinds += [(self.visit, 10), (self.close, 1), (self.withdraw, 1), (self.derogate, 2),
                (self.absence, 1)]
        if self.profile in ("undo", "moved", "undone"):
            kinds += [(self.retract, 4), (self.same, 2)]
        return kinds

    def past(self, household):
        """Requests and notices of the years before, told when they happened."""
        for _ in range(self.random.randint(1, 4)):
            day = self.day(date(2013, 1, 1), self.first)
            self.pick((self.request, self.request, self.notice, self.supply))(day, household)


class Lived(History):
    """The coordinator looks at the plan each morning, as the model makes it."""

    def __init__(self, seed, profile="lived"):
        super().__init__(seed, profile)
        openings = {name: [(date(2014, 11, 3), date(2015, self.pick((6, 9, 10)), 30)),
            (date(2015, 11, 1), date(2016, self.pick((2, 6, 9)), 28))] if self.chance(80) else listed
            for name, listed in self.policy["openings"].items()}
        self.policy["openings"] = openings
        self.policy["sectors"] = {name: merged(listed) for name, listed in openings.items()}
        pair = self.policy["pairs"][0]
        pair["visits_a_week"] = min(self.random.randint(1, 2), len(pair["half_days"]))
        self.no_shows = self.pick((10, 30, 60, 95))

    def draw(self):
        events, _ = super().draw()
        model, lived = Model(self.policy), []
        day = self.first
        while day <= self.last:
            morning = calendar.paris_moment(day, 8)
            while events and calendar.parse_time(events[0]["time"]) < morning:
                lived.append(self.live(model, events.pop(0)))
            if model.now:
                model.pass_time(morning)
                lived += [self.live(model, e) for e in self.coordinate(model.visits, day, morning)]
            day += timedelta(days=1)
        return lived, self.last

    def live(self, model, event):
        model.pass_time(calendar.parse_time(event["time"]))
        model.feed(event)
        return event

    def coordinate(self, visits, day, morning):
        for visit in visits:
            data = {"visit": visit.number, "by": "coordinator"}
            if visit.state == "planned" and visit.day <= day + timedelta(days=4) and self.chance(60):
                yield self.add("visit.confirmed", day, data, moment=morning)
            elif visit.state == "confirmed" and self.chance(4):
                yield self.add("visit.cancelled", day, data, moment=morning)
            elif visit.state == "confirmed" and visit.day < day and self.chance(70):
                yield self.record(visit.number, day, morning)

    def record(self, number, day, morning):
        result = "no_show" if self.chance(self.no_shows) else \
            self.pick(("done", "done", "done", "declined", "moved_away", "unsafe"))
        return self.add("visit.recorded", day, {"visit": number, "result": result,
            "second_visit": result == "done" and self.chance(20)}, moment=morning)


def generate(seed, profile="life"):
    """(events, until, policy), the same for the same seed and profile."""
    history = (Lived if profile == "lived" else History)(seed, profile)
    events, until = history.draw()
    return events, until, history.policy or jura()


def main():
    events, *_ = generate(int(sys.argv[1]), *sys.argv[2:3])
    for event in events:
        print(json.dumps(event, ensure_ascii=False))


if __name__ == "__main__":
    main()
