"""A plain model of what `vigie-sim replay` must print, written from the specification alone.

Slow and simple: after every event everything that follows from the facts is worked out anew.
Only what was done in the world is remembered: case numbers, visits, mails.

Out of the model: joining by fingerprints (only known numbers count). What concerns the network and
no single case is in network.py."""

from collections import Counter
from datetime import date, datetime, timedelta

from . import calendar_fr as calendar
from .calendar_fr import UTC, add_months, paris_day, paris_moment
from .cutoff import ENERGIES, earliest_cut
from .facts import VISIT_TYPES, Facts, is_elsewhere
from .neighbours import Place, Stop, share_days
from .network import Network
from .policy import reopens

PREFIX = "fr.vigie."
TIERS = ("cut", "critical", "urgent", "normal")
CODES = ("cut", "limited", "cutoff_critical", "cutoff_urgent", "fsl_repeat", "fsl_urgent", "infant",
    "elderly", "ill", "carried_over", "closing", "no_show")
TIER_OF = {"cut": "cut", "limited": "critical", "cutoff_critical": "critical",
    "cutoff_urgent": "urgent", "fsl_urgent": "urgent"}
VULNERABLE = ("infant", "elderly", "ill")
HELD = ("confirmed", "done", "no_show", "declined", "moved_away", "unsafe")
ACTIVE = ("planned", "confirmed")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
MAIL_HELD = timedelta(days=30)
MAILS_A_DAY = 10
COORDINATOR = "coordinator"

PAST = {"referral.received": ("consent_on",), "supplier.notice": ("issued_on",),
    "supplier.limited": ("on",), "supplier.cut": ("on",), "supplier.restored": ("on",),
    "fsl.request_filed": ("filed_on",), "fsl.decided": ("decided_on",),
    "household.moved": ("on",), "giver.registered": ("since",)}

# Readings that the specification leaves open (see READINGS.md); here so that they can be tried.
OPTIONS = {
    "cut_beyond_week": True,       # tiers cut and critical may exceed the pair's visits a week
    "whole_weeks_end": "sunday",   # sunday: of the last calendar week; rolling: 7·weeks days
    "refused_ends_carry_over": True,  # does `allow: false` defer a carried-over case?
    "forecast_counts": "waiting",  # waiting: waiting and planned cases; eligible: all that are
    "suspension_ends_at_closing": True,
    "quiet_while_open": True,      # is nobody nudged for a sector that has closed again?
}


class Refused(Exception):
    def __init__(self, code, path, text=""):
        super().__init__(f"{code} {path} {text}")
        self.code, self.path = code, path


class Visit:
    """One visit: what was done to it, in order; its day, half and state follow."""

    def __init__(self, number, case, pair):
        self.number, self.case, self.pair = number, case, pair
        self.void = set()
        self.log = [] # (event number or None, state or None, day or None, half or None)
        self.day = self.half = None
        self.state = "planned"
        self.cancelled_by = None # number of the event by which it was, but for the coordinator's own

    def cancel(self, n):
        self.add(None, "cancelled")
        self.cancelled_by = n

    def bring_back(self):
        self.log.remove((None, "cancelled", None, None, None))
        self.cancelled_by = None
        self.derive()

    def where(self):
        return self.pair, self.day, self.half

    def add(self, n, state=None, day=None, half=None, pair=None):
        self.log.append((n, state, day, half, pair))
        self.derive()

    def derive(self):
        self.state = "planned"
        self.fixed = False # the coordinator chose its day
        for n, state, day, half, pair in self.log:
            if n in self.void:
                continue
            self.state = state or self.state
            self.fixed = self.fixed or bool(n and day)
            self.day = day or self.day
            self.half = half or self.half
            self.pair = pair or self.pair


class Model:
    def __init__(self, policy, **options):
        self.policy = policy
        self.rules = policy["rules"]
        self.options = {**OPTIONS, **options}
        self.log = []           # accepted events, in order
        self.seen = {}          # (source, id) → event as it was fed
        self.refused = []       # (event, Refused)
        self.erased = set()
        self.visits = []
        self.mails = []
        self.held = []          # (moment, giver, recipient then, template, case, n)
        self.mailed = set()     # (n, template, recipient)
        self.sent = Counter()   # (recipient, day) → mails
        self.late = {}          # recipient → what it gets tomorrow
        self.numbers = {}       # opening event → case number
        self.members = {}       # case number → numbers of the events that opened or joined it
        self.leads = {}         # case number → the one that it became part of
        self.case_owner = {}    # case number → number of its household
        self.case_count = 0
        self.now = None
        self.network = Network(self)
        self.facts = Facts([], policy)
        self.cases = []
        self.counter = 0
        self._cutoffs = {}

    # time

    @property
    def now(self):
        return self._now

    @now.setter
    def now(self, moment):
        self._now = moment
        self.today = moment and paris_day(moment)

    def run(self, events, until):
        """Feeds CloudEvents (dicts) in the order of their times and stops at the end of a day."""
        ordered = sorted(events, key=lambda e: calendar.parse_time(e["time"]))
        end = paris_moment(until + timedelta(days=1))
        for event in ordered:
            moment = calendar.parse_time(event["time"])
            if moment >= end:
                break
            self.pass_time(moment)
            self.feed(event)
        self.pass_time(end - timedelta(milliseconds=1))
        return self.answer(until)

    def pass_time(self, moment):
        """Fires the timers up to and with `moment`: 00:00, 06:00 and 07:00 of each day, in order."""
        if self.now is None:
            self.now = moment # the policy is applied, and no giver is known yet
            self.network.tell_sectors(0, set())
            return
        day = self.today
        while day <= paris_day(moment):
            for hour, timer in ((0, self.at_midnight), (6, self.at_six), (7, self.at_seven)):
                due = paris_moment(day, hour)
                if self.now < due <= moment:
                    timer(due)
            day += timedelta(days=1)
        self.now = moment

    def at_midnight(self, due):
        deferred = {c.number for c in self.cases if self.state_of(c) == "deferred"}
        self.now = due
        self.counter += 1
        self.drop_past()
        self.derive()
        self.settle(self.counter, by_household=True)
        self.release()
        self.network.tell_sectors(self.counter, deferred)

    def at_seven(self, due):
        self.now = due
        self.counter += 1
        self.send_late()
        if self.today.weekday() == 0:
            self.send_agendas()

    def at_six(self, due):
        self.now = due
        self.counter += 1
        self.network.forecast(self.counter)
        if calendar.is_working_day(self.today, self.policy["planning"]["alsace_moselle"]):
            self.plan()

    # an event

    def feed(self, raw):
        try:
            event = self.check(raw)
        except Refused as refusal:
            self.refused.append((raw, refusal))
            return
        if event is None:
            return
        before = self.ahead(event)
        visits = {v.number: (v.state, v.day, v.half) for v in self.visits}
        cut = self.cut_cases()
        self.log.append(event)
        self.seen[(raw["source"], raw["id"])] = raw
        self.facts = Facts(self.log, self.policy)
        self._cutoffs = {}
        self.act(event)
        self.derive()
        self.write_mails(event, before)
        self.settle(event["n"])
        self.revive(event, visits)
        for number in sorted(self.cut_cases() - cut):
            self.mail(event["n"], COORDINATOR, COORDINATOR, number, self.now)
        if self.cut_cases() - cut:
            self.plan()

    def check(self, raw):
        earlier = self.seen.get((raw["source"], raw["id"]))
        if earlier is not None:
            if same_content(earlier, raw):
                return None
            raise Refused("conflict", "id")
        kind = raw["type"].removeprefix(PREFIX)
        data = raw.get("data") or {}
        moment = calendar.parse_time(raw["time"])
        for field in PAST.get(kind, ()):
            if data.get(field) and date.fromisoformat(data[field]) > paris_day(moment) + timedelta(days=1):
                raise Refused("invalid_event", "data." + field)
        event = {"type": kind, "source": raw["source"], "id": raw["id"], "moment": moment,
            "data": data, "node": None}
        self.counter += 1
        event["n"] = self.counter
        event["node"] = self.node_of(raw, event)
        if "other" in data:
            event["other"] = self.node(data["other"]["source"], data["other"]["subject"])
        getattr(self, "check_" + kind.split(".")[0], lambda e, r: None)(event, raw)
        return event

    def node(self, source, subject):
        if source == "urn:vigie":
            number = int(subject) if subject.isdigit() else 0
            slot = self.live_slot(number)
            if slot is None:
                raise Refused("not_found", "subject")
            return slot.node
        return ("number", source, subject)

    def node_of(self, raw, event):
        if raw.get("subject") is not None:
            node = self.node(raw.get("subjectsource", raw["source"]), raw["subject"])
            if self.facts.root(node) in {self.facts.root(n) for n in self.erased}:
                raise Refused("erased", "subject")
            return node
        if event["type"] == "referral.received":
            slot = self.same_form(event)
            return slot.node if slot else ("anonymous", event["n"])
        return None

    def same_form(self, event):
        return next((s for s in self.facts.slots if s.type == "referral.received"
            and s.source == event["source"] and s.data["form"] == event["data"]["form"]), None)

    def open_case(self, node):
        root = self.facts.root(node)
        return next((c for c in self.cases if c.household == root and c.open), None)

    def is_known(self, node):
        """A number once told stays known, whatever is retracted."""
        root = self.facts.root(node)
        return any(e["node"] is not None and self.facts.root(e["node"]) == root for e in self.log)

    def check_referral(self, event, raw):
        if event["type"] == "referral.withdrawn":
            return self.check_case(event, raw)
        if not event["data"].get("insee") and not self.is_known(event["node"]):
            raise Refused("invalid_event", "data.insee")

    def check_case(self, event, raw):
        if not self.open_case(event["node"]):
            raise Refused("not_found", "subject")

    def check_derogation(self, event, raw):
        self.check_case(event, raw)
        if self.rules["derogation"] == "never":
            raise Refused("forbidden", "type")

    def check_visit(self, event, raw):
        number = event["data"]["visit"]
        if not 1 <= number <= len(self.visits):
            raise Refused("not_found", "data.visit")
        late = event["type"] == "visit.recorded" and self.visits[number - 1].state == "dropped"
        if self.visits[number - 1].state not in ACTIVE and not late:
            raise Refused("conflict", "data.visit")
        if event["type"] in ("visit.confirmed", "visit.moved"):
            self.check_half_day(event, self.visits[number - 1])

    def check_half_day(self, event, visit):
        told = [event["data"].get(field) is not None for field in ("day", "half")]
        if any(told) and not all(told) or event["type"] == "visit.moved" and not all(told):
            raise Refused("invalid_event", "data.day" if not told[0] else "data.half")
        day = parse_day(event["data"].get("day")) or visit.day
        half = event["data"].get("half") or visit.half
        for other in self.visits:
            if other is not visit and other.state in ACTIVE and \
                    (other.pair, other.day, other.half) == (visit.pair, day, half):
                raise Refused("conflict", "data.day")

    def check_household(self, event, raw):
        if event["type"] in ("household.same_as", "household.not_same"):
            if not self.is_known(event["node"]):
                raise Refused("not_found", "subject")
            if not self.is_known(event["other"]):
                raise Refused("not_found", "data.other")

    def check_pair(self, event, raw):
        if event["data"]["pair"] not in {p["id"] for p in self.policy["pairs"]}:
            raise Refused("not_found", "data.pair")

    def check_event(self, event, raw):
        if (event["data"]["source"], event["data"]["id"]) not in self.seen:
            raise Refused("not_found", "data.id")
        if self.seen[(event["data"]["source"], event["data"]["id"])]["type"] == PREFIX + "event.retracted":
            raise Refused("invalid_event", "data.id")

    # what an event does beyond being a fact

    def act(self, event):
        for visit in self.visits:
            visit.void = self.facts.void
            visit.derive()
        data = event["data"]
        if event["type"] in VISIT_TYPES:
            visit = self.visits[data["visit"] - 1]
            day, half = parse_day(data.get("day")), data.get("half")
            if event["type"] == "visit.confirmed":
                visit.add(event["n"], "confirmed", day, half)
            elif event["type"] == "visit.moved":
                visit.add(event["n"], None, day, half)
            elif event["type"] == "visit.cancelled":
                visit.add(event["n"], "cancelled")
            elif visit.state != "dropped" or self.case_of(visit.case):
                visit.add(event["n"], data["result"])
        elif event["type"] == "privacy.erase":
            self.erased.add(event["node"])
        self.drop_past()

    def drop_past(self):
        """A planned visit that nobody confirmed is dropped when its day has passed."""
        for visit in self.visits:
            if visit.state == "planned" and visit.day < self.today:
                visit.add(None, "dropped")

    # cases

    def live_slot(self, number):
        """What a number stands on: a fact of its case, or, when all were retracted, one of the case that it
        had become part of."""
        slot = next((self.facts.slot_of[n] for n in self.members.get(number, ())
            if n in self.facts.slot_of), None)
        owner = self.case_owner.get(self.leads.get(number))
        if slot is None and owner is not None and \
                self.facts.root(owner) == self.facts.root(self.case_owner[number]):
            return self.live_slot(self.leads[number])
        return slot

    def derive(self):
        """All cases as the facts make them today, with their numbers."""
        live = {number: self.live_slot(number) for number in self.members}
        visit_slots = {v.number: live[v.case] for v in self.visits}
        self.cases = []
        for household in self.facts.households:
            for case in self.facts.cases(household, visit_slots, self.today):
                case.household = household
                self.cases.append(case)
        self.cases.sort(key=lambda c: c.opener)
        self.number_cases()

    def number_cases(self):
        used = {self.numbers[c.opener] for c in self.cases if c.opener in self.numbers}
        for case in self.cases:
            number = self.numbers.get(case.opener)
            brought = number is None and self.brought_number(case, used)
            number = number or brought or self.earlier_number(case, used) or \
                self.vanished_number(case, used)
            if number is None:
                self.case_count += 1
                number = self.case_count
            used.add(number)
            self.case_owner[number] = case.household
            case.number = number
            if not brought:
                self.give_number(case.opener, number)
        for case in self.cases:
            self.members[case.number] = list(case.members)
            self.leads.pop(case.number, None)
        for number in self.members:
            case = self.case_of(number)
            if case and case.number != number:
                self.leads[number] = case.number
        self.hand_over_visits()

    def give_number(self, opener, number):
        """It is with one fact at a time: what opened the case before, and went, goes without."""
        self.numbers = {n: k for n, k in self.numbers.items() if k != number}
        self.numbers[opener] = number

    def hand_over_visits(self):
        """When all that a case stood on is gone, its visits are for good those of the one it was part of."""
        for visit in self.visits:
            if visit.case in self.leads and not any(n in self.facts.slot_of for n in self.members[visit.case]):
                visit.case = self.leads[visit.case]

    def brought_number(self, case, used):
        """An earlier referral came to a case: its number stays with who brought it."""
        return next((self.numbers[n] for n in case.members
            if n in self.numbers and self.numbers[n] not in used), None)

    def earlier_number(self, case, used):
        """What opened it is gone, and another of its facts opens it now."""
        return next((k for k, m in self.members.items() if case.opener in m and k not in used), None)

    def vanished_number(self, case, used):
        """A case that never was leaves its number to the next case of its household."""
        told = {n for c in self.cases for n in c.members}
        return next((number for number, household in self.case_owner.items() if number not in used
            and self.facts.root(household) == case.household and not told & self.live_numbers(number)),
            None)

    def live_numbers(self, number):
        slot = self.live_slot(number)
        return {slot.n} if slot else set()

    def case_of(self, number):
        """The case a number leads to: its own, or the one it joined."""
        slot = self.live_slot(number)
        return next((c for c in self.cases if slot and slot.n in c.members), None)

    def sector_open(self, sector):
        return any(start <= self.today <= end for start, end in self.policy["sectors"].get(sector, ()))

    def cutoffs_of(self, household):
        key = (household, self.today)
        if key not in self._cutoffs:
            self._cutoffs[key] = self._cutoffs_of(household)
        return self._cutoffs[key]

    def _cutoffs_of(self, household):
        vouchers, requests = self.facts.vouchers(household), self.facts.requests(household)
        result = []
        for (energy, supplier), facts in self.facts.supplies(household).items():
            c, steps = earliest_cut(energy, facts, vouchers, requests, self.policy["laws"], self.today)
            if c:
                result.append((energy, supplier, c, steps))
        return sorted(result, key=lambda r: (ENERGIES.index(r[0]), r[1]))

    def reasons_of(self, case):
        """Code → days, every rule that applies."""
        found = {}
        for state in self.supply_states(case.household):
            found[state] = 0
        for _, _, c, _ in self.cutoffs_of(case.household):
            code = self.cutoff_code(c)
            if code:
                found[code] = 0
        if "cutoff_critical" in found:
            found.pop("cutoff_urgent", None)
        filed = self.recent_requests(case.household)
        if filed >= 2:
            found["fsl_repeat"] = self.rules["fsl_repeat"] * (filed - 1)
        if filed >= self.rules["fsl_urgent_from"]:
            found["fsl_urgent"] = 0
        for word in VULNERABLE:
            if any(word in r.data.get("vulnerable", ()) for r in case.referrals):
                found[word] = self.rules["vulnerable"]
        if case.carried:
            found["carried_over"] = self.rules["carried_over"]
        if self.closes_soon(self.facts.sector(case.household)):
            found["closing"] = self.rules["closing"]
        if case.no_shows:
            found["no_show"] = -self.rules["no_show"] * case.no_shows
        return {code: found[code] for code in CODES if code in found}

    def closes_soon(self, sector):
        """It closes within ten weeks, and does not open again within the year after."""
        latest = self.today + timedelta(days=self.rules["closing_within"])
        return any(self.today <= last <= latest and not reopens(self.policy, sector, last)
            for _, last in self.policy["sectors"].get(sector, ()))

    def left_behind(self, case):
        """Carried over by a closing after which its sector does not open again within the year."""
        return case.carried and not reopens(self.policy, *case.carried)

    def supply_states(self, household):
        for (energy, _), facts in self.facts.supplies(household).items():
            told = [f for f in facts if f["kind"] != "notice"]
            if energy not in ENERGIES or not told:
                continue
            last = max(told, key=lambda f: (f["day"], f["n"]))
            fresh = (self.today - last["day"]).days <= self.rules["supply_stale"]
            if fresh and last["kind"] != "restored":
                yield last["kind"]

    def cutoff_code(self, c):
        left = (c - self.today).days
        if -self.rules["critical_after"] <= left <= self.rules["critical_within"]:
            return "cutoff_critical"
        if left <= self.rules["urgent_within"]:
            return "cutoff_urgent"
        return None

    def recent_requests(self, household):
        since = add_months(self.today, -self.rules["fsl_window_months"])
        return sum(since < r["filed_on"] <= self.today for r in self.facts.requests(household))

    def rank(self, case):
        """Tier, effective date and reasons of an open case."""
        reasons = self.reasons_of(case)
        tiers = [TIER_OF[code] for code in reasons if code in TIER_OF]
        if self.left_behind(case):
            tiers.append("urgent")
        tier = min(tiers, key=TIERS.index, default="normal")
        return tier, case.day - timedelta(days=sum(reasons.values())), reasons

    def is_eligible(self, case):
        if self.sector_open(self.facts.sector(case.household)):
            return True
        decision = self.derogation(case)
        if decision or self.has_carry_over(case) and \
                (decision is None or not self.options["refused_ends_carry_over"]):
            return True
        if decision is not None:
            return False
        return self.rules["derogation"] == "auto" and self.rank(case)[0] in ("cut", "critical")

    def has_carry_over(self, case):
        """It may still be visited though its sector stays closed."""
        if not self.left_behind(case):
            return False
        return self.today <= case.carried[1] + timedelta(weeks=self.rules["carry_over_weeks"])

    def derogation(self, case):
        """The latest decision, until its date; None without one."""
        slot = case.derogation
        if slot is None or date.fromisoformat(slot.data["until"]) < self.today:
            return None
        return slot.data["allow"]

    def visits_of(self, case, *states):
        return [v for v in self.visits if v.state in states and self.case_of(v.case) is case]

    def state_of(self, case):
        if not case.open:
            return "closed"
        if case.visited_on:
            return "visited"
        if case.needs_contact:
            return "needs_contact"
        if self.visits_of(case, *ACTIVE):
            return "planned"
        return "waiting" if self.is_eligible(case) else "deferred"

    def in_order(self):
        def place(case):
            tier, effective, _ = self.rank(case)
            return TIERS.index(tier), effective, case.lead
        return sorted((c for c in self.cases if c.open), key=place)

    def cut_cases(self):
        return {c.number for c in self.cases if c.open and self.rank(c)[0] == "cut"}

    def settle(self, n, by_household=False):
        """A visit whose case is closed, deferred or gone is cancelled; of two visits of one case
        (two cases became one) a confirmed one stays, else the first. At midnight each household has
        a timer of its own, and mails of its own."""
        chosen = {}
        for visit in sorted(self.visits, key=lambda v: (v.state != "confirmed", v.number)):
            case = self.case_of(visit.case)
            if visit.state in ACTIVE:
                chosen.setdefault(case, visit)
        for visit in self.visits:
            if visit.state not in ACTIVE:
                continue
            case = self.case_of(visit.case)
            if case and case.open and not case.visited_on and self.is_eligible(case) \
                    and chosen[case] is visit:
                continue
            if case and case.open and visit.state == "confirmed" and visit.day < self.today:
                continue # it has taken place, and waits for its record
            told = visit.state == "confirmed" and visit.day >= self.today
            visit.cancel(n)
            if told:
                givers = case.givers() if case else []
                about = (n, case and case.household) if by_household else n
                number = case.number if case else visit.case
                self.mail_all(about, "visit_changed", givers, number, visit.pair)

    # visits that are on again

    def revive(self, event, before):
        """What an event cancelled comes back when that event is undone, if its half-day is still to come and
        free, and its case has no other visit. `before`: state, day and half of each visit."""
        n = event["n"]
        undone = self.undone_by(event)
        for fact in self.log:
            if fact["n"] in undone and fact["type"] in VISIT_TYPES:
                visit = self.visits[fact["data"]["visit"] - 1]
                self.tell_again(n, visit, before[visit.number])
        for visit in self.visits:
            if visit.state != "cancelled" or visit.cancelled_by not in undone:
                continue
            case = self.case_of(visit.case)
            if not case or self.state_of(case) != "waiting" or visit.day < self.today or self.rival(visit):
                continue
            visit.bring_back()
            if visit.state == "confirmed":
                self.mail_all(n, "visit_confirmed", case.givers(), case.number, visit.pair)

    def undone_by(self, event):
        if event["type"] == "event.retracted":
            target = (event["data"]["source"], event["data"]["id"])
            return {e["n"] for e in self.log if (e["source"], e["id"]) == target}
        if event["type"] == "household.not_same":
            both = {event["node"], event["other"]}
            return {e["n"] for e in self.log if e["type"] == "household.same_as" and {e["node"], e["other"]} == both}
        key = self.facts._key(event)
        return {e["n"] for e in self.facts.events if e["n"] < event["n"] and self.facts._key(e) == key}

    def rival(self, visit):
        return any(v is not visit and v.state in ACTIVE and v.where() == visit.where() for v in self.visits)

    def tell_again(self, n, visit, before):
        """A word of the coordinator about a visit was taken back."""
        case = self.case_of(visit.case)
        if visit.state not in ACTIVE or not case:
            return
        told = visit.state == "confirmed" and visit.day >= self.today
        if self.rival(visit):
            visit.cancel(n)
            template = "visit_changed"
        elif before[0] == "cancelled":
            template = "visit_confirmed"
        elif before[1:] != (visit.day, visit.half):
            template = "visit_changed"
        else:
            return
        if told:
            self.mail_all(n, template, case.givers(), case.number, visit.pair)

    # plans

    def plan(self):
        first, last = self.plan_days()
        kept = {}
        taken = {} # (pair, day, half): Stop
        for visit in self.visits:
            if visit.state in HELD or self.is_left_alone(visit, first):
                where = self.spot_of(self.case_of(visit.case))
                taken[visit.pair, visit.day, visit.half] = Stop(where, booked=True)
            elif visit.state == "planned":
                case = self.case_of(visit.case)
                if case in kept:
                    visit.add(None, "dropped")
                else:
                    kept[case] = visit
        wanting = [case for case in self.in_order() if self.wants_visit(case, first)]
        for turn, case in enumerate(wanting):
            self.place(case, turn, first, last, taken)
        self.bring_neighbours_together(first, last, taken)
        planned = {stop.case: slot for slot, stop in taken.items() if not stop.booked}
        for case in wanting:
            if case in planned:
                self.put_down(case, kept.pop(case, None), planned[case])
        for visit in kept.values():
            visit.add(None, "dropped")

    def is_left_alone(self, visit, first):
        """An unconfirmed visit that the plan does not replace."""
        return visit.state == "planned" and (visit.fixed or visit.day < first)

    def plan_days(self):
        planning = self.policy["planning"]
        first = calendar.next_working_day(self.today, planning["alsace_moselle"])
        if self.options["whole_weeks_end"] == "sunday":
            return first, first + timedelta(days=7 * planning["weeks"] - 1 - first.weekday())
        return first, first + timedelta(days=7 * planning["weeks"] - 1)

    def wants_visit(self, case, first):
        if case.visited_on or case.needs_contact or not self.is_eligible(case):
            return False
        if self.visits_of(case, "confirmed") or \
                any(v.day >= self.today for v in self.visits_of(case, *HELD)):
            return False
        return not any(self.is_left_alone(v, first) for v in self.visits_of(case, "planned"))

    def place(self, case, turn, first, last, taken):
        slot = self.find_half_day(case, first, last, taken)
        sector = self.facts.sector(case.household)
        if slot:
            taken[slot] = Stop(self.spot_of(case), turn=turn, tier=self.rank(case)[0], case=case,
                serves=lambda pair: self.serves(pair, sector))

    def put_down(self, case, visit, slot):
        pair, day, half = slot
        if visit is None:
            visit = Visit(len(self.visits) + 1, case.number, pair)
            self.visits.append(visit)
        visit.add(None, "planned", day, half, pair)

    def spot_of(self, case):
        return case and self.policy["places"].get(self.facts.commune(case.household))

    def bring_neighbours_together(self, first, last, taken):
        monday = first - timedelta(days=first.weekday())
        while monday <= last:
            days = [[self.place_of(pair, day, half, first, taken) for half in ("am", "pm")]
                for day in (monday + timedelta(days=n) for n in range(5))
                for pair in self.policy["pairs"]]
            share_days(days)
            for place in (place for day in days for place in day):
                slot = (place.pair["id"], place.day, place.half)
                taken.pop(slot, None)
                if place.visit:
                    taken[slot] = place.visit
            monday += timedelta(days=7)

    def place_of(self, pair, day, half, first, taken):
        stop = taken.get((pair["id"], day, half))
        if stop:
            fixed = stop.booked or stop.tier in ("cut", "critical")
        else:
            fixed = day < first or not self.works(pair, day, half)
        return Place(pair, day, half, fixed, stop)

    def find_half_day(self, case, first, last, taken):
        sector = self.facts.sector(case.household)
        urgent = self.options["cut_beyond_week"] and self.rank(case)[0] in ("cut", "critical")
        day = first
        weeks = Counter((pair, at.isocalendar()[:2]) for pair, at, _ in taken)
        while day <= last:
            for half in ("am", "pm"):
                for pair in self.policy["pairs"]:
                    full = weeks[pair["id"], day.isocalendar()[:2]] >= pair["visits_a_week"]
                    if self.works(pair, day, half) and self.serves(pair, sector) and \
                            (pair["visits_a_week"] if urgent else not full) and (pair["id"], day, half) not in taken:
                        return pair["id"], day, half
            day += timedelta(days=1)
        return None

    def works(self, pair, day, half):
        if not calendar.is_working_day(day, self.policy["planning"]["alsace_moselle"]):
            return False
        if f"{WEEKDAYS[day.weekday()]}.{half}" not in pair["half_days"]:
            return False
        return not any(s.type == "pair.unavailable" and s.data["pair"] == pair["id"]
            and date.fromisoformat(s.data["from"]) <= day <= date.fromisoformat(s.data["to"])
            for s in self.facts.slots)

    def serves(self, pair, sector):
        if pair["sectors"] and sector not in pair["sectors"]:
            return False
        return self.sector_open(sector) or pair["closed_sectors"]

    # mails

    def ahead(self, event):
        """What must be known from before the event to write its mails."""
        before = {"case": None, "state": None, "givers": [], "visit": None}
        data = event["data"]
        if event["type"] in VISIT_TYPES:
            visit = self.visits[data["visit"] - 1]
            before.update(visit=(visit.state, visit.day, visit.half), case=self.case_of(visit.case))
        elif event["node"] is not None:
            before["case"] = self.open_case(event["node"])
        if before["case"]:
            before["state"] = self.state_of(before["case"])
            before["givers"] = before["case"].givers()
            before["case"] = before["case"].number
        return before

    def write_mails(self, event, before):
        kind, data, n = event["type"], event["data"], event["n"]
        if kind.startswith("giver."):
            self.release()
        elif kind == "referral.received":
            self.answer_referral(event)
        elif kind in VISIT_TYPES:
            self.write_visit_mails(event, before)
        elif kind == "case.closed" and before["state"] != "visited":
            self.mail_all(n, "outcome", before["givers"], before["case"])
        elif kind == "referral.withdrawn" and data["by"] == "household" and before["state"] != "visited":
            self.mail_all(n, "outcome", before["givers"], before["case"])
        elif kind == "household.moved" and before["case"] and before["state"] != "visited" \
                and not self.case_of(before["case"]).open:
            self.mail_all(n, "outcome", before["givers"], before["case"])

    def answer_referral(self, event):
        slot = self.facts.slot_of[event["n"]]
        if slot.members[0] != event["n"]:
            return
        case = next(c for c in self.cases if event["n"] in c.members)
        template = "ack" if self.is_eligible(case) else "deferred"
        self.mail_all(event["n"], template, [(slot.data["giver"], slot.day)], case.number)

    def write_visit_mails(self, event, before):
        n, visit = event["n"], self.visits[event["data"]["visit"] - 1]
        if event["type"] == "visit.recorded":
            self.mail_all(n, "outcome", before["givers"], before["case"])
        elif before["visit"][0] == "confirmed":
            if before["visit"] == (visit.state, visit.day, visit.half):
                return
            self.mail_all(n, "visit_changed", before["givers"], before["case"], visit.pair)
        elif event["type"] == "visit.confirmed":
            self.mail_all(n, "visit_confirmed", before["givers"], before["case"], visit.pair)

    def send_agendas(self):
        """On Mondays, to the pairs that have confirmed visits in the week."""
        for pair in self.policy["pairs"]:
            if any(v.state == "confirmed" and v.pair == pair["id"]
                    and 0 <= (v.day - self.today).days < 7 for v in self.visits):
                self.mail(self.counter, "week_agenda", pair["id"], None, self.now)

    def mail_all(self, n, template, givers, case, pair=None):
        """`givers`: each with the day of the referral."""
        for giver, referred in givers:
            self.mail_giver(n, template, giver, referred, case, self.now, date.max)
        if pair:
            self.mail(n, template, pair, case, self.now)

    def registered(self, giver):
        return self.facts.giver(giver)

    def left(self, giver):
        return next((s for s in reversed(self.facts.slots) if s.type == "giver.left"
            and s.data["giver"] == giver
            and date.fromisoformat(s.data["until"]) < self.today), None)

    def readers(self, giver, referred):
        """Who reads what a giver is due: itself; of one that left, the successor, else the others of
        its structure, else nobody but the coordinator."""
        reader = self.stand_in(giver)
        if reader is not None:
            return [reader]
        return self.colleagues(giver, referred)

    def stand_in(self, giver):
        """The giver, or who follows one that left: chains followed, circles cut."""
        passed = set()
        while giver is not None and self.left(giver):
            if giver in passed:
                return None
            passed.add(giver)
            registered = self.registered(giver)
            giver = self.left(giver).data.get("successor") or \
                (registered.get("successor") if registered else None)
        return giver

    def colleagues(self, giver, referred):
        """Those of the same structure who can be written to; what was referred after the giver had
        left is not theirs."""
        own = self.registered(giver)
        if own is None or referred > date.fromisoformat(self.left(giver).data["until"]):
            return []
        others = {g: self.registered(g) for g in self.facts.givers()
            if g != giver and self.registered(g) and not self.left(g)}
        return [g for g, record in others.items()
            if record["structure"] == own["structure"] and record.get("email")]

    def mail_giver(self, n, template, giver, referred, case, at, until):
        """`until`: the last day on which it may be sent."""
        readers = self.readers(giver, referred)
        if not readers:
            self.mail(n, template, COORDINATOR, case, at)
        for reader in readers:
            if not self.registered(reader):
                if (n, template, reader) not in self.mailed:
                    self.mailed.add((n, template, reader))
                    self.held.append((at, giver, referred, reader, template, case, n, until))
            elif self.registered(reader).get("email"):
                self.mail(n, template, reader, case, at)

    def mail(self, n, template, to, case, at):
        if (n, template, to) not in self.mailed:
            self.mailed.add((n, template, to))
            self.send(template, to, case, at)

    def send(self, template, to, case, at):
        """Ten a day to one recipient; the rest is put together for the next morning."""
        if self.sent[to, self.today] == MAILS_A_DAY:
            self.late.setdefault(to, []).append((template, case))
            return
        self.sent[to, self.today] += 1
        self.mails.append({"at": calendar.format_time(at), "template": template, "to": to, "case": case})

    def send_late(self):
        late, self.late = self.late, {}
        for to, mails in late.items():
            template, case = mails[0] if len(mails) == 1 else ("digest", None)
            self.send(template, to, case, self.now)

    def release(self):
        """Held mails go out when their giver is registered, or to who follows one that left, unless
        they have expired. What is about no case is for the giver itself only."""
        held, self.held = self.held, []
        for at, giver, referred, former, template, case, n, until in held:
            if self.today - paris_day(at) > MAIL_HELD or self.today > until \
                    or case is None and self.left(giver):
                continue
            readers = self.readers(giver, referred)
            if len(readers) == 1 and not self.registered(readers[0]):
                self.held.append((at, giver, referred, former, template, case, n, until))
                continue
            self.mailed.discard((n, template, former))
            self.mail_giver(n, template, giver, referred, case, self.now, until)

    # the answer

    def answer(self, until):
        order = self.in_order()
        rows = [self.print_case(case, order) for case in sorted(self.cases, key=lambda c: c.number)]
        return {"until": until.isoformat(), "cases": rows, "mails": self.mails,
            "visits": [self.print_visit(v) for v in self.visits]}

    def print_case(self, case, order):
        source, subject = self.facts.first_number(case.household)
        row = {"case": case.number, "source": source, "subject": subject,
            "state": self.state_of(case), "sector": self.facts.sector(case.household),
            "eligible": False, "rank": None, "tier": None, "effective_date": None, "reasons": [],
            "cutoffs": []}
        if case.open:
            tier, effective, reasons = self.rank(case)
            row.update(eligible=self.is_eligible(case), rank=order.index(case) + 1, tier=tier,
                effective_date=effective.isoformat(),
                reasons=[{"code": k, "days": v} for k, v in reasons.items()],
                cutoffs=[{"energy": e, "supplier": s, "earliest_cut": c.isoformat(), "steps": steps}
                    for e, s, c, steps in self.cutoffs_of(case.household)])
        return row

    def print_visit(self, visit):
        case = self.case_of(visit.case)
        return {"visit": visit.number, "case": case.number if case else visit.case,
            "pair": visit.pair, "day": visit.day.isoformat(), "half": visit.half,
            "state": visit.state}


def parse_day(text):
    return date.fromisoformat(text) if text else None


def same_content(one, other):
    return dict(one, time=None) == dict(other, time=None) \
        and calendar.parse_time(one["time"]) == calendar.parse_time(other["time"])


def replay(events, policy, until, **options):
    return Model(policy, **options).run(events, until)
