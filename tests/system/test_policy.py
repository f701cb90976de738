"""A policy that is not in force yet: every mistake told, who would move and why, nothing applied."""

import base64
import collections
import json

import msgpack
import pytest

import world
from conftest import ROOT, Refused
from sender import Sender

NEVER = ('derogation = "auto"', 'derogation = "never"')
FSL = ('open_on_cutoff = false;', 'open_on_cutoff = false; fsl_repeat = 60;')
PLACE = ("rank", "state", "sector", "tier", "effective_date", "eligible")


@pytest.fixture
def town(start):
    """The small world, and in it a cut and a limitation in closed sectors, a notice, requests."""
    core = world.populate(start(rehearse=world.DAY, workers=("vigie-notify", "vigie-schedule")))
    later = "2015-03-04T20:00:00Z"
    events = [world.referral("H-8", "F8", insee="39300", time=later, person={"name": "Anne Petit"}),
              world.referral("H-9", "F9", insee="39478", time=later, vulnerable=["ill", "elderly"],
                             person={"name": "Luc Moreau"}),
              world.referral("H-10", "F10", time=later, person={"name": "Zoé Blanc"}),
              world.notice("H-2", "n1", time=later), world.notice("H-4", "n4", time=later),
              world.cut("H-3", "c1", time=later)]
    events += [world.request("H-10", f"R10-{number}", time=later, filed_on=day)
               for number, day in enumerate(("2014-05-02", "2014-09-01", "2015-03-01"))]
    core.control("clock.advance", {"to": later})
    with Sender(core.intake) as sender:
        for entry in sender.publish(events):
            assert "seq" in entry, entry
    core.control("clock.advance", {"to": "2015-03-05"})
    return core


def changed(core, *changes):
    return world.compiled(world.policy(core.folder, *changes))


def diff(core, *changes, **params):
    return core.control("policy.diff", {"policy": changed(core, *changes), "limit": 10000, **params})


def whole_list(core):
    return core.control("queue.list", {"limit": 10000})["cases"]


def foretold(before, told):
    """The list after the change, from the list before it and what policy.diff told."""
    places = {case["case"]: {name: case[name] for name in PLACE} for case in before}
    for line in told["cases"]:
        if line["before"] is not None:
            assert line["before"] == places[line["case"]]
        if line["after"] is None:
            del places[line["case"]]
        else:
            places[line["case"]] = line["after"]
    return sorted(places.items(), key=lambda item: item[1]["rank"])


def mails(core):
    tasks = core.status("task.list", {"kind": "mail", "limit": 10000})["tasks"]
    return collections.Counter(task["template"] for task in tasks)


def rule(text):
    return 'derogation = "auto";', f'derogation = "auto"; {text}'


LONS_OPENS = ('{ from = "2016-01-01"; to = "2016-12-31"; }', '{ from = "2015-03-01"; to = "2016-12-31"; }')
CHANGES = {
    "no derogation": [NEVER],
    "derogation on request": [('derogation = "auto"', 'derogation = "ask"')],
    "other numbers": [rule("vulnerable = 5; fsl_repeat = 60;")],
    "nobody is urgent": [rule("urgent_within = 0; critical_within = 0;")],
    "notices open cases": [('open_on_cutoff = false', 'open_on_cutoff = true'),
                           ('open_on_recurrence = false', 'open_on_recurrence = true')],
    "another sector is open": [LONS_OPENS],
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_foretold_is_what_comes(town, name):
    before, digest = whole_list(town), town.digest()
    policy = changed(town, *CHANGES[name])

    told = town.control("policy.diff", {"policy": policy, "limit": 10000})
    unchanged, written = town.digest(), mails(town)
    town.control("policy.apply", {"policy": policy})

    assert unchanged == digest, "asking changes nothing"
    assert told["cases"] and told["total"] == len(told["cases"])
    assert foretold(before, told) == [
        (case["case"], {name: case[name] for name in PLACE}) for case in whole_list(town)]
    cancelled = [visit["visit"] for visit in told["visits"]]
    assert all(visit["state"] == "cancelled" for visit in town.status("visit.list")["visits"]
               if visit["visit"] in cancelled)
    assert dict(mails(town) - written) == told["summary"]["mails"]
    assert town.digest() != digest
    assert diff(town, *CHANGES[name])["cases"] == [], "it is in force now"


def test_openings_and_sectors_that_change_are_told_with_the_list(town):
    before = whole_list(town)

    told = diff(town, LONS_OPENS)

    assert told["options"] == [{
        "option": "sectors[lons-le-saunier].openings",
        "old": [{"from": "2014-01-01", "to": "2014-12-31"}, {"from": "2016-01-01", "to": "2016-12-31"}],
        "new": [{"from": "2014-01-01", "to": "2014-12-31"}, {"from": "2015-03-01", "to": "2016-12-31"}]}]
    lons = [case["case"] for case in before
            if case["sector"] == "lons-le-saunier" and not case["eligible"]]
    assert lons and sorted(line["case"] for line in told["cases"]) == sorted(lons)
    assert told["summary"]["eligible"] == told["summary"]["resumed"] == len(lons)


def test_a_case_says_why_it_moves(town):
    planned = {visit["case"]: visit for visit in town.status("visit.list", {"state": "planned"})["visits"]}
    town.control("visit.confirm", {"visit": planned[1]["visit"]})
    told = diff(town, NEVER, FSL)

    by_case = {line["case"]: line for line in told["cases"]}
    requests = next(line for line in told["cases"] if line["gained"])
    deferred = next(line for line in told["cases"] if line["after"]["state"] == "deferred")
    assert requests["gained"][0]["code"] == "fsl_repeat"
    assert requests["gained"][0]["days"] == 120 and requests["lost"][0]["days"] == 60
    assert "120 jours pour trois demandes FSL" in requests["gained"][0]["sentence"]
    assert "60 jours pour trois demandes FSL" in requests["lost"][0]["sentence"]
    assert deferred["before"]["tier"] == "cut" and deferred["before"]["eligible"]
    assert told["summary"]["deferred"] == told["summary"]["ineligible"] == 1
    assert told["summary"]["visits_cancelled"] == len(told["visits"]) == 1
    assert [option["option"] for option in told["options"]] == ["rules.fsl_repeat",
                                                                "rules.derogation"]
    assert told["options"][1] == {"option": "rules.derogation", "old": "auto", "new": "never"}
    assert len(by_case) == len(told["cases"])


def test_a_limit_leaves_the_counts(town):
    whole = diff(town, *CHANGES["other numbers"])
    cut = diff(town, *CHANGES["other numbers"], limit=1)

    assert len(cut["cases"]) == 1 and cut["total"] == whole["total"] > 1
    assert cut["summary"] == whole["summary"] and cut["cases"] == whole["cases"][:1]


# --- what is wrong --------------------------------------------------------------------------------

def own_policy():
    return msgpack.unpackb(base64.b64decode(world.compiled(str(ROOT / "config/jura/policy.conf"))))


def encoded(policy):
    return base64.b64encode(msgpack.packb(policy)).decode()


def test_a_good_policy_has_no_mistake(town):
    seq = town.status("status")["seq"]

    assert town.control("policy.check", {"policy": encoded(own_policy())}) == {
        "seq": seq, "ok": True, "mistakes": [], "remarks": []}
    assert town.status("status")["seq"] == seq


def test_every_mistake_is_told_at_once_and_the_first_refuses(town):
    policy = own_policy()
    policy["pairs"].append(dict(policy["pairs"][0]))
    policy["sectors"][2]["id"] = policy["sectors"][1]["id"]
    policy["laws"][0]["truce_from"] = 231
    digest = town.digest()

    told = town.control("policy.check", {"policy": encoded(policy)})

    assert told["ok"] is False
    assert [mistake["path"] for mistake in told["mistakes"]] == [
        "sectors[2].id", "laws[0].truce_from", "pairs[1].id"]
    assert all(mistake["text"] for mistake in told["mistakes"])
    for method in ("policy.diff", "policy.apply"):
        with pytest.raises(Refused) as refused:
            town.control(method, {"policy": encoded(policy)})
        assert refused.value.data["code"] == "invalid_event"
        assert refused.value.data["path"] == "policy.sectors[2].id"
    assert town.digest() == digest


def test_what_is_seldom_meant_is_told_and_refuses_nothing(town):
    policy = own_policy()
    policy["sectors"].append({"id": "over", "name": "Ancienne unité"})
    policy["pairs"][0]["sectors"] = ["dole"]

    told = town.control("policy.check", {"policy": encoded(policy)})
    town.control("policy.apply", {"policy": encoded(policy)})

    assert (told["ok"], told["mistakes"]) == (True, [])
    assert [remark["path"] for remark in told["remarks"]] == [
        "sectors[1]", "sectors[1]", "sectors[2]", "sectors[2]", "sectors[3]", "sectors[3]", "sectors[4]"]
    assert "no commune lies in it" in told["remarks"][-1]["text"]


def test_what_is_in_use_must_stay(town):
    planned = town.status("visit.list", {"state": "planned"})["visits"]
    town.control("visit.confirm", {"visit": planned[-1]["visit"]})
    town.control("clock.advance", {"to": "2015-03-05T23:30:00Z"})  # its mails have left
    policy = own_policy()
    policy["department"] = "21"
    policy["communes"] = [{**commune, "insee": "21" + commune["insee"][2:]}
                          for commune in policy["communes"]]
    for sector in policy["sectors"]:
        sector["id"] += "-sud" if sector["id"] == "dole" else ""
    policy["pairs"][0]["id"] = "binome-2"
    digest = town.digest()

    told = town.control("policy.check", {"policy": encoded(policy)})
    with pytest.raises(Refused) as refused:
        town.control("policy.apply", {"policy": encoded(policy)})
    with pytest.raises(Refused) as foreseen:
        town.control("policy.diff", {"policy": encoded(policy)})

    assert [mistake["path"] for mistake in told["mistakes"]] == ["department", "sectors", "pairs"]
    assert '"dole" is in use' in told["mistakes"][1]["text"]
    assert refused.value.data == foreseen.value.data
    assert refused.value.data["path"] == "policy.department"
    assert town.digest() == digest


@pytest.mark.parametrize("method", ["policy.check", "policy.diff", "policy.apply"])
@pytest.mark.parametrize("params, path", [
    ({}, "policy"), ({"policy": 7}, "policy"), ({"policy": "§"}, "policy"),
    ({"policy": None}, "policy"), ({"policy": "aGVsbG8", "file": "x"}, "file")])
def test_what_is_no_policy_at_all_is_refused(town, method, params, path):
    digest = town.digest()

    with pytest.raises(Refused) as refused:
        town.control(method, params)

    assert (refused.value.data["code"], refused.value.data["path"]) == ("bad_request", path)
    assert town.digest() == digest


def test_bytes_that_are_no_policy_are_one_mistake(town):
    for policy in (b"", b"\xc1", msgpack.packb([]), msgpack.packb({"name": "Jura"})):
        text = base64.b64encode(policy).decode()
        told = town.control("policy.check", {"policy": text})
        with pytest.raises(Refused):
            town.control("policy.diff", {"policy": text})

        assert told["ok"] is False and len(told["mistakes"]) == 1, policy


def test_a_limit_that_is_none_is_refused(town):
    for limit in (0, -1, 10001, "5", 1.5):
        with pytest.raises(Refused) as refused:
            diff(town, NEVER, limit=limit)
        assert (refused.value.data["code"], refused.value.data["path"]) == ("bad_request", "limit")


def test_readers_do_not_try_policies(town):
    for method in ("policy.check", "policy.diff", "verify"):
        with pytest.raises(Refused) as refused:
            town.status(method, {})
        assert refused.value.data["code"] == "unsupported"


# --- vigiectl -------------------------------------------------------------------------------------

def test_vigiectl_shows_who_would_move(town):
    digest = town.digest()

    end = town.run("vigiectl", "policy", "diff",
                   world.policy(town.folder, NEVER, FSL))

    assert (end.returncode, end.stderr) == (0, "")
    assert "rules.derogation" in end.stdout and "auto" in end.stdout and "never" in end.stdout
    assert "1 are put off" in end.stdout and "1 visits are cancelled" in end.stdout
    assert "planned → deferred" in end.stdout and "no longer eligible" in end.stdout
    assert "+ 120 jours pour trois demandes FSL" in end.stdout
    assert "− 60 jours pour trois demandes FSL" in end.stdout
    assert "others moved" in end.stdout and "earlier" in end.stdout and "later" in end.stdout
    assert end.stdout.endswith("nothing was applied.\n")
    assert town.digest() == digest


def test_vigiectl_says_that_nothing_would_change(town):
    end = town.run("vigiectl", "policy", "diff", str(ROOT / "config/jura/policy.conf"))

    assert end.returncode == 0
    assert end.stdout.startswith("No option differs.\n") and "0 of 0 cases" in end.stdout


def test_vigiectl_tells_the_cores_refusals_at_their_lines(town):
    path = world.policy(town.folder, ('"dole"', '"dole-sud"'))
    lines = open(path, encoding="utf-8").read().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if line.startswith("sectors ="))

    end = town.run("vigiectl", "policy", "check", path)
    alone = town.run("vigiectl", "policy", "check", path, "--file-only")
    as_json = town.run("vigiectl", "policy", "check", path, "--json")

    assert (end.returncode, end.stdout) == (1, "")
    assert end.stderr.startswith(f'{path}:{at}: sectors: "dole" is in use')
    assert (alone.returncode, alone.stdout) == (0, "This policy holds together.\n")
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["mistakes"][0]["path"] == "sectors"


def test_vigiectl_finds_a_policy_that_can_be_applied(town):
    end = town.run("vigiectl", "policy", "check", str(ROOT / "config/jura/policy.conf"))

    assert (end.returncode, end.stderr) == (0, "")
    assert end.stdout == "This policy holds together, and can be applied.\n"


# --- what givers were told -------------------------------------------------------------------------

LATER_OPENING = ('{ from = "2016-01-01"; to = "2016-12-31"; }',
                 '{ from = "2016-02-01"; to = "2016-12-31"; }')  # the first: that of Lons
EARLY_END = ('{ from = "2015-01-01"; to = "2015-12-31"; }',
             '{ from = "2015-01-01"; to = "2015-12-24"; }')      # the first: that of Dole
ENDED = ('{ from = "2016-01-01"; to = "2016-12-31"; }', '{ from = "2018-01-01"; to = "2018-12-31"; }')


def texts(answer):
    return [(remark["path"], remark["text"]) for remark in answer["remarks"]]


def test_a_day_that_givers_were_told_is_not_taken_away_without_a_word(town):
    assert texts(diff(town, LATER_OPENING, EARLY_END)) == [], "nobody was told yet"
    town.control("clock.advance", {"to": "2015-12-20"})

    opening = ("sectors[2].openings", "1 giver was told on 4 December 2015 that lons-le-saunier "
               "opens on 1 January 2016; this policy says otherwise")
    closing = ("sectors[0].openings", "1 giver was told on 19 November 2015 that dole is open "
               "until 31 December 2015; this policy says otherwise")
    assert texts(diff(town)) == []
    assert texts(diff(town, LATER_OPENING, EARLY_END)) == [closing, opening]
    both = texts(diff(town, LATER_OPENING, LATER_OPENING))  # one mail told of both
    assert both == [opening, (opening[0].replace("2", "3"),
                              opening[1].replace("lons-le-saunier", "saint-claude"))]
    printed = town.run("vigiectl", "policy", "diff", world.policy(town.folder, LATER_OPENING))
    assert f"\nremark: {opening[1]}\n" in printed.stdout
    applied = town.run("vigiectl", "policy", "apply", world.policy(town.folder, LATER_OPENING))
    assert applied.stdout.splitlines()[1:] == [f"remark: {opening[1]}"]
    assert texts(diff(town, LATER_OPENING)) == [], "it is in force now"


def test_an_opening_that_givers_were_told_of_does_not_end_without_a_word(town):
    town.control("clock.advance", {"to": "2016-01-10"})

    assert texts(diff(town, LATER_OPENING))[0][1].startswith(
        "1 giver was told on 1 January 2016 that lons-le-saunier is open since 1 January 2016;")
    order = town.control("policy.apply", {"policy": changed(town, ENDED)})
    assert [path for path, _ in texts(order)] == ["sectors[2].openings"]
