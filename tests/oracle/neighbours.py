"""Inside one week, cases close to one another share a day: the rule of the planner, said anew."""

from math import isqrt

KILOMETRE = 8993 # microdegrees of latitude
UNKNOWN = 30 * KILOMETRE
NEAR = 15 * KILOMETRE
DAY_OUT = 10 ** 9
LAST = float("inf")


class Place:
    """A half-day of a pair; `visit` is a Stop, or None."""

    def __init__(self, pair, day, half, fixed, visit=None):
        self.pair, self.day, self.half = pair, day, half
        self.fixed, self.visit = fixed, visit

    def turn(self):
        return LAST if self.visit is None or self.visit.booked else self.visit.turn

    def moment(self):
        return self.day, self.half # "am" comes before "pm"


class Stop:
    def __init__(self, spot, booked=False, turn=None, tier=None, serves=None, case=None):
        self.spot, self.booked = spot, booked
        self.turn, self.tier, self.serves, self.case = turn, tier, serves, case


def distance(a, b):
    """In microdegrees of latitude, between two (lat, lon) in microdegrees."""
    if a is None or b is None:
        return UNKNOWN
    x = (a[0] + b[0]) // 2 // 1000
    cosine = (32400 * 10 ** 6 - 4 * x * x) * 1000 // (32400 * 10 ** 6 + x * x)
    return isqrt((a[0] - b[0]) ** 2 + (abs(a[1] - b[1]) * cosine // 1000) ** 2)


def share_days(days):
    """`days`: (morning, afternoon) of each pair's days, by date, then in the order of the pairs."""
    changed = True
    while changed:
        changed = exchange_visits(days)
        changed = exchange_days(days) or changed


def exchange_visits(days):
    places = [(place, day) for day in days for place in day]
    changed = False
    for i in reversed(range(len(places))):
        for j in range(i + 1, len(places)):
            (a, day_a), (b, day_b) = places[i], places[j]
            if not may_exchange(a, day_a, b, day_b):
                continue
            sooner = comes_sooner(a.moment(), a.turn(), b.moment(), b.turn())
            before = cost(day_a) + cost(day_b)
            a.visit, b.visit = b.visit, a.visit
            saved = before - cost(day_a) - cost(day_b)
            if saved >= KILOMETRE or saved == 0 and sooner:
                changed = True
            else:
                a.visit, b.visit = b.visit, a.visit
    return changed


def may_exchange(a, day_a, b, day_b):
    if a.fixed or b.fixed:
        return False
    if a.visit and b.visit:
        return a.visit.tier == b.visit.tier and a.visit.serves(b.pair) and b.visit.serves(a.pair)
    return may_go(a, b, day_b) or may_go(b, a, day_a)


def may_go(a, b, day):
    """The visit of `a` to the open half-day `b`."""
    if not a.visit or b.visit or a.visit.tier != "normal" or a.pair is not b.pair:
        return False
    beside = next(place.visit for place in day if place is not b)
    return b.moment() < a.moment() or bool(beside and beside.spot and a.visit.spot and
        distance(beside.spot, a.visit.spot) <= NEAR)


def cost(day):
    stops = [place.visit for place in day if place.visit]
    between = distance(stops[0].spot, stops[1].spot) if len(stops) == 2 else 0
    return (DAY_OUT if stops else 0) + between


def comes_sooner(moment_a, turn_a, moment_b, turn_b):
    """Does an exchange bring the one that is higher in the list forward?"""
    return moment_a < moment_b and turn_b < turn_a or moment_b < moment_a and turn_a < turn_b


def exchange_days(days):
    changed = False
    for i in reversed(range(len(days))):
        for j in range(i + 1, len(days)):
            first, second = days[i], days[j]
            turns = [min(place.turn() for place in day) for day in (first, second)]
            if first[0].day == second[0].day or turns[1] >= turns[0] or \
                    not all(alike(a, b) for a, b in zip(first, second)):
                continue
            for a, b in zip(first, second):
                a.visit, b.visit = b.visit, a.visit
            changed = True
    return changed


def alike(a, b):
    if not a.visit and not b.visit:
        return True
    return bool(a.visit and b.visit and may_exchange(a, None, b, None))
