""""Why then?": a question asked with `on` is answered as it would have been at the end of that day."""

import json
import pathlib
import socket

import pytest

import world
from conftest import Refused, wait_for
from sender import Sender

OWN = "urn:fsl:39"
KINDS = ("control", "status")
FIRST = "2015-03-02"


def without(answer, *names):
    return {name: value for name, value in answer.items() if name not in names}


def asked_now(core):
    """What both sockets say of the list and of every case."""
    said = {}
    for kind in KINDS:
        call = getattr(core, kind)
        said[kind, "queue.list", 0] = call("queue.list", {"limit": 1000})
        for case in said[kind, "queue.list", 0]["cases"]:
            number = case["case"]
            said[kind, "case.explain", number] = call("case.explain", {"case": number})
    return said


def asked_later(core, day, numbers):
    said = {}
    for kind in KINDS:
        call = getattr(core, kind)
        said[kind, "queue.list", 0] = call("queue.list", {"limit": 1000, "on": day})
        for number in numbers:
            said[kind, "case.explain", number] = call("case.explain", {"case": number, "on": day})
    for answer in said.values():
        assert answer.pop("on") == day
    return said


def as_bytes(said):
    return {key: json.dumps(answer, ensure_ascii=False) for key, answer in said.items()}


def live(core, days):
    """Goes through days, each with something of its own, and notes what is said at its end."""
    noted = {}
    for day, happens in days:
        core.control("clock.advance", {"to": f"{day}T10:00:00Z"})
        happens(core)
        core.control("clock.advance", {"to": day})
        noted[day] = asked_now(core)
    return noted


def publish(*events):
    def happens(core):
        with Sender(core.intake) as sender:
            for entry in sender.publish(list(events)):
                assert "seq" in entry, entry
    return happens


def order(method, **params):
    return lambda core: core.control(method, params)


def join(core):
    """H-7 and H-1, which share a telephone: first thought to be one household, then two."""
    entry = core.control("duplicate.list")["duplicates"][0]
    core.two = {"household": entry["household"], "other": entry["other"]}
    core.control("duplicate.settle", {**core.two, "same": True})


def part(core):
    core.control("duplicate.settle", {**core.two, "same": False})


def policy(old, new):
    def happens(core):
        done = core.run("vigiectl", "policy", "apply", world.policy(core.folder, (old, new)))
        assert done.returncode == 0, done.stderr
    return happens


def nothing(core):
    pass


DAYS = [
    ("2015-03-03", order("visit.confirm", visit=1, day="2015-03-20", half="pm")),
    ("2015-03-04", publish(world.notice("H-2", "n1", time="2015-03-04T09:00:00Z"))),
    ("2015-03-05", nothing),
    ("2015-03-06", publish(world.request("H-1", "R2", time="2015-03-06T09:00:00Z"))),
    ("2015-03-20", order("case.derogate", case=3, allow=True, until="2015-04-30")),
    ("2015-03-24", join),
    ("2015-04-02", nothing),
    ("2015-04-10", order("event.retract", source=OWN, id="e-R2", reason="erreur")),
    ("2015-04-11", part),
    ("2015-05-04", policy('derogation = "auto"', 'derogation = "never"')),
    ("2015-06-30", order("case.close", case=4, reason="unreachable")),
    ("2015-11-20", nothing),
]


@pytest.fixture
def town(start):
    core = start(rehearse=world.DAY, workers=("vigie-notify", "vigie-schedule"),
                 extra="snapshot_every = 40;")
    with Sender(core.intake) as sender:
        for entry in sender.publish(world.first_events()):
            assert "seq" in entry, entry
    core.control("clock.advance", {"to": FIRST})
    return core


def test_every_day_is_told_months_later_as_it_was_told_that_day(town):
    noted = live(town, DAYS)
    digest = town.digest()

    for day, said in noted.items():
        numbers = [number for kind, method, number in said if kind == "control" and number]
        assert as_bytes(asked_later(town, day, numbers)) == as_bytes(said), day
    assert town.digest() == digest
    lists = [json.dumps(without(said["control", "queue.list", 0], "seq", "today"))
             for said in noted.values()]
    assert len(set(lists)) > 8, "the days differ, or nothing was shown"
    assert town.control("verify")["ok"]


def damage(path):
    """A snapshot; one that was just replaced by a newer one needs none."""
    try:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    except FileNotFoundError:
        pass


def test_a_day_is_told_the_same_after_a_restart_and_from_a_damaged_snapshot(town):
    noted = live(town, DAYS[:4])
    town.restart()
    town.control("clock.advance", {"to": "2015-06-01"})
    snapshots = sorted((town.folder / "state/snapshots").glob("*.state"))
    day, said = list(noted.items())[-1]
    from_snapshot = asked_later(town, day, [1, 2])

    assert snapshots
    for path in snapshots:
        damage(path)
    from_first_event = asked_later(town, day, [1, 2])

    assert as_bytes(from_snapshot) == as_bytes(from_first_event)
    assert from_snapshot["control", "queue.list", 0] == said["control", "queue.list", 0]


def test_the_day_that_is_not_over_is_told_as_it_is_now(town):
    now = town.control("case.explain", {"case": 1})
    listed = town.control("queue.list")

    assert town.control("case.explain", {"case": 1, "on": FIRST}) == {**now, "on": FIRST}
    assert town.control("queue.list", {"on": FIRST}) == {**listed, "on": FIRST}


def test_filters_and_limits_hold_on_a_past_day_too(town):
    town.control("clock.advance", {"to": "2015-04-01"})
    town.control("case.close", {"case": 1, "reason": "done"})

    dole = town.control("queue.list", {"sector": "dole", "limit": 1, "on": FIRST})
    deferred = town.control("queue.list", {"state": "deferred", "on": FIRST})

    assert dole["total"] == 5 and [case["case"] for case in dole["cases"]] == [1]
    assert [case["case"] for case in deferred["cases"]] == [3]
    assert (dole["today"], dole["on"]) == (FIRST, FIRST)


def test_the_past_is_told_with_the_words_of_that_day(town):
    town.control("clock.advance", {"to": "2015-03-10"})
    with Sender(town.intake) as sender:
        sender.publish([world.notice("H-2", "n1", time="2015-03-10T09:00:00Z",
                                     supplier="Régie Tardive")])

    later = town.control("case.explain", {"case": 2})
    then = town.control("case.explain", {"case": 2, "on": FIRST})

    assert "Régie Tardive" in json.dumps(later, ensure_ascii=False)
    assert "Régie Tardive" not in json.dumps(then, ensure_ascii=False)
    assert then["cutoffs"] == []


def test_who_was_erased_since_has_a_place_and_no_reason(town):
    before = town.control("queue.list")["cases"]
    town.control("clock.advance", {"to": "2015-03-10"})
    town.control("household.erase", {"case": 1})

    for kind in KINDS:
        call = getattr(town, kind)
        after = call("queue.list", {"on": FIRST})["cases"]
        assert [(case["case"], case["rank"]) for case in after] == [
            (case["case"], case["rank"]) for case in before]
        assert after[0]["case"] == 1 and after[0]["reasons"] == []
        assert after[0].get("why") is None and "infant" not in json.dumps(after[0])
        with pytest.raises(Refused) as refused:
            call("case.explain", {"case": 1, "on": FIRST})
        assert refused.value.data["code"] == "erased"


def test_the_status_socket_tells_codes_of_a_past_day_and_no_words(town):
    town.control("clock.advance", {"to": "2015-03-10"})

    explained = town.status("case.explain", {"case": 1, "on": FIRST})
    listed = town.status("queue.list", {"on": FIRST})["cases"]

    assert explained["reasons"] == [{"code": "infant", "days": 31}]
    assert not {"sentence", "cutoffs", "before", "why"} & set(explained)
    assert all("why" not in case for case in listed)
    said = json.dumps([explained, listed], ensure_ascii=False)
    assert [word for word in world.PERSONAL if word in said] == []


@pytest.mark.parametrize("params, code, path, words", [
    ({"case": 1, "on": "2015-03-01"}, "not_found", "on", "begins on 2015-03-02"),
    ({"case": 1, "on": "1969-12-31"}, "not_found", "on", "begins on 2015-03-02"),
    ({"case": 1, "on": "2015-03-11"}, "bad_request", "on", "today is 2015-03-10"),
    ({"case": 1, "on": "2015-02-29"}, "bad_request", "on", "YYYY-MM-DD"),
    ({"case": 1, "on": "3 mars 2015"}, "bad_request", "on", "YYYY-MM-DD"),
    ({"case": 1, "on": ""}, "bad_request", "on", "YYYY-MM-DD"),
    ({"case": 1, "on": 20150303}, "bad_request", "on", "YYYY-MM-DD"),
    ({"case": 1, "on": None}, "bad_request", "on", "YYYY-MM-DD"),
    ({"case": 9, "on": FIRST}, "not_found", "case", "on that day"),
    ({"case": 0, "on": FIRST}, "not_found", "case", "on that day"),
    ({"on": FIRST}, "bad_request", "case", "missing"),
])
def test_what_cannot_be_told_of_the_past_is_refused(town, params, code, path, words):
    town.control("clock.advance", {"to": "2015-03-10"})
    digest = town.digest()

    for kind in KINDS:
        with pytest.raises(Refused) as refused:
            getattr(town, kind)("case.explain", params)
        assert (refused.value.data["code"], refused.value.data["path"]) == (code, path)
        assert words in refused.value.data["text"]
    assert town.digest() == digest


def test_a_sector_the_past_did_not_know_is_refused(town):
    town.control("clock.advance", {"to": "2015-03-10"})

    with pytest.raises(Refused) as refused:
        town.control("queue.list", {"sector": "revermont", "on": FIRST})
    with pytest.raises(Refused) as shown:
        town.control("case.show", {"case": 1, "on": FIRST})

    assert refused.value.data["path"] == "sector"
    assert (shown.value.data["code"], shown.value.data["path"]) == ("bad_request", "on")


# --- long questions -------------------------------------------------------------------------------

def say(core, *requests):
    """Several requests in one piece; the answers in the order in which they come."""
    lines = b"".join(json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                                 "params": params}).encode() + b"\n"
                     for number, (method, params) in enumerate(requests))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(60)
        sock.connect(str(core.folder / "control.sock"))
        sock.sendall(lines)
        stream = sock.makefile("rb")
        return [json.loads(stream.readline()) for _ in requests]


def test_the_core_goes_on_while_a_long_question_is_worked_on(town):
    town.control("clock.advance", {"to": "2015-03-10"})

    answers = say(town, ("verify", {}), ("queue.list", {"on": FIRST}),
                  ("case.close", {"case": 1, "reason": "done"}), ("status", {}))

    first = answers.pop(0)
    assert first["id"] == 3, "asked last, answered first: nothing waits for a replay"
    found = {answer["id"]: answer["result"] for answer in answers}
    assert found[0]["ok"] and found[1]["cases"][0]["case"] == 1 and found[2]["seq"]


@pytest.mark.parametrize("id", ['"a\\"b"', "null", "-7", "12345678901"])
def test_a_long_question_is_answered_under_its_own_id(town, id):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(60)
        sock.connect(str(town.folder / "control.sock"))
        sock.sendall(b'{"jsonrpc":"2.0","id":%s,"method":"verify"}\n' % id.encode())
        answer = json.loads(sock.makefile("rb").readline())

    assert answer["jsonrpc"] == "2.0" and answer["id"] == json.loads(id)
    assert answer["result"]["ok"] and len(answer) == 3


def test_verify_compares_with_the_moment_it_was_asked(town):
    before = town.status("status", {"digest": True})

    answers = say(town, ("verify", {}), ("case.close", {"case": 1, "reason": "done"}))

    found = {answer["id"]: answer["result"] for answer in answers}
    assert found[0] == {"events": before["seq"], "digest": before["digest"], "ok": True}
    assert town.digest() != before["digest"]


def test_too_many_long_questions_are_refused_and_then_taken_again(town):
    town.control("clock.advance", {"to": "2015-03-10"})

    answers = say(town, *[("queue.list", {"on": FIRST})] * 4)

    refused = [answer["error"]["data"] for answer in answers if "error" in answer]
    assert [(data["code"], data["retry_after_ms"]) for data in refused] == [("busy", 1000)] * 2
    assert sum("result" in answer for answer in answers) == 2
    assert town.control("queue.list", {"on": FIRST})["total"] == 6


def children(core):
    """Those at work: a snapshot's child that has ended is seen to at the next turn."""
    pid = core.processes["vigied"].pid
    numbers = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [number for number in numbers if not is_over(number)]


def is_over(number):
    try:
        return "State:\tZ" in pathlib.Path(f"/proc/{number}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def verifies(core):
    """Or not now, when others are at work."""
    try:
        return core.control("verify")["ok"]
    except Refused as refused:
        assert refused.data["code"] == "busy"
        return False


def test_a_core_that_stops_ends_its_long_questions(town):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(60)
        sock.connect(str(town.folder / "control.sock"))
        sock.sendall(b'{"jsonrpc":"2.0","id":1,"method":"verify"}\n' * 2)
        town.stop("vigied")

    town.start_core()
    assert town.control("verify")["ok"]


def test_who_hangs_up_leaves_no_child_behind(town):
    for _ in range(5):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(town.folder / "control.sock"))
            sock.sendall(b'{"jsonrpc":"2.0","id":1,"method":"verify"}\n')

    wait_for(lambda: verifies(town), "a place for another long question")
    wait_for(lambda: not children(town), "the end of the children")
