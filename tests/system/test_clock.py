"""A machine's clock that is wrong, beside a real journal: its calendar neither leaps ahead nor is out of step
without a word."""
import datetime
import os
import pathlib

import pytest

import world
from conftest import BUILD, wait_for
from sender import Sender

DAY = 24 * 3600
YEAR = 365 * DAY


@pytest.fixture
def clock(folder, monkeypatch):
    """Sets how many seconds the core's clock is wrong."""
    path = pathlib.Path(folder, "clock")
    monkeypatch.setenv("VIGIE_CLOCK", str(path))
    monkeypatch.setenv("LD_PRELOAD", str(BUILD / "tests/wrong_clock.so"))
    monkeypatch.setenv("ASAN_OPTIONS", "verify_asan_link_order=0")

    def turn(offset):
        aside = path.with_suffix(".new")
        aside.write_text(f"{offset}\n")
        os.rename(aside, path)

    turn(0)
    return turn


def publish(core, number):
    """A turn of the core, with one event of a sender's."""
    happened = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with Sender(core.intake) as sender:
        (entry,) = sender.publish([world.request("H-1", number, time=happened)])
    assert "seq" in entry, entry
    return entry["seq"]


def days_from_today(core):
    now = datetime.datetime.fromisoformat(core.status("status")["now"])
    return round((now - datetime.datetime.now(datetime.UTC)).total_seconds() / DAY)


def clock_alarm(core):
    """What it says; None: it is not raised."""
    alarms = [alarm for alarm in core.status("status")["alarms"] if alarm["code"] == "clock"]
    assert len(alarms) <= 1
    return alarms[0]["about"][0] if alarms else None


def said(core):
    return (core.folder / "vigied.log").read_text()


def refused(core, *arguments):
    ended = core.run("vigied", *arguments)
    told = [line for line in ended.stderr.splitlines() if line.startswith("vigied: ")]
    assert ended.returncode == 1 and len(told) == 1, ended.stderr
    return told[0]


def restart(core, *arguments):
    core.stop("vigied")
    core.spawn("vigied", *arguments)
    wait_for(core.answers, "the core's answer", lambda: core.processes["vigied"].poll())


# the timers of two years do not run; senders are answered meanwhile, at the time that it is
def test_a_leap_ahead_is_not_followed(clock, start):
    core = start()
    before = publish(core, "R1")

    clock(2 * YEAR)
    told = clock_alarm(core)
    after = publish(core, "R2")

    assert told and "the calendar stands at" in told and "this machine's clock says" in told
    assert after == before + 1 and core.status("status")["seq"] == after
    assert days_from_today(core) == 0
    assert said(core).count("clock.leapt") == 1
    assert core.control("verify")["ok"]

    clock(0)
    assert publish(core, "R3") == after + 1
    assert clock_alarm(core) is None and "clock.right_again" in said(core)


# less than a week is followed: a virtual machine that was paused over a long weekend
def test_four_days_are_followed(clock, start):
    core = start()
    publish(core, "R1")

    clock(4 * DAY)
    publish(core, "R2")

    assert clock_alarm(core) is None
    now = datetime.datetime.fromisoformat(core.status("status")["now"])
    assert now - datetime.datetime.now(datetime.UTC) > datetime.timedelta(days=3)


# a core that was off for days catches up, and says so
def test_days_off_are_caught_up_at_the_start(clock, start):
    core = start()
    publish(core, "R1")

    core.stop("vigied")
    clock(20 * DAY)
    core.start_core()
    publish(core, "R2")

    assert days_from_today(core) == 20 and clock_alarm(core) is None
    assert "clock.ahead" in said(core)


def test_a_start_far_ahead_is_refused_until_it_is_accepted(clock, start):
    core = start()
    seq = publish(core, "R1")
    core.stop("vigied")
    clock(2 * YEAR)

    told = refused(core)

    assert "the journal ends at" in told and "--accept-clock" in told
    assert core.run("vigied", "--verify").stdout.startswith(f"{seq} events")
    restart(core, "--accept-clock")
    assert publish(core, "R2") > seq + 100
    assert days_from_today(core) == 2 * 365
    restart(core)
    assert clock_alarm(core) is None


# the calendar waits, tells it, and `now` is where the list stands
def test_a_clock_that_is_behind_is_told(clock, start):
    clock(30 * DAY)
    core = start()
    publish(core, "R1")
    assert clock_alarm(core) is None

    core.stop("vigied")
    clock(0)
    core.start_core()

    told = clock_alarm(core)
    assert "clock.behind" in said(core)
    assert told and "the calendar stands at" in told
    status = core.status("status")
    assert days_from_today(core) == 30 and told.split()[4][:10] == status["now"][:10]
    publish(core, "R2")
    assert days_from_today(core) == 30

    # being put right is no leap, though the machine was off for two days as well
    clock(32 * DAY)
    publish(core, "R3")
    assert days_from_today(core) == 32 and clock_alarm(core) is None


# the same while it runs
def test_a_clock_that_goes_back_is_told(clock, start):
    clock(30 * DAY)
    core = start()
    publish(core, "R1")

    clock(0)
    publish(core, "R2")

    assert days_from_today(core) == 30 and "this machine's clock says" in clock_alarm(core)
