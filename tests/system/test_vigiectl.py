"""vigiectl against a core made of Python: what it asks, what it prints, how it ends."""

import base64
import contextlib
import datetime
import json
import os
import pathlib
import pty
import re
import socket
import subprocess
import threading
import time

import msgpack
import pytest

import world

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VIGIE_BUILD", ROOT / "build"))
VIGIECTL = str((BUILD / "tools" / "vigiectl" / "vigiectl").resolve())
JURA = ROOT / "config" / "jura" / "policy.conf"


class FakeCore:
    """Listens on both sockets, notes every request, answers as told."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = []
        self.answers = {}
        self.delay = 0
        self.listeners = []
        for name in ("status.sock", "control.sock"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(folder / name))
            listener.listen()
            self.listeners.append(listener)
            threading.Thread(target=self.serve, args=(listener, name), daemon=True).start()

    def serve(self, listener, name):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.converse, args=(connection, name), daemon=True).start()

    def converse(self, connection, name):
        with contextlib.suppress(ConnectionError), connection, connection.makefile("rwb") as stream:
            for line in stream:
                answer = self.answer(name, line)
                if not answer:
                    break
                stream.write(answer)
                stream.flush()

    def answer(self, name, line):
        request = json.loads(line)
        assert request["jsonrpc"] == "2.0"
        self.asked.append((name.split(".")[0], request["method"], request.get("params")))
        time.sleep(self.delay)
        answer = self.answers.get(request["method"], {"result": {"seq": 7}})
        if callable(answer):
            answer = answer()
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, bytes):
            return answer
        return json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}).encode() + b"\n"

    def command(self, *arguments):
        sockets = ["--status-socket", str(self.folder / "status.sock"),
                   "--control-socket", str(self.folder / "control.sock")]
        return [VIGIECTL, *map(str, arguments), *sockets]

    def run(self, *arguments):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=90)

    def close(self):
        for listener in self.listeners:
            listener.close()


@pytest.fixture
def core(tmp_path):
    core = FakeCore(tmp_path)
    yield core
    core.close()


def run(*arguments):
    # The C library's argp leaks a byte for each --help, which a sanitized build would report.
    quiet = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    return subprocess.run([VIGIECTL, *map(str, arguments)], capture_output=True, text=True,
                          env=quiet)


# --- what each command asks -----------------------------------------------------------------------

REQUESTS = [
    ("status", "status", "status", {}),
    ("queue list", "control", "queue.list", {}),
    ("queue list --sector dole --tier cut --state waiting --limit 20", "control", "queue.list",
     {"sector": "dole", "tier": "cut", "state": "waiting", "limit": 20}),
    ("queue list --sector dole --on 2015-06-30", "control", "queue.list",
     {"sector": "dole", "on": "2015-06-30"}),
    ("case explain 12", "control", "case.explain", {"case": 12}),
    ("case explain 12 --on 2015-06-30", "control", "case.explain",
     {"case": 12, "on": "2015-06-30"}),
    ("case show 12", "control", "case.show", {"case": 12}),
    ("case close 12 unreachable", "control", "case.close", {"case": 12, "reason": "unreachable"}),
    ("case derogate 12 allow --until 2015-06-30", "control", "case.derogate",
     {"case": 12, "allow": True, "until": "2015-06-30"}),
    ("case derogate 12 deny --until 2015-06-30", "control", "case.derogate",
     {"case": 12, "allow": False, "until": "2015-06-30"}),
    ("visit list --week 2015-W53 --pair p1 --state confirmed --limit 3", "status", "visit.list",
     {"week": "2015-W53", "pair": "p1", "state": "confirmed", "limit": 3}),
    ("visit list --from 2015-01-01 --to 2015-02-01", "status", "visit.list",
     {"from": "2015-01-01", "to": "2015-02-01"}),
    ("visit confirm 5", "control", "visit.confirm", {"visit": 5}),
    ("visit confirm 5 --day 2015-03-03 --half pm", "control", "visit.confirm",
     {"visit": 5, "day": "2015-03-03", "half": "pm"}),
    ("visit move 5 2015-03-03 am", "control", "visit.move",
     {"visit": 5, "day": "2015-03-03", "half": "am"}),
    ("visit move 5 2015-03-03 am --by household", "control", "visit.move",
     {"visit": 5, "day": "2015-03-03", "half": "am", "by": "household"}),
    ("visit cancel 5 --by pair", "control", "visit.cancel", {"visit": 5, "by": "pair"}),
    ("visit record 5 no_show", "control", "visit.record", {"visit": 5, "result": "no_show"}),
    ("visit record 5 done --second-visit --onward fsl,legal", "control", "visit.record",
     {"visit": 5, "result": "done", "second_visit": True, "onward": ["fsl", "legal"]}),
    ("visit sheet p1 2015-W12", "control", "visit.sheet", {"pair": "p1", "week": "2015-W12"}),
    ("pair absent p1 2015-03-02 2015-03-06", "control", "pair.absent",
     {"pair": "p1", "from": "2015-03-02", "to": "2015-03-06"}),
    ("pair list", "control", "pair.list", {}),
    ("sector list", "status", "sector.list", {}),
    ("giver list --sector dole --kind supplier --quiet --unknown --limit 9", "status", "giver.list",
     {"sector": "dole", "kind": "supplier", "quiet": True, "unknown": True, "limit": 9}),
    ("giver show TS1", "control", "giver.show", {"giver": "TS1"}),
    ("household show 7", "control", "household.show", {"household": 7}),
    ("duplicate list", "control", "duplicate.list", {}),
    ("duplicate settle 3 4 same", "control", "duplicate.settle",
     {"household": 3, "other": 4, "same": True}),
    ("duplicate settle 3 4 different", "control", "duplicate.settle",
     {"household": 3, "other": 4, "same": False}),
    ("event retract urn:fsl e-1 typo", "control", "event.retract",
     {"source": "urn:fsl", "id": "e-1", "reason": "typo"}),
    ("event suspects", "control", "event.suspects", {}),
    ("event admit urn:fsl e-1", "control", "event.admit", {"source": "urn:fsl", "id": "e-1"}),
    ("household erase 12 --forever", "control", "household.erase", {"case": 12}),
    ("task list --state buried --kind mail --limit 5", "status", "task.list",
     {"state": "buried", "kind": "mail", "limit": 5}),
    ("task kick 9", "control", "task.kick", {"task": 9}),
    ("task kick --buried", "control", "task.kick", {"state": "buried"}),
    ("task kick --retrying", "control", "task.kick", {"state": "retrying"}),
    ("report", "status", "report", {}),
    ("report --year 2015 --sector all --kind workshop --kind all,unknown", "status", "report",
     {"year": 2015, "sector": "all", "kind": ["workshop", "all", "unknown"]}),
    ("report --full --csv", "control", "report", {"full": True}),
    (f"mail preview 9 --templates {ROOT}/config/jura/templates", "control", "mail.preview",
     {"task": 9}),
    ("verify", "control", "verify", {}),
    ("clock advance 2015-03-06", "control", "clock.advance", {"to": "2015-03-06"}),
    ("clock advance 2015-03-06T12:00:00+01:00", "control", "clock.advance",
     {"to": "2015-03-06T12:00:00+01:00"}),
]


@pytest.mark.parametrize("line, name, method, params", REQUESTS, ids=[row[0] for row in REQUESTS])
def test_a_command_asks_one_thing_of_the_right_socket(core, line, name, method, params):
    core.run(*line.split())

    assert core.asked == [(name, method, params)]


def test_every_command_but_one_is_asked_above_or_below():
    special = {"policy check", "policy diff", "policy apply"}
    asked = {row[0] for row in REQUESTS}

    for words in commands():
        assert words in special or any(line.startswith(words) for line in asked), words


def test_options_may_stand_before_the_command(core):
    end = subprocess.run([VIGIECTL, "--json", *core.command()[1:], "case", "close", "1", "done"],
                         capture_output=True, text=True)

    assert end.returncode == 0
    assert core.asked == [("control", "case.close", {"case": 1, "reason": "done"})]


def test_the_sockets_are_found_in_the_configuration(core, tmp_path):
    config = tmp_path / "vigie.conf"
    sample = (ROOT / "config" / "vigie.conf").read_text()
    for name in ("status", "control"):
        sample, count = re.subn(rf'(?m)^#?\s*{name}_socket = .*$',
                                f'{name}_socket = "{tmp_path}/{name}.sock";', sample)
        assert count == 1
    config.write_text(sample)

    assert run("--config", config, "status").returncode == 0
    assert run("verify", "--config", config).returncode == 1  # the answer says nothing of "ok"
    assert [name for name, _, _ in core.asked] == ["status", "control"]


def test_a_configuration_with_mistakes_is_told(tmp_path):
    config = tmp_path / "vigie.conf"
    config.write_text("\nno_such_option = 1;\n")

    end = run("status", "--config", config)

    assert end.returncode == 2
    assert f"{config}:2: " in end.stderr


# --- tables ---------------------------------------------------------------------------------------

CASES = [
    {"rank": 1, "case": 12, "state": "waiting", "sector": "dole", "tier": "cut",
     "effective_date": "2015-01-03", "reasons": [], "why": "Électricité coupée le 2 mars."},
    {"rank": 10, "case": 3, "state": "deferred", "sector": "Côtes-du-Jura", "tier": "normal",
     "effective_date": "2015-02-02", "reasons": [], "why": None},
    {"rank": 11, "case": 4, "state": "waiting", "sector": None, "tier": "urgent",
     "effective_date": "2015-02-03", "reasons": [], "why": "Œuvre à 日本."},
]


def answer_queue(core):
    core.answers["queue.list"] = {"result": {"seq": 9, "today": "2015-03-04", "total": 143,
                                             "cases": CASES}}


def test_a_list_is_aligned_by_what_is_seen(core):
    answer_queue(core)

    lines = core.run("queue", "list").stdout.splitlines()

    assert lines == [
        "RANK  CASE  STATE     SECTOR         TIER    AS IF SINCE  WHY",
        "   1    12  waiting   dole           cut     2015-01-03   Électricité coupée le 2 mars.",
        "  10     3  deferred  Côtes-du-Jura  normal  2015-02-02   -",
        "  11     4  waiting   -              urgent  2015-02-03   Œuvre à 日本.",
        "3 of 143 cases, 2015-03-04",
    ]


def test_wide_letters_take_two_cells(core):
    rows = [{"rank": 1, "case": 1, "state": "waiting", "tier": "normal", "sector": "日本",
             "effective_date": "2015-01-01", "why": "x"}]
    core.answers["queue.list"] = {"result": {"today": "2015-03-04", "total": 1, "cases": rows}}

    heading, line, _ = core.run("queue", "list").stdout.splitlines()

    assert heading.index("TIER") == line.index("normal") + 2


def test_json_is_the_result_as_it_came(core):
    answer_queue(core)

    end = core.run("queue", "list", "--json")

    assert json.loads(end.stdout) == core.answers["queue.list"]["result"]
    assert len(end.stdout.splitlines()) == 1
    assert "Électricité" in end.stdout


def test_text_from_outside_cannot_command_the_terminal(core):
    name = "Évelyne\x1b[2J\x07\u202e\u2028\nB\x9b31m"
    visit = {"visit": 1, "case": 2, "day": "2015-03-16", "half": "am", "name": name,
             "phone": "03 84 00 00 00", "address": "1\nrue", "commune": "Dole", "persons": 3}
    core.answers["visit.sheet"] = {"result": {"pair": "p1", "week": "2015-W12",
                                              "visits": [visit]}}

    out = core.run("visit", "sheet", "p1", "2015-W12").stdout

    assert len(out.splitlines()) == 3
    assert "Évelyne [2J" in out and "1 rue" in out
    assert not set("\x1b\x07\u202e\u2028\x9b") & set(out)


def test_a_sheet_holds_what_the_pair_needs(core):
    visit = {"visit": 1, "case": 2, "day": "2015-03-16", "half": "am", "name": "É. Vuillemin",
             "phone": "03 84 00 00 00", "address": "7 rue", "commune": "Dole"}
    core.answers["visit.sheet"] = [
        {"result": {"pair": "p1", "week": "2015-W12", "visits": [visit]}},
        {"result": {"pair": "p1", "week": "2015-W13", "visits": []}}]

    full = core.run("visit", "sheet", "p1", "2015-W12").stdout
    empty = core.run("visit", "sheet", "p1", "2015-W13").stdout

    assert full.splitlines()[0] == "p1, week 2015-W12"
    assert all(piece in full for piece in ("É. Vuillemin", "03 84 00 00 00", "7 rue", "Dole"))
    assert empty == "p1, week 2015-W13: no confirmed visit\n"


EXPLAINED = {
    "rank": 3, "case": 12, "state": "waiting", "sector": "dole", "tier": "urgent",
    "effective_date": "2014-11-03", "first_date": "2015-02-02", "eligible": True,
    "sentence": "Comme si elle attendait depuis le 3 novembre.",
    "reasons": [{"code": "infant", "days": 31, "sentence": "31 jours pour un nourrisson"}],
    "cutoffs": [{"energy": "gas", "supplier": "Régie A", "earliest_cut": "2015-04-01",
                 "steps": [{"rule": "notice_1", "date": "2015-02-20"},
                           {"rule": "truce", "date": "2015-04-01"}]}],
    "before": {"case": 7, "sentence": "Elle attend depuis plus longtemps."},
}


def test_an_explanation_gives_reasons_cutoffs_and_the_neighbour(core):
    core.answers["case.explain"] = {"result": EXPLAINED}

    out = core.run("case", "explain", 12).stdout

    assert re.search(r"Case +12\n", out) and re.search(r"Tier +urgent\n", out)
    assert "Comme si elle attendait depuis le 3 novembre." in out
    assert re.search(r"infant +31  31 jours pour un nourrisson", out)
    assert re.search(r"gas +Régie A +2015-04-01 +notice_1 2015-02-20, truce 2015-04-01", out)
    assert "case 7: Elle attend depuis plus longtemps." in out


def test_a_case_shows_the_household_its_facts_visits_and_mails(core):
    core.answers["case.show"] = {"result": {
        **EXPLAINED, "household": 4, "source": "urn:fsl", "subject": "H-1",
        "person": {"name": "Perrine", "phone": "03 84", "email": None, "persons": 2},
        "facts": [{"seq": 3, "day": "2015-02-02", "type": "referral.received", "source": "urn:fsl",
                   "id": "e-1", "data": {"form": "F1", "reasons": ["cold", "damp"]}}],
        "visits": [{"visit": 5, "case": 12, "day": "2015-03-03", "half": "pm", "pair": "p1",
                    "state": "planned"}],
        "mails": [{"task": 8, "kind": "mail", "template": "ack", "state": "done", "attempt": 1,
                   "due": "2015-02-02T12:00:00Z", "case": 12, "to": "TS1"}]}}

    out = core.run("case", "show", 12).stdout

    for piece in ("Perrine", "03 84", "H-1", "referral.received", "form=F1 reasons=cold,damp",
                  "2015-03-03", "ack", "TS1"):
        assert piece in out, piece
    assert "E-mail" not in out


def test_remarks_stand_below_what_was_done(core):
    core.answers["visit.move"] = {"result": {"seq": 9, "remarks": [
        {"path": "day", "text": "1 January 2016 is a public holiday"},
        {"path": "half", "text": "p\x1b1 does not work on Friday mornings"}]}}

    end = core.run("visit", "move", 5, "2016-01-01", "am")

    assert (end.returncode, end.stdout.splitlines()) == (0, [
        "done: event 9", "remark: 1 January 2016 is a public holiday",
        "remark: p 1 does not work on Friday mornings"])


def test_what_can_be_taken_back_says_how(core):
    core.answers = {method: {"result": {"seq": 9, "source": "urn:vigie:control", "id": "ab12"}}
                    for method in ("pair.absent", "event.retract")}

    absent = core.run("pair", "absent", "p1", "2015-03-02", "2015-03-06").stdout
    retract = core.run("event", "retract", "urn:vigie:control", "ab12", "typo").stdout

    assert absent == ("done: event 9\n"
                      "to take it back: vigiectl event retract urn:vigie:control ab12 REASON\n")
    assert retract == "done: event 9\n"


def test_status_names_workers_and_alarms(core):
    core.answers["status"] = {"result": {
        "now": "2015-03-04T10:00:00Z", "rehearsal": False, "seq": 12, "digest": "ab" * 16,
        "policy": {"name": "Jura", "seq": 1},
        "cases": {"open": 3, "by_state": {"waiting": 2}, "by_sector": {"dole": 3}},
        "tasks": {"created": 4, "open": 1}, "workers": [{"name": "notify", "kinds": ["mail"],
                                                         "slots": 4, "busy": 1}],
        "alarms": [{"code": "no_sector", "since": "2015-03-01", "count": 2, "about": ["7", "9"]}]}}

    out = core.run("status").stdout

    assert re.search(r"Last event +12\n", out) and "by_sector     dole=3" in out
    assert re.search(r"notify +mail +4 +1\n", out)
    assert re.search(r"no_sector +2015-03-01 +2 +7,9\n", out)


def test_no_worker_at_all_is_said(core):
    core.answers["status"] = {"result": {"workers": []}}

    assert "none: no mail is sent" in core.run("status").stdout


def test_an_act_tells_the_number_of_its_event(core):
    assert core.run("case", "close", 1, "done").stdout == "done: event 7\n"


def test_kicking_all_tells_how_many(core):
    core.answers["task.kick"] = {"result": {"kicked": 3}}

    assert core.run("task", "kick", "--buried").stdout == "3 kicked\n"


def test_verify_is_refused_when_the_states_differ(core):
    core.answers["verify"] = [{"result": {"events": 5, "digest": "ab", "ok": True}},
                              {"result": {"events": 5, "digest": "cd", "ok": False}},
                              {"result": {"events": 5, "digest": "cd", "ok": False}}]

    good, bad, bad_json = core.run("verify"), core.run("verify"), core.run("verify", "--json")

    assert good.returncode == 0 and "this very state: 5 events, digest ab" in good.stdout
    assert bad.returncode == 1 and "ANOTHER state" in bad.stdout
    assert bad_json.returncode == 1 and json.loads(bad_json.stdout)["ok"] is False


# --- on a terminal --------------------------------------------------------------------------------

def run_on_terminal(command, **environment):
    """stdout and stderr are a terminal; what appeared there, and the exit status."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                               env={**clean, **environment})
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return shown.decode(), process.wait()


def test_colours_are_for_terminals_that_want_them(core):
    answer_queue(core)
    command = core.command("queue", "list")

    assert "\x1b[1;31mcut\x1b[0m" in run_on_terminal(command)[0]
    assert "\x1b" not in run_on_terminal(command, NO_COLOR="1")[0]
    assert "\x1b" not in core.run("queue", "list").stdout


def test_what_takes_long_shows_dots(core):
    core.delay = 2.4
    core.answers["clock.advance"] = {"result": {"now": "2015-03-06T22:59:59Z"}}
    command = core.command("clock", "advance", "2015-03-06")

    shown, status = run_on_terminal(command)
    piped = subprocess.run(command, capture_output=True, text=True)

    assert status == 0 and shown.startswith("..\r\nIt is now 2015-03-06T22:59:59Z")
    assert piped.stderr == ""


def test_an_answer_that_stdout_does_not_take_is_told_with_status_1(core):
    core.answers["report"] = {"result": {"rows": [{"year": year} for year in range(999)]}}
    calls = [core.command("status", "--json"), core.command("queue", "list"),
             core.command("report", "--csv"), [VIGIECTL, "--help"], [VIGIECTL, "--version"],
             [VIGIECTL, "policy", "check", JURA, "--file-only"]]

    for call in calls:
        with open("/dev/full", "w") as full:
            end = subprocess.run(call, stdout=full, stderr=subprocess.PIPE, text=True,
                                 env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})

        assert end.returncode == 1, call
        assert "vigiectl: not all could be written to standard output" in end.stderr


def test_a_long_answer_is_awaited_while_the_core_answers_others(core):
    """It comes only after vigiectl has asked twice whether the core is alive."""
    pings = threading.Semaphore(0)

    def ping():
        pings.release()
        return {"result": {}}

    def verify():
        pings.acquire()
        pings.acquire()
        return {"result": {"ok": True, "events": 5, "digest": "ab"}}

    core.answers.update({"status": ping, "verify": verify})

    end = core.run("verify")

    assert end.returncode == 0 and "5 events" in end.stdout, end.stderr


@pytest.mark.parametrize("call", ["queue list", "verify"])
def test_a_core_that_answers_nothing_at_all_ends_with_status_3(core, call):
    core.answers.update({method: threading.Event().wait
                         for method in ("status", "queue.list", "verify")})

    end = core.run(*call.split())

    assert end.returncode == 3
    assert "does not answer" in end.stderr


# --- refusals and failures ------------------------------------------------------------------------

def refusal(path="visit", text="no visit has this number", code="not_found"):
    return {"error": {"code": -32011, "message": text,
                      "data": {"code": code, "path": path, "text": text}}}


def test_a_refusal_ends_with_status_1_and_says_why(core):
    core.answers["visit.cancel"] = refusal()

    end = core.run("visit", "cancel", 5, "--by", "pair")

    assert (end.returncode, end.stdout) == (1, "")
    assert end.stderr == "vigiectl: visit: no visit has this number (not_found)\n"


def test_an_error_without_data_is_told_by_its_message(core):
    core.answers["status"] = {"error": {"code": -32600, "message": "one object is expected"}}

    end = core.run("status")

    assert end.returncode == 1
    assert end.stderr == "vigiectl: one object is expected\n"


def test_no_daemon_is_status_3(tmp_path):
    for command in (["status"], ["case", "close", "1", "done"]):
        end = run(*command, "--status-socket", tmp_path / "a", "--control-socket", tmp_path / "b")

        assert end.returncode == 3
        assert "no core listens here: No such file" in end.stderr


def test_a_stale_socket_is_no_daemon(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "stale"))

    assert run("status", "--status-socket", tmp_path / "stale").returncode == 3


@pytest.mark.parametrize("line", [b"", b"{}\n", b"no json\n", b"[]\n", b'{"result":\n'])
def test_what_is_no_answer_is_status_3(core, line):
    core.answers["status"] = line

    end = core.run("status")

    assert end.returncode == 3, end.stderr
    assert "core" in end.stderr


MISUSED = [
    ("", "a command is expected"),
    ("queue", "vigiectl queue list"),
    ("quue list", 'no such command: "quue"'),
    ("case close", "CASE is missing"),
    ("case close 1", "REASON is missing: why: done, ineligible"),
    ("case close 1 bored", "REASON: one of these is expected: done, ineligible"),
    ("case close 1 erased", "REASON: one of these is expected: done, ineligible"),
    ("case close 1 done more", 'one argument too many: "more"'),
    ("case close 0 done", "CASE: a number from 1 on is expected"),
    ("case close twelve done", "CASE: a number from 1 on"),
    ("case close 4294967295 done", "CASE: a number from 1 on"),
    ("case close 99999999999999999999 done", "CASE: a number from 1 on"),
    ("case derogate 1 perhaps --until 2015-01-01", "ALLOW: one of these is expected: allow, deny"),
    ("case derogate 1 allow", "--until is missing"),
    ("case derogate 1 allow --until 2015-02-29", "--until: a day as YYYY-MM-DD is expected"),
    ("queue list --limit 10001", "--limit: a number from 1 to 10000"),
    ("queue list --tier worst", "--tier: one of these is expected: cut, critical, urgent, normal"),
    ("queue list --colour", "unrecognized option"),
    ("visit list --week 2015-W54", "--week: a week as 2015-W12 is expected"),
    ("visit list --week 2014-W53", "--week: a week as 2015-W12 is expected"),
    ("visit list --week 2015-12", "--week: a week as 2015-W12 is expected"),
    ("visit move 1 2015-03-03 noon", "HALF: one of these is expected: am, pm"),
    ("visit cancel 1", "--by is missing: who wanted it: household, pair, coordinator"),
    ("visit record 1 done --onward fsl,moon", "--onward: some of these are expected"),
    ("visit record 1 done --onward fsl,fsl", "--onward: some of these are expected"),
    ("visit confirm", "VISIT is missing, or --week with --all"),
    ("visit confirm --week 2015-W12", "VISIT is missing, or --week with --all"),
    ("visit confirm 5 --week 2015-W12 --all", "not both"),
    ("visit confirm --week 2015-W12 --all --half am", "--day and --half are for one visit"),
    ("task kick", "TASK, --buried or --retrying is expected"),
    ("task kick 4 --buried", "TASK, --buried or --retrying is expected"),
    ("task kick --buried --retrying", "TASK, --buried or --retrying is expected"),
    ("household erase 4", "--forever is missing"),
    ("clock advance tomorrow", "TO: a day as YYYY-MM-DD, or a time as"),
]


@pytest.mark.parametrize("line, told", MISUSED, ids=[row[0] or "nothing" for row in MISUSED])
def test_misuse_is_status_2_and_names_what_would_be_right(core, line, told):
    end = core.run(*line.split())

    assert end.returncode == 2
    assert told in re.sub(r"\n(?=\S)", " ", end.stderr)
    assert core.asked == []


def test_text_that_is_no_utf8_or_too_long_is_misuse(core):
    for text in (b"\xff", b"x" * 201, b""):
        end = subprocess.run([*core.command("event", "retract", "urn:fsl", "e-1"), text],
                             capture_output=True)

        assert end.returncode == 2 and b"REASON: 1 to 200 bytes" in end.stderr
    assert core.asked == []


# --- commands of more than one call ---------------------------------------------------------------

def test_confirming_a_week_confirms_each_of_its_visits(core):
    core.answers["visit.list"] = {"result": {"seq": 1, "visits": [{"visit": 3}, {"visit": 8}]}}
    core.answers["visit.confirm"] = [{"result": {"seq": 20}}, {"result": {"seq": 21}}]

    end = core.run("visit", "confirm", "--week", "2015-W12", "--all")

    assert end.returncode == 0
    assert core.asked == [
        ("status", "visit.list", {"week": "2015-W12", "state": "planned", "limit": 10000}),
        ("control", "visit.confirm", {"visit": 3}), ("control", "visit.confirm", {"visit": 8})]
    assert end.stdout == "visit 3: done: event 20\nvisit 8: done: event 21\n"


def test_one_refusal_in_a_week_does_not_stop_the_others(core):
    core.answers["visit.list"] = {"result": {"seq": 1, "visits": [{"visit": 3}, {"visit": 8}]}}
    core.answers["visit.confirm"] = [refusal(), {"result": {"seq": 21}}]

    end = core.run("visit", "confirm", "--week", "2015-W12", "--all")

    assert end.returncode == 1
    assert "visit 8: done: event 21" in end.stdout


def test_a_policy_is_sent_as_its_msgpack(core):
    end = core.run("policy", "apply", JURA)

    assert end.returncode == 0, end.stderr
    (name, method, params), = core.asked
    policy = msgpack.unpackb(base64.b64decode(params["policy"], validate=True))
    assert (name, method) == ("control", "policy.apply")
    assert policy["department"] == "39"
    assert {sector["id"] for sector in policy["sectors"]} >= {"dole", "saint-claude"}


def test_a_policy_is_asked_about_with_a_limit(core):
    end = core.run("policy", "diff", JURA, "--limit", 7)

    assert end.returncode == 0, end.stderr
    (name, method, params), = core.asked
    assert (name, method) == ("control", "policy.diff")
    assert sorted(params) == ["limit", "policy"] and params["limit"] == 7
    assert msgpack.unpackb(base64.b64decode(params["policy"]))["department"] == "39"


def test_a_policy_with_mistakes_is_told_and_not_sent(core, tmp_path):
    bad = tmp_path / "policy.conf"
    bad.write_text('department = "39";\nname = 12;\nno_such = true;\n')

    for words in (("policy", "apply"), ("policy", "check"), ("policy", "diff")):
        end = core.run(*words, bad)

        assert (end.returncode, end.stdout) == (1, "")
        assert f"{bad}:2: " in end.stderr and f"{bad}:3: " in end.stderr
    assert core.asked == []


def test_a_good_policy_is_checked_without_a_core_when_asked_to(core):
    end = core.run("policy", "check", JURA, "--file-only")

    assert (end.returncode, end.stdout) == (0, "This policy holds together.\n")
    assert core.asked == []


def test_remarks_on_a_policy_are_told_with_their_lines(core, tmp_path):
    text = JURA.read_text().replace("closed_sectors = true", "closed_sectors = false")
    text = text.replace('"communes.csv"', f'"{JURA.parent}/communes.csv"')
    policy = tmp_path / "policy.conf"
    policy.write_text(text)
    at = [number for number, line in enumerate(text.splitlines(), 1) if '{ id = "' in line][:4]

    end = core.run("policy", "check", policy, "--file-only")

    assert (end.returncode, end.stdout) == (0, "This policy holds together.\n")
    assert [line[:line.index("though")] for line in end.stderr.splitlines()] == [
        f"{policy}:{line}: sectors[{number}]: no pair visits it while it is closed, "
        for number, line in enumerate(at)]


def test_a_good_policy_is_checked_by_the_core_too(core):
    core.answers["policy.check"] = [
        {"result": {"seq": 9, "ok": True, "mistakes": []}},
        {"result": {"seq": 9, "ok": False,
                    "mistakes": [{"path": "pairs[0].id", "text": "is awaited"},
                                 {"path": "nowhere", "text": "is in use"}]}}]

    good_one = core.run("policy", "check", JURA)
    refused = core.run("policy", "check", JURA)

    assert (good_one.returncode, good_one.stderr) == (0, "")
    assert good_one.stdout == "This policy holds together, and can be applied.\n"
    at = JURA.read_text().splitlines().index(
        '  { id = "binome-1"; name = "Binôme du Jura"; email = "binome@exemple.test";') + 1
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [f"{JURA}:{at}: pairs[0].id: is awaited",
                                           f"{JURA}:1: nowhere: is in use"]
    assert [method for _, method, _ in core.asked] == ["policy.check"] * 2


# --- report ---------------------------------------------------------------------------------------

ROW = {"year": 2015, "sector": "dole", "kind": "department_social_worker", "referrals": 81,
       "share_percent": 79.4, "visits": None, "visits_per_1000_households": None,
       "days_to_visit_median": None, "onward": {"fsl": None, "legal": 7},
       "days_from_opening_to_referral": 3,
       "hidden": ["visits", "visits_per_1000_households", "days_to_visit_median", "onward.fsl"]}


def tell_report(core, hidden_below):
    core.answers["report"] = {"result": {"seq": 7, "today": "2015-12-31",
                                         "hidden_below": hidden_below, "rows": [ROW]}}


def test_a_report_says_what_it_hides(core):
    tell_report(core, 5)

    lines = core.run("report").stdout.splitlines()

    assert lines[1].split()[:8] == ["2015", "dole", "department_social_worker", "81", "79.4", "*",
                                    "*", "*"]
    assert lines[2].startswith("* hidden")


def test_a_report_for_a_spreadsheet_is_in_french(core):
    tell_report(core, 5)

    text = core.run("report", "--csv").stdout
    heading, line = (row.split(";") for row in text.removeprefix("\ufeff").splitlines())
    values = dict(zip(heading, line, strict=True))

    assert text.startswith("\ufeff")
    assert values["Année"] == "2015" and values["Signalements"] == "81"
    assert values["Donneurs d’alerte"] == "travailleurs sociaux du département"
    assert values["Part (%)"] == "79,4" and values["Visites"] == "secret"
    assert values["Orientations : FSL"] == "secret" and values["Orientations : droit"] == "7"
    assert values["Désistements"] == ""


def test_a_report_is_one_thing_or_the_other(core):
    done = core.run("report", "--csv", "--json")

    assert done.returncode == 2 and "one of both" in done.stderr and core.asked == []


# --- what is made from the table ------------------------------------------------------------------

def commands():
    text = run("--help").stdout
    listed = text[text.index("each with its own --help"):]
    return re.findall(r"(?m)^  (\w+(?: \w+)?)(?=  |$)", listed)


def test_every_command_has_help():
    assert len(commands()) == 33
    for words in commands():
        end = run(*words.split(), "--help")

        assert end.returncode == 0
        assert end.stdout.startswith(f"Usage: vigiectl {words} [OPTION...]")


def test_the_help_keeps_its_columns():
    """A line that argp broke would begin at the margin."""
    listed = run("--help").stdout.split("each with its own --help:\n")[1].split("\n\nStatus")[0]

    assert [line for line in listed.splitlines() if not line.startswith("  ")] == []
    for words in commands():
        lines = run(*words.split(), "--help").stdout.split("\n\n", 1)[1].splitlines()

        assert [line for line in lines if line and not line.startswith("  ")] == [], words


def test_an_empty_list_says_none_and_json_stays_as_it_came(core):
    for call, key in (("giver list --quiet", "givers"), ("visit list", "visits"),
                      ("task list", "tasks"), ("sector list", "sectors"),
                      ("duplicate list", "duplicates"), ("event suspects", "events")):
        core.answers[call.replace(" ", ".", 1).split()[0]] = {"result": {key: []}}

        assert core.run(*call.split()).stdout == "none\n"
        assert core.run(*call.split(), "--json").stdout == f'{{"{key}":[]}}\n'


def test_the_completion_is_current():
    stored = (ROOT / "tools" / "vigiectl" / "completion.bash").read_text()

    assert stored == run("--completion").stdout, "make it with vigiectl --completion"


def complete(line):
    """What bash offers after `line`."""
    words = line.split(" ")
    script = f"""
        source {ROOT}/tools/vigiectl/completion.bash
        COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
        _vigiectl; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    end = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert end.stderr == ""
    return end.stdout.split()


def test_the_completion_completes():
    assert "queue" in complete("vigiectl ") and "visit" in complete("vigiectl ")
    assert complete("vigiectl ca") == ["case"]
    assert complete("vigiectl case ") == ["explain", "show", "close", "derogate"]
    assert complete("vigiectl queue list --ti") == ["--tier"]
    assert complete("vigiectl queue list --tier ") == ["cut", "critical", "urgent", "normal"]
    assert complete("vigiectl --config x visit record 5 mo") == ["moved_away"]
    assert complete("vigiectl visit record 5 done --sec") == ["--second-visit"]


@pytest.mark.parametrize("document", ["docs/vigiectl.1.scd", "docs/control.md"])
def test_the_documents_name_every_command(document):
    text = (ROOT / document).read_text()

    for words in commands():
        name = f"*{words}*" if document.endswith("scd") else f"`{words.replace(' ', '.')}`"
        assert name in text or words == "policy check", words


def test_the_manual_page_is_well_formed():
    with open(ROOT / "docs" / "vigiectl.1.scd", "rb") as page:
        end = subprocess.run(["scdoc"], stdin=page, capture_output=True)

    assert end.returncode == 0, end.stderr


# --- the real core --------------------------------------------------------------------------------

@pytest.fixture
def town(start):
    return world.populate(start(rehearse=world.DAY, workers=("vigie-notify", "vigie-schedule")))


def good(town, *arguments):
    end = town.run("vigiectl", *map(str, arguments))
    assert (end.returncode, end.stderr) == (0, ""), arguments
    return end.stdout


def test_the_real_core_takes_every_question(town):
    assert "notify" in good(town, "status")
    assert "signalée le 2 mars 2015" in good(town, "queue", "list", "--sector", "dole")
    assert "Reasons" in good(town, "case", "explain", 1)
    assert world.NAMES["H-1"] in good(town, "case", "show", 1)
    assert re.search(r"planned +dole", good(town, "visit", "list", "--state", "planned"))
    assert good(town, "visit", "list", "--week", "2015-W10", "--pair", "nobody") == "none\n"
    assert "OTHER CASE" in good(town, "duplicate", "list")
    assert re.search(r"dole +yes +2014-01-01 +2015-12-31 +2017-01-01", good(town, "sector", "list"))
    assert re.search(r"TS1 +active +department_social_worker", good(town, "giver", "list"))
    assert good(town, "giver", "list", "--quiet") == good(town, "giver", "list", "--unknown") == "none\n"
    assert "giver.registered" in good(town, "giver", "show", "TS1")
    assert "done" in good(town, "task", "list", "--kind", "mail", "--limit", 5)
    assert "this very state" in good(town, "verify")


def test_the_real_core_takes_every_order(town):
    planned = json.loads(good(town, "visit", "list", "--state", "planned", "--json"))["visits"]
    first, second = planned[0], planned[1]
    week = "2015-W%02d" % datetime.date.fromisoformat(first["day"]).isocalendar().week
    duplicate = json.loads(good(town, "duplicate", "list", "--json"))["duplicates"][0]

    good(town, "visit", "confirm", "--week", week, "--all")
    assert world.NAMES["H-1"] in good(town, "visit", "sheet", first["pair"], week)
    good(town, "visit", "move", second["visit"], "2015-03-26", "pm", "--by", "household")
    good(town, "visit", "cancel", second["visit"], "--by", "pair")
    good(town, "clock", "advance", first["day"])
    good(town, "visit", "record", first["visit"], "done", "--second-visit", "--onward", "fsl,legal")
    good(town, "duplicate", "settle", duplicate["household"], duplicate["other"], "different")
    good(town, "case", "derogate", 3, "allow", "--until", "2015-06-30")
    good(town, "case", "close", 3, "unreachable")
    good(town, "pair", "absent", first["pair"], "2015-03-09", "2015-03-10")
    good(town, "policy", "apply", JURA)
    good(town, "clock", "advance", "2015-03-06")
    assert good(town, "task", "kick", "--buried") == "0 kicked\n"
    good(town, "household", "erase", 4, "--forever")


def test_a_mistaken_absence_is_found_and_taken_back(town):
    done = good(town, "pair", "absent", "binome-1", "2015-03-09", "2016-03-10").splitlines()
    listed = good(town, "pair", "list")
    _, back = done[-1].split("vigiectl ")
    source, id = back.split()[2:4]

    assert re.search(r"binome-1 +Binôme du Jura +\d+ +tue.am,tue.pm,wed.am", listed)
    assert re.search(rf"binome-1 +2015-03-09 +2016-03-10 +{source} +{id}\n", listed)
    good(town, *back.replace("REASON", "typo").split())
    assert "Away" not in good(town, "pair", "list")


def test_the_real_core_tells_why_it_was_so_then(town):
    before = good(town, "case", "explain", 1, "--on", world.LATER)
    listed = good(town, "queue", "list", "--on", world.LATER)
    as_json = json.loads(good(town, "queue", "list", "--json"))
    good(town, "case", "close", 1, "unreachable")
    good(town, "clock", "advance", "2015-09-01")

    assert re.search(rf"As of +{world.LATER}\n", before)
    assert good(town, "case", "explain", 1, "--on", world.LATER) != before, "closed on that day"
    assert "unreachable" in good(town, "case", "explain", 1)
    assert listed.endswith(f"5 of 5 cases, {world.LATER}\n")
    assert json.loads(good(town, "queue", "list", "--on", world.DAY, "--json"))["on"] == world.DAY
    assert [case["case"] for case in as_json["cases"]] == [1, 2, 3, 4, 6]
    end = town.run("vigiectl", "case", "explain", "1", "--on", "2015-02-01")
    assert end.returncode == 1
    assert end.stderr == ("vigiectl: on: the journal begins on 2015-03-02; nothing is known of the "
                          "days before (not_found)\n")
    assert town.run("vigiectl", "queue", "list", "--on", "30/06/2015").returncode == 2


def test_the_real_core_refuses_with_its_own_words(town):
    end = town.run("vigiectl", "case", "explain", "4711")

    assert end.returncode == 1
    assert end.stderr == "vigiectl: case: no case has this number (not_found)\n"
