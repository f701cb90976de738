"""Every method of the operators' sockets does what docs/control.md says, with the real programs."""

import base64
import json
import os
import re
import signal
import socket
import struct
import subprocess

import msgpack
import pytest

import world
from conftest import ROOT, Refused, program
from sender import Sender

OWN = "urn:fsl:39"


@pytest.fixture
def town(start):
    return world.populate(start(rehearse=world.DAY, workers=("vigie-notify", "vigie-schedule")))


@pytest.fixture
def core_of_2015(start):
    return start(rehearse="2015-01-01")


def case_of(core, number):
    """A case as the list shows it, or as explain does when it is closed."""
    found = [case for case in core.control("queue.list", {"limit": 1000})["cases"]
             if case["case"] == number]
    return found[0] if found else core.control("case.explain", {"case": number})


def visit_of(core, number):
    return next(visit for visit in core.control("visit.list", {"limit": 1000})["visits"]
                if visit["visit"] == number)


def live_until_visit(core, number):
    core.control("clock.advance", {"to": visit_of(core, number)["day"]})


def looks(core):
    """The access log's lines, without their times."""
    path = core.folder / "state" / "access.log"
    if not path.exists():
        return []
    return [line.split(" ", 1)[1] for line in path.read_text().splitlines()]


def look(method, what):
    return f"uid={os.getuid()} {method} {what}"


def mails_to(core, recipient):
    tasks = core.status("task.list", {"kind": "mail", "limit": 1000})["tasks"]
    return sorted((task["template"], task["case"]) for task in tasks if task["to"] == recipient)


# --- questions ------------------------------------------------------------------------------------

def test_status_counts_what_there_is(town):
    status = town.status("status")

    assert status["rehearsal"] is True and status["draining"] is False
    assert status["now"].startswith("2015-03-03T22:59:59")
    assert status["policy"]["name"] == "Jura" and status["policy"]["department"] == "39"
    assert status["cases"] == {"open": 5, "by_state": {"deferred": 1, "planned": 4, "closed": 1},
                               "by_sector": {"dole": 4, "champagnole": 0, "lons-le-saunier": 1,
                                             "saint-claude": 0}}
    tasks = status["tasks"]
    assert tasks["created"] == sum(tasks[name] for name in ("done", "cancelled", "expired",
                                                            "buried", "open"))
    assert status["intake"]["taken"] == len(world.first_events()) + 2  # policy, erasure
    assert sorted(worker["name"] for worker in status["workers"]) == ["notify", "schedule"]
    assert [alarm["code"] for alarm in status["alarms"]] == ["possible_duplicate", "empty_canton"]


# whoever polls does not pay for a digest of the whole state
def test_status_tells_the_digest_only_when_asked(town):
    assert "digest" not in town.status("status")
    assert "digest" not in town.status("status", {"digest": False})
    assert town.status("status", {"digest": True})["digest"] == town.control("verify")["digest"]


def test_both_sockets_give_the_same_status(town):
    assert town.status("status") == town.control("status")


def test_the_list_is_in_order_and_can_be_filtered(town):
    whole = town.status("queue.list")
    dole = town.status("queue.list", {"sector": "dole", "limit": 2})
    deferred = town.status("queue.list", {"state": "deferred"})
    cut = town.status("queue.list", {"tier": "cut"})

    assert [case["case"] for case in whole["cases"]] == [1, 2, 3, 4, 6]
    assert [case["rank"] for case in whole["cases"]] == [1, 2, 3, 4, 5]
    assert whole["cases"][0]["effective_date"] == "2015-01-30"
    assert whole["cases"][0]["reasons"] == [{"code": "infant", "days": 31}]
    assert (whole["total"], whole["today"]) == (5, "2015-03-03")
    assert dole["total"] == 4 and [case["case"] for case in dole["cases"]] == [1, 2]
    assert [case["case"] for case in deferred["cases"]] == [3]
    assert cut["total"] == 0 and cut["cases"] == []


def test_a_place_is_explained_with_sentences_and_the_neighbour(town):
    first = town.control("case.explain", {"case": 1})
    second = town.control("case.explain", {"case": 2})

    assert "30 janvier 2015" in first["sentence"]
    assert first["reasons"][0]["sentence"] and first["reasons"][0]["tier"] is None
    assert first["before"] is None
    assert second["before"]["case"] == 1 and second["before"]["sentence"]


def test_the_status_socket_tells_codes_and_no_words(town):
    explained = town.status("case.explain", {"case": 1})
    listed = town.status("queue.list")["cases"]

    assert not {"sentence", "cutoffs", "before", "why"} & set(explained)
    assert all("why" not in case for case in listed)
    assert all(set(reason) == {"code", "days"} for case in listed for reason in case["reasons"])


def test_a_cutoff_is_explained_step_by_step(town):
    with Sender(town.intake) as sender:
        sender.publish([world.notice("H-2", "n1", time="2015-03-03T11:00:00Z")])

    cutoffs = town.control("case.explain", {"case": 2})["cutoffs"]

    # Notice 1 on 3 March, 15 days of grace and 20 more; no truce in April.
    assert [(cutoff["energy"], cutoff["earliest_cut"]) for cutoff in cutoffs] == [
        ("electricity", "2015-04-07")]
    assert cutoffs[0]["steps"]


def test_showing_a_case_opens_what_is_sealed_and_leaves_a_line(town):
    shown = town.control("case.show", {"case": 1})

    assert shown["person"] == world.person("H-1")
    assert (shown["source"], shown["subject"]) == (OWN, "H-1")
    assert [fact["type"] for fact in shown["facts"]] == ["referral.received", "fsl.request_filed"]
    assert [visit["visit"] for visit in shown["visits"]] == [1]
    assert [mail["template"] for mail in shown["mails"]] == ["ack"]
    assert looks(town) == [look("case.show", "case=1")]


def test_a_household_without_a_case_is_found_by_the_number_that_its_alarm_gives(town):
    with Sender(town.intake) as sender:
        [taken] = sender.publish([world.event("supplier.cut", "w1", "2015-03-02T11:00:00Z", {
            "supplier": "Régie des eaux", "energy": "water", "on": "2015-03-02",
            "insee": "39198"}, subject="H-dry")])
    assert "seq" in taken
    [alarm] = [alarm for alarm in town.status("status")["alarms"] if alarm["code"] == "water_cut"]
    [about] = alarm["about"]
    word, number = about.split()

    shown = town.control("household.show", {"household": int(number)})

    assert (word, shown["household"], shown["case"]) == ("household", int(number), None)
    assert (shown["source"], shown["subject"], shown["commune"]) == (OWN, "H-dry", "Dole")
    assert [fact["type"] for fact in shown["facts"]] == ["supplier.cut"]
    assert looks(town) == [look("household.show", f"household={number}")]
    for wrong, code in ((None, "bad_request"), (9999, "not_found")):
        with pytest.raises(Refused) as refused:
            town.control("household.show", {"household": wrong} if wrong else {})
        assert (refused.value.data["code"], refused.value.data["path"]) == (code, "household")


def test_every_look_leaves_its_own_line(town):
    for number in (1, 2, 1):
        town.control("case.show", {"case": number})

    assert looks(town) == [look("case.show", f"case={number}") for number in (1, 2, 1)]


def test_a_look_that_is_refused_leaves_no_line(town):
    with pytest.raises(Refused):
        town.control("case.show", {"case": 99})

    assert looks(town) == []


def test_what_shows_nobody_leaves_no_line(town):
    for method in ("status", "queue.list", "visit.list", "task.list", "duplicate.list"):
        town.control(method)
    town.control("case.explain", {"case": 1})

    assert looks(town) == []


def test_an_erased_household_shows_nothing_any_more(town):
    shown = town.control("case.show", {"case": 5})

    assert shown["person"] is None and shown["subject"] is None
    assert (shown["state"], shown["closing"]) == ("closed", "erased")
    assert "Marguet" not in json.dumps(shown)


def test_visits_are_listed_by_week_day_pair_and_state(town):
    numbers = lambda **params: [visit["visit"]
                                for visit in town.status("visit.list", params)["visits"]]

    assert numbers() == [1, 2, 3, 4]
    assert numbers(week="2015-W10") == [1, 2, 3, 4] and numbers(week="2015-W11") == []
    assert numbers(**{"from": "2015-03-04"}) == [3, 4] and numbers(to="2015-03-03") == [1, 2]
    assert numbers(pair="binome-1", limit=3) == [1, 2, 3] and numbers(pair="binome-2") == []
    assert numbers(state="planned") == [1, 2, 3, 4] and numbers(state="done") == []


def test_tasks_are_listed_latest_first(town):
    tasks = town.status("task.list")["tasks"]
    plans = town.status("task.list", {"kind": "plan"})["tasks"]

    assert [task["task"] for task in tasks] == sorted((task["task"] for task in tasks), reverse=True)
    assert {task["kind"] for task in plans} == {"plan"}
    assert town.status("task.list", {"state": "buried"})["tasks"] == []
    assert len(town.status("task.list", {"limit": 2})["tasks"]) == 2


def test_status_sock_names_nobody(town):
    town.control("visit.confirm", {"visit": 1})
    live_until_visit(town, 1)
    town.control("visit.record", {"visit": 1, "result": "done", "onward": ["health"]})
    asked = [("status", {}), ("queue.list", {"limit": 10000}), ("visit.list", {"limit": 10000}),
             ("task.list", {"limit": 10000}), ("sector.list", {}), ("giver.list", {"limit": 10000})]
    asked += [("case.explain", {"case": number}) for number in (1, 2, 3, 4, 5, 6)]

    said = "".join(json.dumps(town.status(method, params), ensure_ascii=False)
                   for method, params in asked)

    assert [word for word in world.PERSONAL if word in said] == []


def test_logs_and_refusals_name_nobody(town):
    with Sender(town.intake) as sender:
        told = sender.publish([world.referral("H-1", "F1", time="2015-03-02T12:00:00Z"),
                               world.referral("H-5", "F9"),
                               world.referral("H-2", "F9", consent_on="x")])
    town.control("case.show", {"case": 1})

    said = json.dumps(told) + "".join(path.read_text() for path in town.folder.glob("*.log"))
    said += (town.folder / "state" / "access.log").read_text()

    assert all("error" in entry for entry in told)
    assert [word for word in world.PERSONAL if word in said] == []


# --- report ---------------------------------------------------------------------------------------

def rows_of(answer):
    return {(row["year"], row["sector"], row["kind"]): row for row in answer["rows"]}


def test_the_report_in_full_counts_everyone_an_erased_household_too(town):
    answer = town.control("report", {"full": True})
    rows = rows_of(answer)

    assert answer["hidden_below"] is None and answer["today"] == "2015-03-03"
    assert {key: row["referrals"] for key, row in rows.items()} == {
        (2015, "all", "all"): 6, (2015, "all", "department_social_worker"): 6,
        (2015, "dole", "all"): 5, (2015, "dole", "department_social_worker"): 5,
        (2015, "lons-le-saunier", "all"): 1,
        (2015, "lons-le-saunier", "department_social_worker"): 1}
    assert rows[2015, "dole", "all"]["share_percent"] == 83.3
    assert rows[2015, "dole", "department_social_worker"]["share_percent"] == 100
    assert rows[2015, "lons-le-saunier", "all"]["deferred"] == 1
    # Dole's opening of 2015 goes on from that of 2014: no opening of its own.
    assert all(row["days_from_opening_to_referral"] is None for row in rows.values())
    assert all(row["hidden"] == [] for row in rows.values())


def test_small_counts_and_what_gives_them_away_are_hidden(town):
    for answer in (town.status("report"), town.control("report")):
        rows = rows_of(answer)

        assert answer["hidden_below"] == 5
        # The five of Dole would give away the one of Lons-le-Saunier, beside the six of all.
        assert set(rows) == {(2015, "all", "all"), (2015, "all", "department_social_worker")}
        whole = rows[2015, "all", "all"]
        assert whole["referrals"] == 6 and whole["share_percent"] == 100
        assert whole["visits"] is None and "visits" in whole["hidden"]
        assert whole["onward"]["fsl"] is None and "onward.fsl" in whole["hidden"]


def test_the_report_is_filtered_by_year_sector_and_kinds(town):
    def keys(**params):
        return [(row["sector"], row["kind"])
                for row in town.control("report", {"full": True, **params})["rows"]]

    assert keys(year=2014) == []
    assert keys(year=2015, sector="all", kind="all") == [("all", "all")]
    assert keys(sector="dole", kind=["all", "workshop"]) == [("dole", "all")]
    assert keys(sector="none") == []


@pytest.mark.parametrize("params, path, code", [
    ({"year": 1800}, "year", "bad_request"), ({"year": "2015"}, "year", "bad_request"),
    ({"sector": "paris"}, "sector", "bad_request"), ({"kind": "mayor"}, "kind", "bad_request"),
    ({"kind": ["all", 3]}, "kind", "bad_request"), ({"full": 1}, "full", "bad_request"),
    ({"full": True}, "full", "forbidden"), ({"month": 3}, "month", "bad_request")])
def test_a_report_that_cannot_be_is_refused(town, params, path, code):
    with pytest.raises(Refused) as refused:
        town.status("report", params)

    assert (refused.value.data["path"], refused.value.data["code"]) == (path, code)


@pytest.mark.parametrize("method, params, path, known", [
    ("giver.list", {"kind": "mayor"}, "kind", "department_social_worker, partner_social_worker, "
     "partner_structure, workshop, supplier, household"),
    ("queue.list", {"tier": "high"}, "tier", "cut, critical, urgent, normal"),
    ("queue.list", {"sector": "paris"}, "sector",
     "dole, champagnole, lons-le-saunier, saint-claude"),
    ("report", {"kind": "mayor"}, "kind", "department_social_worker"),
    ("task.list", {"kind": "letter"}, "kind", "mail, plan, nothing"),
    ("visit.sheet", {"pair": "binome-9", "week": "2015-W12"}, "pair", "binome-1")])
def test_a_word_that_is_none_is_answered_with_those_that_are(town, method, params, path, known):
    with pytest.raises(Refused) as refused:
        town.control(method, params)

    assert refused.value.data["path"] == path
    assert f"there are: {known}" in refused.value.data["text"]


# --- cases ----------------------------------------------------------------------------------------

def test_closing_a_case_takes_it_off_the_list_and_its_visit_with_it(town):
    seq = town.control("case.close", {"case": 1, "reason": "unreachable"})["seq"]

    case = case_of(town, 1)
    assert 0 < seq <= town.status("status")["seq"]
    assert (case["state"], case["closing"], case["closed_on"]) == ("closed", "unreachable",
                                                                   "2015-03-03")
    assert case["rank"] is None
    assert visit_of(town, 1)["state"] == "cancelled"
    assert case_of(town, 2)["rank"] == 1
    with pytest.raises(Refused) as again:
        town.control("case.close", {"case": 1, "reason": "done"})
    assert again.value.data["code"] == "not_found"


def test_a_closed_case_is_answered_to_its_giver(town):
    town.control("case.close", {"case": 2, "reason": "ineligible"})
    town.control("clock.advance", {"to": "2015-03-04"})

    assert ("outcome", 2) in mails_to(town, "TS1")


def test_a_derogation_makes_a_deferred_case_eligible_until_its_day(town):
    town.control("case.derogate", {"case": 3, "allow": True, "until": "2015-03-06"})
    allowed = case_of(town, 3)
    town.control("clock.advance", {"to": "2015-03-06"})
    last = case_of(town, 3)["eligible"]
    town.control("visit.list")
    town.control("clock.advance", {"to": "2015-03-07"})

    assert allowed["eligible"] is True and allowed["state"] != "deferred"
    assert last is True
    assert case_of(town, 3)["eligible"] is False


def test_a_derogation_can_be_taken_back(town):
    town.control("case.derogate", {"case": 3, "allow": True, "until": "2015-12-31"})
    town.control("case.derogate", {"case": 3, "allow": False, "until": "2015-12-31"})

    assert case_of(town, 3)["state"] == "deferred"


def test_a_derogation_until_a_day_that_is_past_is_refused_and_ends_no_allowance(town):
    town.control("case.derogate", {"case": 3, "allow": True, "until": "2015-12-31"})
    for allow in (True, False):
        with pytest.raises(Refused) as refused:
            town.control("case.derogate", {"case": 3, "allow": allow, "until": world.DAY})
        assert (refused.value.data["code"], refused.value.data["path"]) == ("invalid_event",
                                                                            "until")
        assert "today, 3 March 2015, or a later day" in refused.value.data["text"]

    assert case_of(town, 3)["eligible"] is True
    town.control("case.derogate", {"case": 3, "allow": True, "until": world.LATER})


def test_a_denial_that_changes_nothing_is_told(town):
    def deny(case):
        return said(town.control("case.derogate", {"case": case, "allow": False,
                                                   "until": "2015-12-31"}))

    [(path, text)] = deny(1)
    assert (path, text.split(":")[0]) == ("allow", "the sector of case 1 is open")
    [(path, text)] = deny(3)
    assert (path, text.split(":")[0]) == ("allow", "case 3 was not to be visited before either")
    assert said(town.control("case.derogate", {"case": 3, "allow": True,
                                               "until": "2015-12-31"})) == []
    assert deny(3) == []


# --- visits ---------------------------------------------------------------------------------------

def test_a_confirmed_visit_is_told_to_giver_and_pair(town):
    town.control("visit.confirm", {"visit": 1, "by": "household"})
    town.control("clock.advance", {"to": "2015-03-03T23:30:00Z"})

    assert visit_of(town, 1)["state"] == "confirmed"
    assert ("visit_confirmed", 1) in mails_to(town, "TS1")
    assert ("visit_confirmed", 1) in mails_to(town, "binome-1")


def test_a_visit_is_confirmed_for_another_half_day(town):
    town.control("visit.confirm", {"visit": 1, "day": "2015-03-06", "half": "pm"})

    visit = visit_of(town, 1)
    assert (visit["state"], visit["day"], visit["half"]) == ("confirmed", "2015-03-06", "pm")


def test_a_confirmed_visit_that_is_moved_is_told_again(town):
    town.control("visit.confirm", {"visit": 1})
    town.control("visit.move", {"visit": 1, "day": "2015-03-06", "half": "am", "by": "pair"})
    town.control("clock.advance", {"to": "2015-03-03T23:30:00Z"})

    visit = visit_of(town, 1)
    assert (visit["day"], visit["half"]) == ("2015-03-06", "am")
    assert ("visit_changed", 1) in mails_to(town, "TS1")


def test_a_cancelled_visit_gives_its_half_day_free(town):
    town.control("visit.cancel", {"visit": 1, "by": "household"})
    freed = case_of(town, 1)["state"]
    town.control("visit.move", {"visit": 2, "day": "2015-03-03", "half": "am"})

    assert visit_of(town, 1)["state"] == "cancelled" and freed == "waiting"
    assert (visit_of(town, 2)["day"], visit_of(town, 2)["half"]) == ("2015-03-03", "am")


@pytest.mark.parametrize("result, state, closing", [
    ("done", "visited", None), ("no_show", "waiting", None), ("unsafe", "waiting", None),
    ("declined", "closed", "withdrawn"), ("moved_away", "closed", "moved_away")])
def test_a_record_moves_the_case_on(town, result, state, closing):
    town.control("visit.confirm", {"visit": 1})
    live_until_visit(town, 1)
    town.control("visit.record", {"visit": 1, "result": result})

    case = case_of(town, 1)
    assert visit_of(town, 1)["state"] == result
    assert (case["state"], case.get("closing")) == (state, closing)
    alarms = [alarm["code"] for alarm in town.status("status")["alarms"]]
    assert ("unsafe_visit" in alarms) == (result == "unsafe")


@pytest.mark.parametrize("result", ["done", "no_show", "unsafe"])
def test_a_visit_to_come_is_not_recorded(town, result):
    town.control("visit.move", {"visit": 1, "day": "2030-01-08", "half": "am"})
    town.control("visit.confirm", {"visit": 1})
    with pytest.raises(Refused) as refused:
        town.control("visit.record", {"visit": 1, "result": result})

    assert refused.value.data["code"] == "invalid_event"
    assert (refused.value.data["path"], refused.value.data["text"]) == (
        "visit", "this visit is for 8 January 2030: record it on that day or later, or move it to "
                 "today first")
    assert visit_of(town, 1)["state"] == "confirmed"
    town.control("visit.move", {"visit": 1, "day": world.LATER, "half": "am"})
    town.control("visit.record", {"visit": 1, "result": result})
    assert visit_of(town, 1)["state"] == result


def test_a_planned_visit_of_today_is_recorded_without_being_confirmed(town):
    live_until_visit(town, 1)
    planned = visit_of(town, 1)["state"]
    town.control("visit.record", {"visit": 1, "result": "done"})

    assert (planned, visit_of(town, 1)["state"]) == ("planned", "done")


def test_that_a_household_wants_no_visit_is_recorded_before_its_day(town):
    town.control("visit.move", {"visit": 1, "day": "2015-03-26", "half": "am"})
    town.control("visit.record", {"visit": 1, "result": "declined"})

    assert visit_of(town, 1)["state"] == "declined"


def test_a_second_visit_puts_the_case_back_in_its_place(town):
    before = case_of(town, 1)
    town.control("visit.confirm", {"visit": 1})
    live_until_visit(town, 1)
    town.control("visit.record", {"visit": 1, "result": "done", "second_visit": True,
                                  "onward": ["fsl", "renovation_aid"]})

    after = case_of(town, 1)
    assert after["state"] == "waiting"
    assert after["effective_date"] == before["effective_date"]


def test_a_record_is_corrected_by_retracting_it_first(town):
    town.control("visit.confirm", {"visit": 1})
    town.control("visit.record", {"visit": 1, "result": "declined"})
    with pytest.raises(Refused) as refused:
        town.control("visit.record", {"visit": 1, "result": "done"})

    assert refused.value.data["code"] == "invalid_event"
    assert "declined" in refused.value.data["text"]


def test_a_sheet_gives_the_pair_what_it_needs_and_leaves_a_line_for_each(town):
    town.control("visit.confirm", {"visit": 1})
    town.control("visit.confirm", {"visit": 2})

    sheet = town.control("visit.sheet", {"pair": "binome-1", "week": "2015-W10"})

    assert (sheet["pair"], sheet["week"]) == ("binome-1", "2015-W10")
    assert [(visit["visit"], visit["name"], visit["phone"], visit["address"])
            for visit in sheet["visits"]] == [
        (number, world.NAMES[who], world.PHONES[who], world.STREETS[who])
        for number, who in ((1, "H-1"), (2, "H-2"))]
    assert looks(town) == [look("visit.sheet", "visit=1"), look("visit.sheet", "visit=2")]


def test_a_pair_that_is_absent_is_not_planned(town):
    town.control("pair.absent", {"pair": "binome-1", "from": "2015-03-05", "to": "2015-03-09"})
    town.control("clock.advance", {"to": "2015-03-05"})

    days = [visit["day"] for visit in town.status("visit.list", {"state": "planned"})["visits"]]
    assert days and min(days) > "2015-03-09"


def said(answer):
    return [(remark["path"], remark["text"]) for remark in answer["remarks"]]


def test_what_is_confirmed_in_an_absence_is_told_and_raises_an_alarm_until_it_is_elsewhere(town):
    def alarm():
        return [(alarm["count"], alarm["about"]) for alarm in town.status("status")["alarms"]
                if alarm["code"] == "absent_pair"]

    assert said(town.control("visit.confirm", {"visit": 1})) == []
    town.control("visit.move", {"visit": 2, "day": "2015-03-11", "half": "pm"})
    away = {"pair": "binome-1", "from": "2015-03-03", "to": "2015-03-11"}
    day = visit_of(town, 1)["day"]
    told = said(town.control("pair.absent", away))

    assert [path for path, _ in told] == ["pair", "pair"]
    assert told[0][1].startswith("visit 1 of case 1 is confirmed for ")
    assert told[1][1] == ("visit 2 of case 2 is set for Wednesday 11 March 2015, afternoon: "
                          "move it, or cancel it")
    assert alarm() == [(1, ["1"])] and day >= "2015-03-03"
    assert said(town.control("visit.confirm", {"visit": 2})) == [
        ("day", "the pair is away on this day: binome-1, from 3 March 2015 to 11 March 2015")]
    assert alarm() == [(2, ["1", "2"])]
    town.control("visit.move", {"visit": 1, "day": "2015-03-12", "half": "am"})
    town.control("visit.cancel", {"visit": 2, "by": "pair"})
    assert alarm() == []


@pytest.mark.parametrize("day, half, remarks", [
    ("2015-03-26", "pm", []),
    ("2015-03-27", "pm", []),
    ("2015-03-28", "am", [("day", "28 March 2015 is a Saturday")]),
    ("2015-03-29", "am", [("day", "29 March 2015 is a Sunday")]),
    ("2015-04-06", "pm", [("day", "6 April 2015 is a public holiday"),
                          ("half", "binome-1 does not work on Monday afternoons")]),
    ("2015-03-23", "am", [("half", "binome-1 does not work on Monday mornings")])])
def test_a_visit_on_a_day_without_visits_is_told(town, day, half, remarks):
    assert said(town.control("visit.move", {"visit": 1, "day": day, "half": half})) == remarks
    assert (visit_of(town, 1)["day"], visit_of(town, 1)["half"]) == (day, half), "done all the same"


def test_a_pair_is_listed_with_its_half_days_and_its_absences_to_come(town):
    orders = [town.control("pair.absent", {"pair": "binome-1", "from": first, "to": last})
              for first, last in (("2015-03-01", "2015-03-03"), ("2015-05-04", "2015-05-08"),
                                  ("2015-02-01", "2015-03-02"))]
    [pair] = town.control("pair.list")["pairs"]

    assert (pair["pair"], pair["visits_a_week"], pair["closed_sectors"]) == ("binome-1", 4, True)
    assert pair["half_days"] == ["tue.am", "tue.pm", "wed.am", "wed.pm", "thu.am", "thu.pm",
                                 "fri.am", "fri.pm"]
    assert pair["absences"] == [
        {"from": first, "to": last, "seq": order["seq"], "source": "urn:vigie:control",
         "id": order["id"]}
        for order, first, last in ((orders[0], "2015-03-01", "2015-03-03"),
                                   (orders[1], "2015-05-04", "2015-05-08"))], "the third is over"
    town.control("event.retract", {"source": orders[0]["source"], "id": orders[0]["id"],
                                   "reason": "typo"})
    assert [absence["id"] for absence in town.control("pair.list")["pairs"][0]["absences"]] == [
        orders[1]["id"]]


def test_a_record_is_corrected_as_the_guide_says(town):
    live_until_visit(town, 1)
    town.control("visit.confirm", {"visit": 1})
    town.control("visit.record", {"visit": 1, "result": "declined"})
    [record] = [fact for fact in town.control("case.show", {"case": 1})["facts"]
                if fact["type"] == "visit.recorded"]
    town.control("event.retract", {"source": record["source"], "id": record["id"],
                                   "reason": "the wrong household"})
    between = (visit_of(town, 1)["state"], case_of(town, 1)["state"])
    town.control("visit.record", {"visit": 1, "result": "done"})

    assert between == ("confirmed", "planned")
    assert (visit_of(town, 1)["state"], case_of(town, 1)["state"]) == ("done", "visited")


# --- the guide ------------------------------------------------------------------------------------

GUIDE = (ROOT / "docs" / "control.md").read_text()


def test_the_guide_says_each_thing_once():
    headings = re.findall("^#+ (.*)$", GUIDE, re.M)

    assert sorted(set(headings)) == sorted(headings)


def test_the_guide_has_every_alarm():
    words = re.search(r"^\| alarm \| (.*) \|$", (ROOT / "proto" / "PROTOCOL.md").read_text(), re.M)
    table = GUIDE[GUIDE.index("### Alarms"):GUIDE.index("### `sector.list`")]

    assert set(re.findall("`(.*?)`", words[1])) == set(re.findall(r"^\| `(\w+)` \|", table, re.M)) - {
        "code"}


@pytest.mark.parametrize("method, params, code, path", [
    ("visit.list", {"colour": 1}, "bad_request", "colour"),
    ("case.close", {"reason": "done"}, "bad_request", "case"),
    ("household.erase", {"case": "one"}, "bad_request", "case"),
    ("task.kick", {"colour": 1}, "bad_request", "colour"),
    ("duplicate.settle", {"colour": 1}, "bad_request", "colour"),
    ("policy.apply", {"policy": "", "colour": 1}, "bad_request", "colour"),
    ("event.admit", {"colour": 1}, "bad_request", "colour"),
    ("clock.advance", {"to": "2015-05-05", "colour": 1}, "bad_request", "colour"),
    ("visit.cancel", {"by": "pair"}, "invalid_event", "visit"),
    ("visit.cancel", {"visit": 1, "colour": 1}, "invalid_event", "colour"),
    ("case.close", {"case": 1, "reason": "bored"}, "invalid_event", "reason"),
    ("pair.absent", {"pair": "binome-1", "to": "2015-05-05"}, "invalid_event", "from")])
def test_a_wrong_parameter_is_refused_with_the_code_that_the_guide_tells(town, method, params, code,
                                                                         path):
    with pytest.raises(Refused) as refused:
        town.control(method, params)

    numbers = dict(re.findall(r"^\| −(\d+) \| `(\w+)` \|", GUIDE, re.M))
    assert (refused.value.data["code"], refused.value.data["path"]) == (code, path)
    assert numbers[str(-refused.value.error["code"])] == code


# --- duplicates, retraction, erasure --------------------------------------------------------------

def test_a_possible_duplicate_is_listed_until_it_is_one(town):
    listed = town.control("duplicate.list")["duplicates"]
    town.control("duplicate.settle", {"household": listed[0]["household"],
                                      "other": listed[0]["other"], "same": True})

    assert [(entry["case"], entry["other_case"]) for entry in listed] == [(6, 1)]
    assert town.control("duplicate.list")["duplicates"] == []
    assert town.status("status")["cases"]["open"] == 4
    assert town.control("case.explain", {"case": 6})["case"] == 1


def test_a_possible_duplicate_is_listed_until_it_is_none(town):
    entry = town.control("duplicate.list")["duplicates"][0]
    settle = {"household": entry["household"], "other": entry["other"]}
    town.control("duplicate.settle", {**settle, "same": False})

    assert town.control("duplicate.list")["duplicates"] == []
    assert town.status("status")["cases"]["open"] == 5


def test_what_was_joined_can_be_parted_again(town):
    before = town.status("queue.list")["cases"]
    entry = town.control("duplicate.list")["duplicates"][0]
    settle = {"household": entry["household"], "other": entry["other"]}
    town.control("duplicate.settle", {**settle, "same": True})
    town.control("duplicate.settle", {**settle, "same": False})

    after = town.status("queue.list")["cases"]
    assert [(case["case"], case["effective_date"]) for case in after] == [
        (case["case"], case["effective_date"]) for case in before]


def test_a_retracted_referral_never_was(town):
    town.control("event.retract", {"source": OWN, "id": "e-F2", "reason": "saisie par erreur"})

    assert [case["case"] for case in town.status("queue.list")["cases"]] == [1, 3, 4, 6]
    assert visit_of(town, 2)["state"] == "cancelled"


def test_erasing_destroys_what_was_sealed(town):
    town.control("household.erase", {"case": 2})

    shown = town.control("case.show", {"case": 2})
    assert shown["person"] is None and shown["closing"] == "erased"
    with Sender(town.intake) as sender:
        entry = sender.publish([world.request("H-2", "R2", id="later")])[0]
    assert entry["error"]["code"] == "erased"
    for path in (town.folder / "state").rglob("*"):
        if path.is_file():
            assert b"Grandcl" not in path.read_bytes()


# --- tasks ----------------------------------------------------------------------------------------

def worker_of(core):
    """A worker of our own, by the protocol, which refuses every mail for good."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20)
    sock.connect(str(core.folder / "worker.sock"))

    def send(message):
        frame = msgpack.packb(message)
        sock.sendall(struct.pack(">I", len(frame)) + frame)

    def receive():
        size = b""
        while len(size) < 4:
            size += sock.recv(4 - len(size))
        frame, count = b"", struct.unpack(">I", size)[0]
        while len(frame) < count:
            frame += sock.recv(count - len(frame))
        return msgpack.unpackb(frame)

    return sock, send, receive


def refuse_mails(core, count):
    """Takes so many mails and fails each for good."""
    sock, send, receive = worker_of(core)
    send([0, 1, "ready", [{"kinds": ["mail"], "slots": 4, "name": "refuser", "version": "1"}]])
    msgid, refused = 1, []
    answered = 0
    while answered < count:
        message = receive()
        if message[0] == 2 and message[1] == "task":
            task = message[2][0]
            for method, params in (("start", {}), ("failed", {"class": "never", "code": "refused"})):
                msgid += 1
                send([0, msgid, method, [{"id": task["id"], "token": task["token"], **params}]])
            refused.append((task["id"], msgid))
        elif message[0] == 1 and message[1] in [last for _, last in refused]:
            assert message[2] is None, message
            answered += 1
    sock.close()
    return [task for task, _ in refused]


def test_buried_tasks_raise_an_alarm_and_are_kicked_one_by_one_and_together(start):
    core = start(rehearse=world.DAY)
    with Sender(core.intake) as sender:
        sender.publish([world.giver(), world.referral("H-1", "F1"), world.referral("H-2", "F2"),
                        world.referral("H-6", "F6")])
    buried = refuse_mails(core, 3)
    alarms = {alarm["code"]: alarm["count"] for alarm in core.status("status")["alarms"]}
    listed = core.status("task.list", {"state": "buried"})["tasks"]

    one = core.control("task.kick", {"task": buried[0]})
    left = core.status("status")["tasks"]["buried"]
    all_of_them = core.control("task.kick", {"state": "buried"})
    none = core.control("task.kick", {"state": "buried"})

    assert alarms["buried_task"] == 3
    assert {task["last_code"] for task in listed} == {"refused"}
    assert one["seq"] and left == 2
    assert all_of_them == {"kicked": 2} and none == {"kicked": 0}
    assert "buried_task" not in {alarm["code"] for alarm in core.status("status")["alarms"]}
    assert core.status("status")["tasks"]["open"] == 3


# --- policy, verify, the calendar -----------------------------------------------------------------

def test_another_policy_is_applied_and_places_cases_anew(town):
    path = town.folder / "policy.conf"
    text = (ROOT / "config/jura/policy.conf").read_text()
    path.write_text(text.replace('"communes.csv"', f'"{ROOT}/config/jura/communes.csv"')
                    .replace('derogation = "auto"', 'derogation = "never"', 1))

    done = subprocess.run([program("vigiectl"), "--config", str(town.config), "policy", "apply",
                           str(path)], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert town.status("status")["policy"]["seq"] == town.status("status")["seq"]
    with pytest.raises(Refused) as refused:
        town.control("case.derogate", {"case": 3, "allow": True, "until": "2015-12-31"})
    assert refused.value.data["code"] == "invalid_event"
    with Sender(town.intake) as sender:
        entry = sender.publish([{
            "specversion": "1.0", "id": "d", "source": OWN, "type": "fr.vigie.derogation.decided",
            "time": world.NOW, "subject": "H-3", "data": {"allow": True, "until": "2015-12-31"}}])
    assert (entry[0]["error"]["code"], entry[0]["error"]["path"]) == ("invalid_event", "type")


def test_a_policy_with_a_mistake_changes_nothing(town):
    before = town.status("status", {"digest": True})
    policy = base64.b64encode(msgpack.packb({"name": "Jura", "department": "39"})).decode()

    with pytest.raises(Refused) as refused:
        town.control("policy.apply", {"policy": policy})

    assert refused.value.data["code"] == "invalid_event"
    assert refused.value.data["path"].startswith("policy.")
    assert town.digest() == before["digest"]


def test_verify_reads_the_journal_again_and_finds_the_same(town):
    status = town.status("status", {"digest": True})

    assert town.control("verify") == {"events": status["seq"], "digest": status["digest"],
                                      "ok": True}


def test_the_calendar_goes_on_and_does_what_is_due(town):
    first = town.control("clock.advance", {"to": "2015-03-05"})
    second = town.control("clock.advance", {"to": "2015-03-09T12:00:00Z"})
    same = town.control("clock.advance", {"to": "2015-03-09T12:00:00Z"})

    assert first["now"].startswith("2015-03-05T22:59:59")
    assert second["now"].startswith("2015-03-09T12:00:00") and same == second
    assert visit_of(town, 1)["state"] == "dropped", "nobody confirmed it"
    again = town.status("visit.list", {"state": "planned"})["visits"]
    assert any(visit["case"] == 1 and visit["day"] > "2015-03-09" for visit in again)
    assert town.status("status")["tasks"]["open"] == 0


def test_a_real_journals_clock_cannot_be_advanced(core):
    with pytest.raises(Refused) as refused:
        core.control("clock.advance", {"to": "2030-01-01"})

    assert refused.value.data["code"] == "forbidden"


def test_orders_survive_a_restart(town):
    town.control("visit.confirm", {"visit": 1})
    town.control("case.close", {"case": 2, "reason": "ineligible"})
    before = town.status("queue.list")["cases"]

    town.restart()

    assert town.status("queue.list")["cases"] == before
    assert visit_of(town, 1)["state"] == "confirmed"
    assert town.control("verify")["ok"]


def test_many_calls_on_one_line_after_the_other_are_each_answered(town):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(str(town.folder / "control.sock"))
        for number in range(50):
            method = ("status", "queue.list", "visit.confirm")[number % 3]
            params = {"visit": 99} if method == "visit.confirm" else {}
            sock.sendall(json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                                     "params": params}).encode() + b"\n")
        answers = [json.loads(line) for _, line in zip(range(50), sock.makefile("rb"))]

    assert sorted(answer["id"] for answer in answers) == list(range(50))
    assert all(("error" in answer) == (answer["id"] % 3 == 2) for answer in answers)


def test_a_core_that_is_stopped_is_told_and_one_that_goes_on_answers(core):
    core.processes["vigied"].send_signal(signal.SIGSTOP)
    try:
        asleep = core.run("vigiectl", "status")
        acts = core.run("vigiectl", "verify")
    finally:
        core.processes["vigied"].send_signal(signal.SIGCONT)
    awake = core.run("vigiectl", "status")

    assert (asleep.returncode, acts.returncode, awake.returncode) == (3, 3, 0)
    assert "the core is there, but does not answer" in asleep.stderr


def test_a_rehearsal_begun_before_goes_on_from_its_own_day_and_says_so(core_of_2015):
    core_of_2015.rehearse = "2016-01-01"
    core_of_2015.restart()

    assert core_of_2015.status("status")["now"].startswith("2014-12-31T23:00")
    told = (core_of_2015.folder / "vigied.log").read_text()
    assert told.count("this rehearsal goes on from 2015-01-01, where it was left") == 1


def test_the_same_first_day_again_says_nothing(core_of_2015):
    core_of_2015.restart()

    assert "goes on from" not in (core_of_2015.folder / "vigied.log").read_text()
