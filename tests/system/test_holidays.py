"""French public holidays, against python3-holidays."""

import datetime
import os
import pathlib
import subprocess

import holidays
import pytest

BUILD = pathlib.Path(os.environ.get("VIGIE_BUILD", "build"))
SCHEDULE = BUILD / "workers" / "schedule" / "vigie-schedule"

# From the year in which 8 May became a holiday again, to the end of what vigie knows (Easter and
# all that hangs on it is computed, so the far years are a test of that).
YEARS = range(1982, 2170)


def ours(year, *options):
    command = [SCHEDULE, "--holidays", str(year), *options]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {datetime.date.fromisoformat(line) for line in lines}


def theirs(year, subdivision="Métropole"):
    return set(holidays.France(prov=subdivision, years=year))


@pytest.mark.parametrize("first", range(YEARS.start, YEARS.stop, 20))
def test_every_year_has_the_holidays_of_the_oracle(first):
    for year in range(first, min(first + 20, YEARS.stop)):
        assert ours(year) == theirs(year), year


@pytest.mark.parametrize("first", range(YEARS.start, YEARS.stop, 20))
def test_alsace_and_moselle_have_two_more(first):
    for year in range(first, min(first + 20, YEARS.stop)):
        assert ours(year, "--alsace-moselle") == theirs(year, "Alsace-Moselle"), year
        assert len(ours(year, "--alsace-moselle") | ours(year)) <= len(ours(year)) + 2


def test_a_year_that_is_none_is_refused():
    for year in ("soon", "1", "99999", "2015x"):
        run = subprocess.run([SCHEDULE, "--holidays", year], capture_output=True, text=True)
        assert run.returncode == 2
        assert "a year from" in run.stderr
