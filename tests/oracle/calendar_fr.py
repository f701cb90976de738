"""Days: Paris time by the fixed EU rule, months that keep their day, French holidays."""

from datetime import date, datetime, timedelta, timezone

UTC = timezone.utc


def last_sunday(year, month):
    day = date(year, month, 31)
    return day - timedelta(days=(day.weekday() + 1) % 7)


def paris_offset(moment):
    """Summer time runs from the last Sunday of March to that of October, both at 01:00 UTC."""
    start = last_sunday(moment.year, 3)
    end = last_sunday(moment.year, 10)
    summer_from = datetime(start.year, start.month, start.day, 1, tzinfo=UTC)
    summer_to = datetime(end.year, end.month, end.day, 1, tzinfo=UTC)
    return timedelta(hours=2 if summer_from <= moment < summer_to else 1)


def paris_day(moment):
    return (moment + paris_offset(moment)).date()


def paris_moment(day, hour=0):
    """The moment at which clocks in Paris show `hour` on `day` (never an hour that is skipped)."""
    naive = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    for hours in (2, 1):
        moment = naive - timedelta(hours=hours)
        if paris_offset(moment) == timedelta(hours=hours):
            return moment
    raise AssertionError("no such hour")


def parse_time(text):
    moment = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    return moment.astimezone(UTC)


def format_time(moment):
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if moment.microsecond:
        text += f".{moment.microsecond // 1000:03d}"
    return text + "Z"


def days_in_month(year, month):
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def add_months(day, months):
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, days_in_month(year, month + 1)))


def easter(year):
    """Butcher's rule."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def holidays(year, alsace_moselle=False):
    spring = easter(year)
    days = {date(year, m, d) for m, d in
        ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))}
    days |= {spring + timedelta(days=n) for n in (1, 39, 50)}
    if alsace_moselle:
        days |= {spring - timedelta(days=2), date(year, 12, 26)}
    return days


def is_working_day(day, alsace_moselle=False):
    return day.weekday() < 5 and day not in holidays(day.year, alsace_moselle)


def next_working_day(day, alsace_moselle=False):
    day += timedelta(days=1)
    while not is_working_day(day, alsace_moselle):
        day += timedelta(days=1)
    return day
