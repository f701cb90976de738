"""From the events that were accepted to the facts that hold, and from those to cases.

All of it is worked out anew each time: no fact is ever changed in place. A *slot* is one fact as it
stands: the number and time of the first event that told it, the content of the last."""

from datetime import date, timedelta

from .calendar_fr import add_months, paris_day

KEYS = {
    "referral.received": ("form",),
    "supplier.notice": ("supplier", "energy", "step", "issued_on"),
    "supplier.limited": ("supplier", "energy", "on"),
    "supplier.cut": ("supplier", "energy", "on"),
    "supplier.restored": ("supplier", "energy", "on"),
    "fsl.request_filed": ("request",),
    "fsl.decided": ("request",),
    "household.protection": ("valid_from",),
    "giver.registered": ("giver",),
    "giver.left": ("giver",),
}

KEYED_IN_HOUSEHOLD = {"supplier.notice", "supplier.limited", "supplier.cut", "supplier.restored",
    "household.protection"}

FACT_DATES = {"supplier.notice": "issued_on", "supplier.limited": "on", "supplier.cut": "on",
    "supplier.restored": "on", "fsl.request_filed": "filed_on", "household.moved": "on"}

SUPPLY = {"supplier.notice": "notice", "supplier.limited": "limited", "supplier.cut": "cut",
    "supplier.restored": "restored"}

VISIT_TYPES = ("visit.confirmed", "visit.moved", "visit.cancelled", "visit.recorded")


class Slot:
    def __init__(self, first, last, node, members):
        self.n = first["n"]
        self.time = first["moment"]
        self.day = paris_day(self.time)
        self.type = first["type"]
        self.source = first["source"]
        self.data = last["data"]
        self.node = node
        self.members = members # the numbers of all events of this slot

    def fact_day(self):
        field = FACT_DATES.get(self.type)
        return date.fromisoformat(self.data[field]) if field else self.day


class Case:
    def __init__(self, opener, day, by_referral):
        self.opener = opener       # the number of the event that opened it
        self.lead = opener         # its number in the order: changes when it is reopened
        self.day = day             # the first date
        self.needs_contact = not by_referral
        self.referrals = []
        self.members = []          # numbers of all events that opened or joined it
        self.open = True
        self.visited_on = None
        self.closed_on = None
        self.closed_because = None
        self.no_shows = 0
        self.derogation = None
        self.carried = None        # the closing it lived through first: (sector, last day)

    def close(self, day, reason):
        self.open = False
        self.closed_on = day
        self.closed_because = reason
        self.visited_on = None
        self.derogation = None
        self.carried = None

    def givers(self):
        """Who referred, each with the day of the referral."""
        return [(r.data["giver"], r.day) for r in self.referrals]


def void_numbers(log):
    """A retraction in force voids its target; a retraction may itself be voided by a later one."""
    numbers = {(e["source"], e["id"]): e["n"] for e in log}
    void = set()
    for event in reversed(log):
        if event["type"] == "event.retracted" and event["n"] not in void:
            target = numbers.get((event["data"]["source"], event["data"]["id"]))
            if target is not None and target < event["n"]:
                void.add(target)
    return void


class Facts:
    def __init__(self, log, policy):
        self.policy = policy
        void = void_numbers(log)
        self.events = [e for e in log if e["n"] not in void]
        self.void = void
        self._join_numbers()
        self._fill_slots()

    # one household, many numbers

    def _join_numbers(self):
        last = {}
        for e in self.events:
            if e["type"] in ("household.same_as", "household.not_same"):
                last[frozenset((e["node"], e["other"]))] = e["type"] == "household.same_as"
        self.parent = {}
        for pair, same in last.items():
            nodes = sorted(pair, key=repr)
            if same and self.root(nodes[0]) != self.root(nodes[-1]):
                self.parent[self.root(nodes[1])] = self.root(nodes[0])

    def root(self, node):
        while node in self.parent:
            node = self.parent[node]
        return node

    # replacement by key

    def _key(self, event):
        fields = KEYS.get(event["type"])
        if fields is None:
            return ("n", event["n"])
        key = (event["type"], event["source"]) + tuple(event["data"][f] for f in fields)
        if event["type"] in KEYED_IN_HOUSEHOLD:
            key += (self.root(event["node"]),)
        return key

    def _fill_slots(self):
        groups = {}
        for event in self.events:
            groups.setdefault(self._key(event), []).append(event)
        self.slots = sorted((self._slot(group) for group in groups.values()), key=lambda s: s.n)
        self.slot_of = {n: slot for slot in self.slots for n in slot.members}
        self.records = [s for s in self.slots if s.type == "visit.recorded"]
        self.households = {}
        for slot in self.slots:
            if slot.node is not None:
                self.households.setdefault(self.root(slot.node), []).append(slot)

    def _slot(self, group):
        return Slot(group[0], group[-1], group[-1]["node"], [e["n"] for e in group])

    # what one household's facts say

    def of(self, household, *types):
        return [s for s in self.households.get(household, []) if s.type in types]

    def first_number(self, household):
        """The number that the household's first fact names, and none if no fact names one."""
        for slot in self.slots:
            if slot.node and slot.node[0] == "number" and self.root(slot.node) == household:
                return slot.node[1:]
        return None, None

    def told_communes(self, household):
        return sorted((s for s in self.households.get(household, []) if s.data.get("insee")),
            key=lambda s: (s.fact_day(), s.n))

    def commune(self, household, day=date.max, known_to=None):
        """The latest by fact date, then number. An unknown one never replaces a known one, unless
        it is a move inside the department. `day`: as it was on that day, by the dates of facts.
        `known_to`: among the facts up to that number."""
        current = None
        for slot in self.told_communes(household):
            if slot.fact_day() > day or known_to is not None and slot.n > known_to:
                continue
            insee = slot.data["insee"]
            moved = slot.type == "household.moved" and not is_elsewhere(self.policy, insee)
            if insee in self.policy["communes"] or moved or current is None:
                current = insee
        return current

    def is_last_told(self, household, slot):
        """Was no later commune known when this one was told?"""
        return [s for s in self.told_communes(household) if s.n <= slot.n][-1] is slot

    def sector(self, household, day=date.max, known_to=None):
        return self.policy["communes"].get(self.commune(household, day, known_to))

    def requests(self, household):
        """FSL requests, each with the decision of the same source and number."""
        decisions = {(s.source, s.data["request"]): s for s in self.of(household, "fsl.decided")}
        result = []
        for slot in self.of(household, "fsl.request_filed"):
            decided = decisions.get((slot.source, slot.data["request"]))
            result.append({
                "n": slot.n, "filed_on": slot.fact_day(), "energies": slot.data["energies"],
                "outcome": decided and decided.data["outcome"],
                "decided_on": decided and date.fromisoformat(decided.data["decided_on"]),
            })
        return result

    def vouchers(self, household):
        return [{"energy_voucher": s.data["energy_voucher"],
            "valid_from": date.fromisoformat(s.data["valid_from"]),
            "valid_to": date.fromisoformat(s.data["valid_to"])}
            for s in self.of(household, "household.protection")]

    def supplies(self, household):
        """(energy, supplier) → its notices, limitations, cuts and restorations."""
        result = {}
        for slot in self.of(household, *SUPPLY):
            fact = dict(slot.data, kind=SUPPLY[slot.type], day=slot.fact_day(), n=slot.n)
            result.setdefault((fact["energy"], fact["supplier"]), []).append(fact)
        return result

    # the registry

    def givers(self):
        """All givers that a fact speaks of, registered or not."""
        names = {s.data["giver"] for s in self.slots
            if s.type in ("giver.registered", "referral.received")}
        return sorted(names)

    def giver(self, name):
        """What the registry says of a giver: the latest registration, and what moved since. An empty
        set says nothing."""
        record = None
        for slot in self.slots:
            if slot.type == "giver.registered" and slot.data["giver"] == name:
                record = dict(slot.data)
            elif slot.type == "giver.moved" and slot.data["giver"] == name and record:
                record.update({k: v for k, v in slot.data.items() if v != []})
        return record

    def referrals_of(self, giver):
        return [s for s in self.slots if s.type == "referral.received" and s.data["giver"] == giver]

    # cases

    def cases(self, household, visit_slots, today):
        """The cases of a household, in order. `visit_slots`: visit → a fact that opened or joined
        the case it belongs to."""
        history = CaseHistory(self, household, visit_slots)
        for slot in self._life(household, visit_slots):
            history.pass_time(slot.day)
            history.take(slot)
        history.pass_time(today)
        return history.cases

    def _life(self, household, visit_slots):
        mine = list(self.households.get(household, []))
        for slot in self.records:
            opener = visit_slots.get(slot.data["visit"])
            if opener and self.root(opener.node) == household:
                mine.append(slot)
        return sorted(mine, key=lambda s: s.n)


class CaseHistory:
    """A household's facts taken in the order of their numbers."""

    def __init__(self, facts, household, visit_slots):
        self.facts = facts
        self.rules = facts.policy["rules"]
        self.household = household
        self.visit_slots = visit_slots
        self.cases = []
        self.day = None

    @property
    def open(self):
        return self.cases[-1] if self.cases and self.cases[-1].open else None

    def pass_time(self, day):
        self.carry_over(day)
        self.day = day
        case = self.open
        if case and case.visited_on:
            last = case.visited_on + timedelta(days=self.rules["visited_closes_after"])
            if day >= last:
                case.close(last, "done")

    def carry_over(self, today):
        """The first closing lived through while waiting or planned. Where the household lived on
        that day is told by the dates of facts, whenever they came."""
        case = self.open
        if not case or case.carried or case.visited_on or case.needs_contact:
            return
        lived = [(last, sector) for sector, openings in self.facts.policy["sectors"].items()
            for _, last in openings if self.day <= last < today
            and self.facts.sector(self.household, last) == sector]
        if lived:
            last, sector = min(lived)
            case.carried = (sector, last)

    def take(self, slot):
        handler = getattr(self, "on_" + slot.type.replace(".", "_"), None)
        if handler:
            handler(slot)

    def on_referral_received(self, slot):
        case = self.open
        if not case:
            case = self._reopen(slot, slot.day) or self._begin(slot, slot.day, True)
        case.needs_contact = False
        case.referrals.append(slot)
        case.members += slot.members

    def _begin(self, slot, day, by_referral):
        case = Case(slot.n, day, by_referral)
        self.cases.append(case)
        return case

    def _reopen(self, slot, day):
        if not self.cases:
            return None
        case = self.cases[-1]
        if slot.day > add_months(case.closed_on, self.rules["reopen_months"]):
            return None
        case.open = True
        case.closed_on = case.closed_because = None
        case.lead, case.day = slot.n, day
        return case

    def _open_by_policy(self, slot):
        case = self.open or self._begin(slot, slot.fact_day(), False)
        case.members += slot.members

    def on_fsl_request_filed(self, slot):
        if self.rules["open_on_recurrence"]:
            since = add_months(slot.day, -self.rules["fsl_window_months"])
            until = slot.day + timedelta(days=1)
            filed = [r for r in self.facts.requests(self.household)
                if r["n"] <= slot.n and since < r["filed_on"] <= until]
            if len(filed) >= 2 and since < slot.fact_day() <= until:
                self._open_by_policy(slot)

    def on_supplier_notice(self, slot):
        if self.rules["open_on_cutoff"] and slot.data["energy"] in ("electricity", "gas", "heat"):
            self._open_by_policy(slot)

    on_supplier_cut = on_supplier_notice

    def on_referral_withdrawn(self, slot):
        if self.open:
            self.open.close(slot.day, "withdrawn")

    def on_case_closed(self, slot):
        if self.open:
            self.open.close(slot.day, slot.data["reason"])

    def on_privacy_erase(self, slot):
        if self.open:
            self.open.close(slot.day, "erased")

    def on_household_moved(self, slot):
        here = self.facts.is_last_told(self.household, slot)
        if self.open and here and is_elsewhere(self.facts.policy, slot.data["insee"]):
            self.open.close(slot.day, "moved_away")

    def on_derogation_decided(self, slot):
        if self.open:
            self.open.derogation = slot

    def on_visit_recorded(self, slot):
        case = self.open
        if not case or self.visit_slots[slot.data["visit"]].n not in case.members:
            return
        result = slot.data["result"]
        if result == "done" and not slot.data["second_visit"]:
            case.visited_on = slot.day
        elif result == "no_show":
            case.no_shows += 1
        elif result == "declined":
            case.close(slot.day, "withdrawn")
        elif result == "moved_away":
            case.close(slot.day, "moved_away")


def is_elsewhere(policy, insee):
    """In another department, by the prefix of its INSEE code."""
    return insee not in policy["communes"] and not insee.startswith(policy["department"])
