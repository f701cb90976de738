"""An event that makes the core end each time it is tried: it is found, refused and told; nothing else is lost.

The programs are those that are installed. The ends come from a library (tests/lib/poison.c) that is loaded
into the core from outside and aborts when an event whose id, or a worker's answer whose code, begins with
"deadly-" passes through.
"""
import signal
import threading
import time

import pytest

import world
from conftest import BUILD, Refused
from sender import Sender
from test_crash import Worker, one_referral

ENDS = 4  # three before the core is careful, and one more


class Published(threading.Thread):
    """A sender that asks again until everything has its answer, whatever becomes of the core meanwhile."""

    def __init__(self, core, events):
        super().__init__(daemon=True)
        self.core, self.events = core, events
        self.start()

    def run(self):
        with Sender(self.core.intake, timeout=1, tries=100) as sender:
            self.answers = sender.publish(self.events)


def keep_alive(core, published):
    """Starts the core each time it ends, as systemd does, until all is answered; the codes it ended with."""
    codes = []
    while published.is_alive():
        published.join(0.01)
        if core.processes["vigied"].poll() is not None:
            codes.append(core.processes["vigied"].returncode)
            assert len(codes) < 4 * ENDS, "it ends for ever"
            core.spawn("vigied", "--rehearse", core.rehearse)
    return codes


def publish(core, *events):
    published = Published(core, list(events))
    codes = keep_alive(core, published)
    return published.answers, codes


def deadly(household, number):
    return world.request(household, number, id=f"deadly-{number}")


def suspects(core):
    return [event["id"] for event in core.control("event.suspects")["events"]]


def alarmed(core):
    """How many suspects the alarm tells of."""
    return sum(alarm["count"] for alarm in core.status("status")["alarms"]
               if alarm["code"] == "suspect_event")


@pytest.fixture
def core(start, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", str(BUILD / "tests" / "lib" / "poison.so"))
    return start(rehearse=world.DAY)


def mend(core, monkeypatch):
    """An orderly stop, and a program without the fault."""
    monkeypatch.delenv("LD_PRELOAD")
    core.restart()


# the core ends four times, then refuses the event; what came with it in one request is taken
def test_a_deadly_event_is_refused_at_last(core):
    answers, codes = publish(core, world.request("H-1", "R1"), deadly("H-2", "R2"),
                             world.request("H-3", "R3"))

    assert codes == [-signal.SIGABRT] * ENDS
    assert ["seq" in answer for answer in answers] == [True, False, True]
    assert (answers[1]["error"]["code"], answers[1]["error"]["path"]) == ("internal", "id")
    assert "vigiectl event admit" in answers[1]["error"]["text"]
    assert suspects(core) == ["deadly-R2"]
    assert alarmed(core) == 1
    shown = core.run("vigiectl", "event", "suspects").stdout
    assert "urn:fsl:39" in shown and "deadly-R2" in shown


# once known it ends nothing any more, also after a restart; other events come and go as ever
def test_a_suspect_stays_refused(core):
    publish(core, deadly("H-2", "R2"))
    core.restart()

    answers, codes = publish(core, deadly("H-2", "R2"), world.request("H-2", "R4"))

    assert codes == []
    assert answers[0]["error"]["code"] == "internal" and "seq" in answers[1]
    assert suspects(core) == ["deadly-R2"]


# two of them in one request: each is found, the second while the core is still careful
def test_each_deadly_event_is_found(core):
    answers, codes = publish(core, deadly("H-1", "R1"), world.request("H-3", "R3"),
                             deadly("H-2", "R2"))

    assert codes == [-signal.SIGABRT] * (ENDS + 1)
    assert [answer.get("error", {}).get("code") for answer in answers] == \
        ["internal", None, "internal"]
    assert suspects(core) == ["deadly-R1", "deadly-R2"]


# the program is mended, the operator admits the event: it is taken, and the journal is as it should be
def test_an_admitted_event_is_taken(core, monkeypatch):
    publish(core, deadly("H-2", "R2"))
    mend(core, monkeypatch)
    assert publish(core, deadly("H-2", "R2"))[0][0]["error"]["code"] == "internal"

    admitted = core.run("vigiectl", "event", "admit", "urn:fsl:39", "deadly-R2")
    answers, codes = publish(core, deadly("H-2", "R2"))

    assert (admitted.returncode, codes) == (0, [])
    assert "seq" in answers[0]
    assert suspects(core) == [] and alarmed(core) == 0
    core.restart()
    assert suspects(core) == []
    assert core.control("verify")["ok"]


# a suspect that was admitted too early is found again
def test_an_event_admitted_too_early_is_found_again(core):
    publish(core, deadly("H-2", "R2"))
    core.control("event.admit", {"source": "urn:fsl:39", "id": "deadly-R2"})

    answers, codes = publish(core, deadly("H-2", "R2"))

    assert answers[0]["error"]["code"] == "internal"
    assert codes == [-signal.SIGABRT]  # it was careful still
    assert suspects(core) == ["deadly-R2"]


@pytest.mark.parametrize("params, code, path", [
    ({"source": "urn:fsl:39", "id": "nobody"}, "not_found", "id"),
    ({"source": "urn:fsl:39"}, "bad_request", "id"),
    ({"id": "nobody"}, "bad_request", "source"),
    ({"source": "urn:fsl:39", "id": 7}, "bad_request", "id"),
    ({"source": "urn:fsl:39", "id": "nobody", "force": True}, "bad_request", "force"),
], ids=["unknown", "no id", "no source", "a number", "more"])
def test_what_is_no_suspect_cannot_be_admitted(core, params, code, path):
    with pytest.raises(Refused) as refused:
        core.control("event.admit", params)

    assert (refused.value.data["code"], refused.value.data["path"]) == (code, path)


# kills from outside, however many, make nobody a suspect and the core not careful
def test_kills_from_outside_are_not_held_against_events(core):
    for _ in range(ENDS + 1):
        core.kill9()
        core.start_core()
    turns = core.status("status")["intake"]["turns"]

    answers, codes = publish(core, *[world.request("H-1", f"R{n}") for n in range(50)])

    assert codes == [] and all("seq" in answer for answer in answers)
    assert core.status("status")["intake"]["turns"] < turns + 50
    assert suspects(core) == []


# --- what a worker says ---------------------------------------------------------------------------------


class Stubborn(threading.Thread):
    """A worker that repeats its answer until it is kept, whatever becomes of the core meanwhile."""

    def __init__(self, core):
        super().__init__(daemon=True)
        self.core = core
        self.task = self.kept = None
        self.start()

    def run(self):
        while self.kept is None:
            try:
                self.work(Worker(self.core.folder / "worker.sock"))
            except OSError:
                time.sleep(0.01)
            except EOFError:
                pass

    def work(self, worker):
        held = self.task and {"id": self.task["id"], "token": self.task["token"]}
        worker.ready([held] if held else [])
        self.task = self.task or worker.next_task()
        self.kept = worker.call("failed", {"id": self.task["id"], "token": self.task["token"],
                                           "class": "later", "code": "deadly-x", "text": "poison"})


def mail(core):
    return core.status("task.list", {"kind": "mail"})["tasks"][0]


# the answer ends the core four times, then stands for a failure that people see; all else goes on, and
# with a mended program the task is kicked and done
def test_a_deadly_answer_gives_up_its_task(core, monkeypatch):
    one_referral(core)
    worker = Stubborn(core)
    codes = keep_alive(core, worker)
    told = mail(core)
    answers, more = publish(core, world.request("H-3", "R3"))

    assert codes == [-signal.SIGABRT] * ENDS and more == []
    assert worker.kept == (None, {}) and "seq" in answers[0]
    assert (told["state"], told["attempt"], told["last_code"]) == ("buried", 1, "core_ended")
    assert [alarm["count"] for alarm in core.status("status")["alarms"]
            if alarm["code"] == "buried_task"] == [1]
    assert [name.startswith(f"task-{told['task']}-lease-") for name in suspects(core)] == [True]

    mend(core, monkeypatch)
    core.control("task.kick", {"task": told["task"]})
    helper = Worker(core.folder / "worker.sock")
    helper.ready()
    task = helper.next_task()
    helper.call("done", {"id": task["id"], "token": task["token"], "result": b""})

    assert (task["id"], mail(core)["state"]) == (told["task"], "done")
    assert core.control("verify")["ok"]
