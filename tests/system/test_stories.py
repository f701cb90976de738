"""What went wrong in the Jura from 2014 to 2017, and what vigie does about it: one story a row of that table,
told in dates with the Jura's policy. Each is lived twice, in vigie-sim and by the real programs in a
rehearsal; both must give the same list, the same mails and the same visits."""
import datetime
import sys

import pytest
from conftest import ROOT, Core, program
from sender import Sender

sys.path.insert(0, str(ROOT / "tests"))

from oracle import cases as short_forms  # noqa: E402
from oracle.run_sim import run_sim  # noqa: E402

JURA = {}  # a policy without openings of its own is the Jura's
DOLE, CHAMPAGNOLE, LONS, SAINT_CLAUDE = "39198", "39097", "39300", "39478"
CASE_FIELDS = ("rank", "case", "state", "sector", "tier", "effective_date", "first_date", "eligible",
               "reasons")
VISIT_FIELDS = ("visit", "case", "pair", "day", "half", "state")


class World:
    """Tells what happens, and remembers it; how it is lived is the subclasses' matter."""

    def __init__(self):
        self.count = 0

    def event(self, when, type_, subject=None, **data):
        self.count += 1
        return short_forms.expand(self.count, [when, type_, subject, data])

    def giver(self, day, name, **data):
        """Before the first morning: the simulation begins with the first event, the rehearsal at 00:00."""
        self.tell(self.event(f"{day}T00:00:30Z", "giver.registered", giver=name, **data))

    def referral(self, when, subject, insee, giver="TS", **data):
        self.tell(self.event(when, "referral.received", subject, insee=insee, giver=giver, **data))

    def on(self, day):
        """What there is at the end of that day: the list, the mails and the visits."""
        self.go(day)
        return self.look(day)

    def confirm_week(self, monday, most=10):
        """The coordinator confirms what is planned for a week, before the plan of its first morning, and after each
        visit records it as done."""
        first = datetime.date.fromisoformat(monday)
        days = [(first + datetime.timedelta(n)).isoformat() for n in range(7)]
        eve = (first - datetime.timedelta(1)).isoformat()
        planned = [visit for visit in self.on(eve)["visits"]
                   if visit["state"] == "planned" and visit["day"] in days]
        planned = sorted(planned, key=lambda visit: (visit["day"], visit["half"]))[:most]
        for visit in planned:
            self.tell(self.event(f"{monday}T00:30:00Z", "visit.confirmed", visit=visit["visit"]))
        for visit in planned:
            self.tell(self.event(f"{visit['day']}T17:00:00Z", "visit.recorded", visit=visit["visit"]))
        return planned


class Simulated(World):
    def __init__(self):
        super().__init__()
        self.events = []

    def tell(self, event):
        self.events.append(event)

    def go(self, day):
        pass

    def look(self, day):
        answer, refused = run_sim(program("vigie-sim"), JURA, self.events, day)
        assert refused == []
        answer["list"] = sorted((case for case in answer["cases"] if case["rank"]),
                                key=lambda case: case["rank"])
        return answer

    def close(self):
        pass


class Lived(World):
    """The same by vigied, vigie-gate, vigie-notify and vigie-schedule, on the rehearsal's calendar."""

    def __init__(self, folder, begins):
        super().__init__()
        self.core = Core(folder, rehearse=begins, workers=("vigie-notify", "vigie-schedule"))

    def tell(self, event):
        self.core.control("clock.advance", {"to": event["time"]})
        with Sender(self.core.intake) as sender:
            answer = sender.publish([event])[0]
        assert "seq" in answer, answer
        self.core.control("clock.advance", {"to": event["time"]})  # until its tasks are done

    def go(self, day):
        self.core.control("clock.advance", {"to": day})

    def look(self, day):
        tasks = self.core.status("task.list", {"kind": "mail", "limit": 10000})["tasks"][::-1]
        mails = [{"at": task["due"], "template": task["template"], "to": task["to"], "case": task["case"]}
                 for task in tasks if task["state"] == "done"]
        return {"list": self.core.status("queue.list", {"limit": 10000})["cases"], "mails": mails,
                "report": self.core.control("report", {"full": True})["rows"],
                "visits": self.core.status("visit.list", {"limit": 10000})["visits"]}

    def close(self):
        self.core.close()


lived = {}  # by story: what the simulation gave


@pytest.fixture(params=["simulated", "lived"])
def begin(request, folder):
    """Begins a story on a day; when it is over, both ways of living it are compared."""
    worlds = []

    def start(day):
        worlds.append(Simulated() if request.param == "simulated" else Lived(folder, day))
        return worlds[0]

    yield start
    for world in worlds:
        world.close()


def compare(request, answer):
    """The second telling of a story must end like the first."""
    name = request.node.originalname
    told = {
        "list": [{field: case[field] for field in CASE_FIELDS} for case in answer["list"]],
        "mails": sorted((mail["at"], mail["template"], mail["to"], mail["case"] or 0)
                        for mail in answer["mails"]),
        "visits": [{field: visit[field] for field in VISIT_FIELDS} for visit in answer["visits"]],
    }
    other = lived.setdefault(name, told)
    for part, value in told.items():
        assert value == other[part], part


def mails(answer, template):
    return [(mail["at"][:10], mail["to"], mail["case"]) for mail in answer["mails"]
            if mail["template"] == template]


def place(answer, case):
    return next(row for row in answer["list"] if row["case"] == case)


# "the network was suspended to avoid too long a waiting list": the forecast says when, and when not any more
def test_the_network_is_suspended_and_resumed_by_rule(begin, request):
    world = begin("2015-03-01")
    world.giver("2015-03-01", "TS", cantons=["3910"])
    world.giver("2015-03-01", "LOIN", cantons=["3914"])
    for n in range(49):
        world.referral("2015-03-02", f"H{n}", DOLE)

    answer = world.on("2015-03-03")
    assert mails(answer, "outreach_suspended") == [("2015-03-03", "TS", None)]
    assert len(mails(answer, "ack")) == 10, "the rest is one mail the next morning"
    assert mails(answer, "digest") == [("2015-03-03", "TS", None)]

    for n in range(21):
        world.tell(world.event("2015-03-04", "referral.withdrawn", f"H{n}"))
    answer = world.on("2015-03-05")
    assert mails(answer, "outreach_resumed") == [("2015-03-05", "TS", None)]
    assert len(mails(answer, "outreach_suspended")) == 1
    compare(request, answer)


# "37 requests at once from workshops; 27 put off to next year, those of units not covered next year served
# first; 14 visits came of them"
def test_a_burst_is_put_off_and_served_in_order(begin, request):
    world = begin("2014-12-01")
    world.giver("2014-12-01", "ATELIER", kind="workshop")
    for n in range(37):
        world.referral("2014-12-01T10:00:00Z", f"H{n}", DOLE if n % 2 else LONS, giver="ATELIER",
                       workshop="Atelier énergie")
    for monday, most in (("2014-12-08", 4), ("2014-12-15", 4), ("2014-12-22", 2)):
        world.confirm_week(monday, most)

    answer = world.on("2014-12-31")
    held = [visit for visit in answer["visits"] if visit["state"] == "done"]
    left = [case for case in answer["list"] if case["state"] != "visited"]
    assert (len(held), len(left)) == (10, 27)
    assert all(case["reasons"] == [{"code": "closing", "days": 90}] for case in left
               if case["sector"] == "lons-le-saunier")

    answer = world.on("2015-01-01")
    left = [case for case in answer["list"] if case["state"] != "visited"]
    away = [case for case in left if case["sector"] == "lons-le-saunier"]
    assert left[:len(away)] == away, "units that are not covered next year come first"
    assert all(case["tier"] == "urgent" and case["eligible"] and
               case["reasons"] == [{"code": "carried_over", "days": 120}] for case in away)
    assert all(case["tier"] == "normal" and case["reasons"] == [] for case in left[len(away):])

    for monday in ("2015-01-05", "2015-01-12", "2015-01-19", "2015-01-26"):
        world.confirm_week(monday)
    answer = world.on("2015-01-31")
    later = [visit for visit in answer["visits"] if visit["state"] == "done" and visit["day"] > "2015"]
    assert len(later) >= 14
    assert len(away) == 9, "the closing to come had brought the others of that unit forward"
    assert {visit["case"] for visit in later[:4]} < {case["case"] for case in away}
    assert {case["case"] for case in away} < {visit["case"] for visit in later}
    compare(request, answer)


# "half of the department each year; in 2016 priority cases allowed in closed units"
def test_closed_units_wait_and_priority_cases_do_not(begin, request):
    world = begin("2016-02-01")
    world.giver("2016-02-01", "TS", cantons=["3910"])
    world.referral("2016-02-02", "H1", DOLE)
    world.referral("2016-02-02", "H2", DOLE)
    world.referral("2016-02-02", "H3", DOLE)
    answer = world.on("2016-02-02")
    assert [case["state"] for case in answer["list"]] == ["deferred"] * 3
    assert len(mails(answer, "deferred")) == 3 and mails(answer, "ack") == []

    world.tell(world.event("2016-02-03", "supplier.cut", "H2"))
    answer = world.on("2016-02-03")
    assert place(answer, 2)["rank"] == 1 and place(answer, 2)["state"] == "planned"
    assert mails(answer, "coordinator")[-1] == ("2016-02-03", "coordinator", 2)

    world.tell(world.event("2016-02-04", "derogation.decided", "H3", allow=True, until="2016-03-31"))
    world.tell(world.event("2016-02-04", "derogation.decided", "H2", allow=False, until="2016-02-10"))
    answer = world.on("2016-02-10")
    assert place(answer, 3)["eligible"] and not place(answer, 2)["eligible"]
    answer = world.on("2016-02-11")
    assert place(answer, 2)["eligible"], "the word has ended, the tier speaks again"
    answer = world.on("2016-04-01")
    assert place(answer, 3)["state"] == "deferred"
    answer = world.on("2017-01-02")
    assert place(answer, 1)["state"] == "waiting" or place(answer, 1)["state"] == "planned"
    compare(request, answer)


# "givers no longer knew when they could refer": openings and closings are announced, each to those concerned
def test_givers_hear_when_they_may_refer(begin, request):
    world = begin("2015-09-01")
    world.giver("2015-09-01", "DOLE", cantons=["3910"])
    world.giver("2015-09-01", "LONS", insee=[LONS])
    world.giver("2015-09-01", "PARTOUT")
    world.referral("2015-09-15", "H1", LONS, giver="DOLE")
    answer = world.on("2015-09-15")
    assert mails(answer, "deferred") == [("2015-09-15", "DOLE", 1)]

    answer = world.on("2016-01-02")
    eve = {template: mails(answer, template) for template in
           ("sector_closing", "sector_announced", "sector_opened", "sector_closed")}
    assert [to for _, to, _ in eve["sector_closing"]] == ["DOLE", "PARTOUT"]
    assert {day for day, _, _ in eve["sector_closing"]} == {"2015-11-18"}  # 00:00 in Paris
    assert [to for _, to, _ in eve["sector_announced"]] == ["DOLE", "LONS", "PARTOUT"]
    assert {day for day, _, _ in eve["sector_announced"]} == {"2015-12-03"}
    assert [to for _, to, _ in eve["sector_opened"]] == ["DOLE", "LONS", "PARTOUT"]
    assert {day for day, _, _ in eve["sector_opened"]} == {"2015-12-31"}
    assert [to for _, to, _ in eve["sector_closed"]] == ["DOLE", "PARTOUT"]
    assert place(answer, 1)["state"] in ("waiting", "planned"), "back in line as its sector opens"
    compare(request, answer)


# "a social worker leaves a canton and referrals stop": a successor reads on
def test_whoever_leaves_has_a_successor(begin, request):
    world = begin("2015-03-01")
    world.giver("2015-03-01", "TS", cantons=["3910"], structure="Département")
    world.giver("2015-03-01", "VOISIN", cantons=["3910"], structure="Département")
    world.giver("2015-03-01", "NEUF", cantons=["3910"], structure="Ailleurs")
    world.referral("2015-03-02", "H1", DOLE)
    world.tell(world.event("2015-03-03", "giver.left", giver="TS", until="2015-03-10"))
    world.tell(world.event("2015-03-11", "referral.withdrawn", "H1"))
    answer = world.on("2015-03-11")
    assert mails(answer, "outcome") == [("2015-03-11", "VOISIN", 1)], "a colleague of the same canton"

    world.tell(world.event("2015-03-12", "giver.left", giver="TS", until="2015-03-10", successor="NEUF"))
    world.referral("2015-03-12T14:00:00Z", "H2", DOLE)
    answer = world.on("2015-03-12")
    assert mails(answer, "ack")[-1] == ("2015-03-12", "NEUF", 2)
    compare(request, answer)


# "givers refer more when they get good feedback": an answer, the date, what came of it; and silence is noticed
def test_every_referral_gets_an_answer_and_an_outcome(begin, request):
    world = begin("2015-03-01")
    world.giver("2015-03-01", "TS", cantons=["3910"])
    world.referral("2015-03-02", "H1", DOLE)
    world.tell(world.event("2015-03-03", "visit.confirmed", visit=1, day="2015-03-10", half="am"))
    world.tell(world.event("2015-03-10T17:00:00Z", "visit.recorded", visit=1))
    answer = world.on("2015-04-30")

    assert [(mail["template"], mail["case"]) for mail in answer["mails"] if mail["to"] == "TS"] == [
        ("ack", 1), ("visit_confirmed", 1), ("outcome", 1)]
    assert answer["list"] == [], "closed thirty days after the visit, without another mail"
    compare(request, answer)




# "80 % of referrals from department social workers in 2014, 60/20/20 in 2015": the report says it by year
def test_the_report_tells_who_refers(begin, request):
    kinds = ("department_social_worker", "partner_social_worker", "partner_structure")
    world = begin("2014-01-02")
    for kind in kinds:
        world.giver("2014-01-02", kind, kind=kind)
    for year, shares in ((2014, (8, 1, 1)), (2015, (6, 2, 2))):
        givers = [kind for kind, count in zip(kinds, shares) for _ in range(count)]
        for n, giver in enumerate(givers):
            world.referral(f"{year}-03-{n + 2:02}", f"H-{year}-{n}", DOLE, giver=giver)

    answer = world.on("2015-12-31")

    told = {(row["year"], row["kind"]): row["share_percent"] for row in answer["report"]
            if row["sector"] == "dole"}
    assert [told[2014, kind] for kind in kinds] == [80.0, 10.0, 10.0]
    assert [told[2015, kind] for kind in kinds] == [60.0, 20.0, 20.0]
    compare(request, answer)


def other_mails(core):
    """All but those of the forecast, which speaks of the list as it is, whatever brought it."""
    tasks = core.status("task.list", {"kind": "mail", "limit": 10000})["tasks"]
    return [(mail["template"], mail["to"]) for mail in tasks if mail["template"] != "outreach_suspended"]


# years of history fed at once: nobody is written to, nothing is alarming, and the coordinator gets one summary
def test_a_first_import_is_silent(start):
    core = start(rehearse="2016-06-01", workers=("vigie-notify", "vigie-schedule"))
    data = ROOT / "config" / "jura" / "data"
    files = [data / f"{name}-2015.csv" for name in ("givers", "fsl-export", "supplier-notices", "referrals")]
    maps = [argument for name in ("givers", "fsl", "suppliers", "referrals")
            for argument in ("--map", str(ROOT / "config" / "jura" / f"{name}.map"))]

    done = core.run("vigie-feed", "--rejects", str(core.folder), *maps, *map(str, files))
    assert done.returncode == 1, done.stderr  # the rows that are wrong are refused
    core.control("clock.advance", {"to": "2016-06-03"})

    assert other_mails(core) == [("coordinator", "coordinator")]
    codes = {alarm["code"] for alarm in core.status("status")["alarms"]}
    assert codes <= {"empty_canton", "quiet_giver", "cut"}, codes
    with Sender(core.intake) as sender:
        answer = sender.publish([short_forms.expand(
            1, ["2016-06-03T10:00:00Z", "referral.received", "N1", {"giver": "TS001", "insee": LONS}])])[0]
    assert "seq" in answer, answer
    core.control("clock.advance", {"to": "2016-06-04"})
    assert other_mails(core) == [("ack", "TS001"), ("coordinator", "coordinator")]
