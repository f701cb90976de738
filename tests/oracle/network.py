"""The network of givers through the year: sectors that open and close, outreach, silence (SPEC,
section 4). Works on a Model; all it remembers itself is what was told, and where
outreach is suspended."""

from datetime import date, timedelta

from .calendar_fr import add_months

QUIET_AFTER = timedelta(weeks=6)
REFERRED_WITHIN_MONTHS = 24
NO_SHOW_MONTHS = 12
NO_SHOW_VISITS = 20
RECORDED = ("done", "no_show", "declined", "moved_away", "unsafe")
DAY = timedelta(days=1)

# From when until when each goes out, by the first and the last open day.
NOTICES = {
    "sector_announced": lambda first, last: (first - timedelta(days=28), first - DAY),
    "sector_opened": lambda first, last: (first, first),
    "sector_closing": lambda first, last: (last - timedelta(days=42), last),
    "sector_closed": lambda first, last: (last + DAY, last + DAY),
}


class Network:
    def __init__(self, model):
        self.model = model
        self.policy = model.policy
        self.suspended = set()  # sectors
        self.told = set()       # (sector, template, opening)

    @property
    def today(self):
        return self.model.today

    # who belongs where

    def members(self, sector, household=lambda giver: False):
        """Its active givers. `household`: which of the households that referred themselves."""
        facts = self.model.facts
        return [g for g in facts.givers() if not self.model.left(g) and self.belongs(g, sector)
            and (not self.is_household(g) or household(g))]

    def is_household(self, giver):
        record = self.model.facts.giver(giver)
        return record is not None and record["kind"] == "household"

    def belongs(self, giver, sector):
        """A giver that nobody registered belongs where it referred from."""
        registered = self.model.facts.giver(giver)
        record = registered or {}
        cantons, communes = record.get("cantons") or [], record.get("insee") or []
        if registered and not cantons and not communes:
            return True
        lying = {c for c, s in self.policy["communes"].items() if s == sector}
        if lying & set(communes) or {self.policy["cantons"][c] for c in lying} & set(cantons):
            return True
        return any(self.is_recent(slot) and self.sector_of(slot) == sector
            for slot in self.model.facts.referrals_of(giver))

    def is_recent(self, slot):
        return self.today <= add_months(slot.day, REFERRED_WITHIN_MONTHS)

    def sector_of(self, referral):
        """The commune that it names; without one, where the household lives."""
        if referral.data.get("insee"):
            return self.policy["communes"].get(referral.data["insee"])
        return self.model.facts.sector(self.model.facts.root(referral.node))

    # at 00:00

    def tell_sectors(self, n, deferred):
        """`deferred`: the numbers of the cases that were, until midnight."""
        for template in NOTICES:
            self.tell_notices(n, template, deferred)
        for sector, openings in self.policy["sectors"].items():
            for first, last in openings:
                if self.today == first + QUIET_AFTER:
                    self.nudge(n, sector, first, last)

    def tell_notices(self, n, template, deferred):
        """All that are due and were not told yet, in one mail to each: a late one goes at once, never
        after the date it announces. One that waits for its reader does so until the last of its days."""
        untils = {}
        for sector, opening, end in self.due(template):
            self.told.add((sector, template, opening))
            concerned = self.concerned(template, sector, opening, deferred)
            for giver in self.members(sector, concerned.__contains__):
                untils[giver] = max(untils.get(giver, end), end)
        for giver, until in untils.items():
            self.tell(n, template, [giver],
                until + DAY if template == "sector_announced" else until)

    def due(self, template):
        for sector, openings in self.policy["sectors"].items():
            for opening in openings:
                start, end = NOTICES[template](*opening)
                if start <= self.today <= end and (sector, template, opening) not in self.told:
                    yield sector, opening, end

    def concerned(self, template, sector, opening, deferred):
        """The givers whose cases a notice is about."""
        cases = []
        if template == "sector_opened":
            cases = [c for c in self.model.cases if c.open and c.number in deferred
                and self.model.facts.sector(c.household) == sector
                and self.model.state_of(c) == "waiting"]
        elif template == "sector_closed":
            cases = [c for c in self.model.cases if c.open and c.carried == (sector, opening[1])]
        return {giver for case in cases for giver, _ in case.givers()}

    def tell(self, n, template, givers, until=date.max):
        for giver in givers:
            self.model.mail_giver(n, template, giver, date.min, None, self.model.now, until)

    def nudge(self, n, sector, first, last):
        over = self.model.options["quiet_while_open"] and last < self.today
        if self.policy["givers"]["nudge_quiet"] and not over:
            self.tell(n, "quiet", [g for g in self.members(sector) if self.is_quiet(g, first)])

    def is_quiet(self, giver, since):
        """It referred before, and has not since. One that nobody registered is not asked."""
        days = [slot.day for slot in self.model.facts.referrals_of(giver)]
        return self.model.registered(giver) and any(day < since for day in days) and not any(day >= since for day in days)

    # at 06:00

    def forecast(self, n):
        self.forget_closed()
        limits = self.policy["outreach"]
        for group, pairs in self.groups():
            weeks = self.weeks(group, pairs)
            if weeks is None or weeks > limits["suspend_above"]:
                self.switch(n, "outreach_suspended", group - self.suspended)
                self.suspended |= group
            elif weeks < limits["resume_below"]:
                self.switch(n, "outreach_resumed", group & self.suspended)
                self.suspended -= group

    def forget_closed(self):
        if self.model.options["suspension_ends_at_closing"]:
            self.suspended = {s for s in self.suspended if self.model.sector_open(s)}

    def groups(self):
        """Open sectors that share pairs, each group with its pairs."""
        groups = [({s}, []) for s in self.policy["sectors"] if self.model.sector_open(s)]
        for pair in self.policy["pairs"]:
            served = [g for g in groups if not pair["sectors"] or g[0] & set(pair["sectors"])]
            if served:
                groups = [g for g in groups if g not in served]
                groups.append((set().union(*(g[0] for g in served)),
                    [p for g in served for p in g[1]] + [pair]))
        return groups

    def weeks(self, group, pairs):
        """None: no capacity."""
        rate = sum(p["visits_a_week"] for p in pairs) * (1000 - self.no_shows())
        return -(-1000 * self.eligible(group) // rate) if rate else None

    def eligible(self, group):
        cases = [c for c in self.model.cases if c.open
            and self.model.facts.sector(c.household) in group and self.model.is_eligible(c)]
        if self.model.options["forecast_counts"] == "waiting":
            cases = [c for c in cases if not c.visited_on and not c.needs_contact]
        return len(cases)

    def no_shows(self):
        """Per mille of the visits of the last months that have their record."""
        since = add_months(self.today, -NO_SHOW_MONTHS)
        results = [v.state for v in self.model.visits
            if v.state in RECORDED and since < v.day <= self.today]
        if len(results) < NO_SHOW_VISITS:
            return 0
        return 1000 * results.count("no_show") // len(results)

    def switch(self, n, template, sectors):
        for sector in sorted(sectors):
            self.tell(n, template, self.members(sector))
