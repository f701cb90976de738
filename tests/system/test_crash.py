"""Programs that are killed, stopped, run out of disk: nothing acknowledged is lost, nothing is done twice.

VIGIE_KILLS and VIGIE_SEED make it longer and other (tests/campaign/crash); the seed stands in each
test's output.
"""
import collections
import datetime
import email
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

import msgpack
import pytest
from conftest import Refused, wait_for
from sender import AGAIN, Sender, event

KILLS = int(os.environ.get("VIGIE_KILLS", "20"))
SEED = int(os.environ.get("VIGIE_SEED", "2015"))
FIRST_DAY = datetime.date(2015, 3, 2)
COMMUNES = ["39198", "39300", "39478", "39097"]
SNAPSHOTS = "snapshot_every = 400;"
EARLY = ("invalid_event", "time")


class Load(threading.Thread):
    """A sender that never rests: events of all kinds, several requests in flight, and a memory of every
    event that was acknowledged."""

    def __init__(self, core, seed):
        super().__init__(daemon=True)
        self.core = core
        self.random = random.Random(seed)
        self.day = FIRST_DAY
        self.made = 0
        self.events = {}        # id → event
        self.acknowledged = {}  # id → seq
        self.refused = collections.Counter()
        self.early = []         # events refused because the calendar had not come so far
        self.reached = datetime.date.min  # the day to which an answered advance has come
        self.trouble = []
        self.is_ending = threading.Event()
        self.is_resting = threading.Event()
        self.is_still = threading.Event()

    # --- what is sent ---

    def make(self):
        n = self.made = self.made + 1
        day = self.day.isoformat()
        household = f"H-{self.random.randrange(1, 40 + n // 4)}"
        kind = self.random.choice([self.referral, self.referral, self.giver, self.filed, self.decided,
                                   self.notice, self.limited, self.cut, self.restored, self.voucher,
                                   self.moved, self.retracted])
        type, data, subject = kind(n, day, household)
        made = event(type, f"e-{n}", self.time(n), data, source="urn:crash", subject=subject)
        self.events[made["id"]] = made
        return made

    def time(self, n):
        """Before the hour that a day begins with here: a calendar still on its way is not a day behind. Now and
        then it is told a day too early."""
        if n % 50 == 0:
            return f"{self.day + datetime.timedelta(days=1)}T21:00:00Z"
        return f"{self.day}T09:00:00Z"

    def referral(self, n, day, household):
        return "referral.received", {
            "form": f"F{n}", "giver": f"TS{n % 7}", "insee": self.random.choice(COMMUNES),
            "reasons": ["cold"], "energies": ["electricity"], "consent_on": day,
            "person": {"name": f"Nom {household}", "phone": f"06{n:08d}"}}, household

    def giver(self, n, day, household):
        return "giver.registered", {"giver": f"TS{n % 7}", "kind": "department_social_worker",
                                    "structure": "Département", "name": f"Agent {n % 7}",
                                    "email": f"ts{n % 7}@exemple.test"}, None

    def filed(self, n, day, household):
        return "fsl.request_filed", {"request": f"R{n}", "energies": ["electricity"], "filed_on": day,
                                     "insee": self.random.choice(COMMUNES)}, household

    def decided(self, n, day, household):
        return "fsl.decided", {"request": f"R{self.random.randrange(1, n + 1)}", "decided_on": day,
                               "outcome": self.random.choice(["granted", "refused"])}, household

    def supplied(self, **data):
        return {"supplier": "Fournisseur A", "energy": "electricity", **data}

    def notice(self, n, day, household):
        return "supplier.notice", self.supplied(step=1, issued_on=day, smart_meter=True,
                                                debt_cents=n), household

    def limited(self, n, day, household):
        return "supplier.limited", self.supplied(on=day, power_va=1000), household

    def cut(self, n, day, household):
        return "supplier.cut", self.supplied(on=day), household

    def restored(self, n, day, household):
        return "supplier.restored", self.supplied(on=day), household

    def voucher(self, n, day, household):
        return "household.protection", {"energy_voucher": True, "valid_from": day,
                                        "valid_to": "2015-12-31"}, household

    def moved(self, n, day, household):
        return "household.moved", {"insee": self.random.choice(COMMUNES), "on": day}, household

    def retracted(self, n, day, household):
        return "event.retracted", {"source": "urn:crash", "id": f"e-{self.random.randrange(1, n + 1)}",
                                   "reason": "erreur"}, None

    # --- sending ---

    def run(self):
        try:
            with Sender(self.core.intake, timeout=2) as self.sender:
                self.work()
        except Exception as error:  # told by the test that joins
            self.trouble.append(repr(error))
        self.is_still.set()

    def work(self):
        flying, waiting = {}, []
        while not self.is_ending.is_set() or flying or waiting:
            self.is_still.clear()
            if self.is_resting.is_set() and not flying and not waiting:
                self.is_still.set()
                time.sleep(0.01)
                continue
            while len(flying) < 6 and (waiting or self.may_make()):
                batch = waiting.pop() if waiting else \
                    [self.make() for _ in range(self.random.randrange(1, 20))]
                flying[self.sender.send("publish", [batch])] = batch
            self.hear(flying, waiting)

    def may_make(self):
        return not self.is_ending.is_set() and not self.is_resting.is_set()

    def hear(self, flying, waiting):
        answer = self.sender.receive()
        if answer is None:  # the gate or the core went down with it: all of it is asked again
            waiting.extend(flying.values())
            flying.clear()
            return
        msgid, error, result = answer
        batch = flying.pop(msgid, None)
        if batch is None:
            return
        if error:
            assert error["code"] in AGAIN, error
            waiting.append(batch)
            time.sleep(0.05)
            return
        again = [made for made, entry in zip(batch, result) if not self.keep(made, entry)]
        if again:
            waiting.append(again)
            time.sleep(0.05)
        time.sleep(0.02)

    def keep(self, made, entry):
        """False when it has to be sent again."""
        code = entry.get("error", {}).get("code")
        if code in AGAIN:
            return False
        if code:
            self.refused[f"{code} {entry['error']['path']}"] += 1
            if (code, entry["error"]["path"]) == EARLY:
                self.early.append(made)
            return True
        earlier = self.acknowledged.setdefault(made["id"], entry["seq"])
        if earlier != entry["seq"]:
            self.trouble.append(f"{made['id']} was {earlier}, then {entry['seq']}")
        return True

    def rest(self):
        self.is_resting.set()
        assert self.is_still.wait(60), "everything in flight is answered at last"

    def go_on(self):
        self.is_still.clear()
        self.is_resting.clear()

    def end(self):
        self.is_ending.set()
        self.is_resting.clear()
        self.join(60)
        assert not self.is_alive() and not self.trouble, self.trouble


# --- what must hold --------------------------------------------------------------------------------


def check_acknowledged(core, load):
    """Each acknowledged event is known under its number."""
    asked = dict(load.acknowledged)
    waiting, flying = list(asked), {}
    with Sender(core.intake) as sender:
        while waiting or flying:
            while waiting and len(flying) < 100:
                id = waiting.pop()
                flying[sender.send("status", ["urn:crash", id])] = id
            answer = sender.receive(20)
            assert answer, "the core answers"
            id = flying.pop(answer[0])
            if answer[1] and answer[1]["code"] == "busy":  # the gate has not found the core again yet
                waiting.append(id)
                time.sleep(0.01)
                continue
            assert not answer[1], f"{id} was acknowledged as {asked[id]} and is {answer[1]}"
            assert answer[2]["seq"] == asked[id], id
    return len(asked)


def check_duplicates(core, load):
    """Published again, each is a duplicate with its first number."""
    ids = list(load.acknowledged)
    with Sender(core.intake) as sender:
        answers = sender.publish_many([load.events[id] for id in ids])
    for id, answer in zip(ids, answers):
        assert answer == {"seq": load.acknowledged[id], "duplicate": True}, id


def tell_early(core, load):
    """What was told too early, by itself or because the calendar's advance was killed on the way: refused then
    and taken now. As new: a duplicate would be an event that was there when its sender heard that it is
    not. Returns how many."""
    early, load.early = load.early, []
    assert early
    advance(core, today(core) + datetime.timedelta(days=2))
    with Sender(core.intake) as sender:
        answers = sender.publish_many(early)
    for made, answer in zip(early, answers):
        assert "duplicate" not in answer, made["id"]
        load.keep(made, answer)
    assert not load.early, "still ahead of the calendar"
    del load.refused[" ".join(EARLY)]
    return len(early)


def check_calendar(core, load):
    """A day that was reached stays: else refusals for their time would hide what was lost with it."""
    load.day = today(core)
    assert load.day >= load.reached


def check_tasks(core):
    tasks = core.status("status")["tasks"]
    assert tasks["created"] == sum(tasks[name] for name in
                                   ("done", "cancelled", "expired", "buried", "open"))
    return tasks


def today(core):
    """The calendar's day: an advance that a kill cut short has not come as far as it was told to."""
    return datetime.date.fromisoformat(core.status("status")["now"][:10])


def advance(core, day):
    """Once an advance that a kill or another thread has under way is over."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return core.control("clock.advance", {"to": f"{day}T10:00:00Z"})
        except Refused as refused:
            if "already" not in str(refused) or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def settle(core, load):
    """Days later everything is done; what was buried by kills is kicked first, and what a reader had too much
    of for one day comes the day after."""
    load.day = today(core) + datetime.timedelta(days=1)
    for _ in range(5):
        advance(core, load.day)
        kicked = core.control("task.kick", {"state": "buried"})["kicked"]
        if not kicked and "scheduled" not in core.status("status")["tasks"]["by_state"]:
            break
        load.day += datetime.timedelta(days=1)
    tasks = check_tasks(core)
    assert set(tasks["by_state"]) <= {"done", "cancelled", "expired", "held"}, tasks
    return tasks


def check_mails(core):
    """Every mail task that is done is one file, and no Message-ID comes twice."""
    done = core.status("task.list", {"kind": "mail", "state": "done", "limit": 10000})["tasks"]
    files = list((core.folder / "Maildir" / "new").iterdir())
    ids = collections.Counter(email.message_from_bytes(path.read_bytes())["Message-ID"]
                              for path in files)
    assert max(ids.values(), default=1) == 1, ids.most_common(3)
    assert len(files) == len(done)
    return len(files)


def check_journal(core):
    """The journal, replayed from its first event by another process, is the state that was live."""
    for worker in core.workers:
        core.stop(worker)
    core.stop("vigie-gate")
    time.sleep(0.2)
    live = core.digest()
    core.kill9()
    found = core.run("vigied", "--verify")
    assert found.returncode == 0, found.stderr
    assert live in found.stdout and "agree" in found.stdout, (live, found.stdout)
    return found.stdout.strip()


def advance_aside(core, load):
    """The calendar moves a day while things are killed; that the core goes down with it is expected."""
    load.day = today(core) + datetime.timedelta(days=1)

    def try_it(to=load.day):
        try:
            core.control("clock.advance", {"to": f"{to}T10:00:00Z"})
            load.reached = max(load.reached, to)
        except (OSError, ValueError, Refused):
            pass
    threading.Thread(target=try_it, daemon=True).start()


WORKERS = ("vigie-notify", "vigie-schedule")


@pytest.fixture
def chance():
    print(f"VIGIE_SEED={SEED} VIGIE_KILLS={KILLS}")
    return random.Random(SEED)


# kill -9 of the core at random moments under load: what was acknowledged is there, under its number
def test_killed_core_loses_nothing_acknowledged(start, chance):
    core = start(rehearse=FIRST_DAY.isoformat(), workers=WORKERS, extra=SNAPSHOTS)
    load = Load(core, SEED)
    load.start()

    for kill in range(KILLS):
        if kill % 4 == 3:
            advance_aside(core, load)
        time.sleep(chance.uniform(0.01, 0.6))
        core.kill9()
        core.start_core()
        check_calendar(core, load)
        if kill % 5 == 4:
            load.rest()
            check_acknowledged(core, load)
            check_tasks(core)
            load.go_on()
    load.end()
    early = tell_early(core, load)
    count = check_acknowledged(core, load)
    check_duplicates(core, load)
    tasks = settle(core, load)
    mails = check_mails(core)
    assert core.control("event.suspects")["events"] == []

    print(f"{KILLS} kills, {count} acknowledged, {early} of them refused before their day, "
          f"{dict(load.refused)} refused, {tasks['done']} tasks, {mails} mails; {check_journal(core)}")
    assert count > KILLS * 10 and mails > KILLS
    assert sum(load.refused.values()) < count / 10


def hurt(core, chance, name):
    """Killed and started again, or stopped for a while."""
    if chance.random() < 0.5:
        core.kill9(name)
        core.start_core() if name == "vigied" else core.spawn(name)
    else:
        core.processes[name].send_signal(signal.SIGSTOP)
        time.sleep(chance.uniform(0.05, 0.5))
        core.processes[name].send_signal(signal.SIGCONT)


# kill -9 and stops of every program at random: no task is lost, and none done twice
def test_hurt_programs_lose_no_task(start, chance):
    core = start(rehearse=FIRST_DAY.isoformat(), workers=WORKERS, extra=SNAPSHOTS)
    load = Load(core, SEED + 1)
    load.start()

    hurts = collections.Counter()
    for _ in range(KILLS):
        if chance.random() < 0.2:
            advance_aside(core, load)
        time.sleep(chance.uniform(0.01, 0.3))
        name = chance.choice(["vigie-notify", "vigie-schedule", "vigie-gate", "vigied"])
        hurt(core, chance, name)
        check_calendar(core, load)
        hurts[name] += 1
    load.end()
    early = tell_early(core, load)
    check_acknowledged(core, load)
    tasks = settle(core, load)
    mails = check_mails(core)
    check_duplicates(core, load)

    print(f"{dict(hurts)}; {len(load.acknowledged)} acknowledged, {early} of them refused before their "
          f"day, {dict(load.refused)} refused, {tasks['done']} tasks, {mails} mails; "
          f"{check_journal(core)}")
    assert mails > KILLS
    assert sum(load.refused.values()) < len(load.acknowledged) / 10


# SIGTERM under load: what was submitted is made durable and answered, and the core ends by itself
def test_terminated_core_drains(start):
    core = start(rehearse=FIRST_DAY.isoformat(), workers=WORKERS)
    load = Load(core, SEED + 2)
    load.start()

    for _ in range(3):
        time.sleep(0.4)
        process = core.processes["vigied"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        core.start_core()
    load.end()

    assert check_acknowledged(core, load) > 50
    check_duplicates(core, load)
    check_journal(core)


# LMDB must not be opened twice: a second core is told so in a sentence, and the first is not disturbed
def test_second_core_on_the_same_folder_is_refused(start):
    core = start(rehearse=FIRST_DAY.isoformat())
    digest = core.digest()

    for arguments in ([], ["--verify"]):
        second = core.run("vigied", *arguments)

        assert second.returncode == 1
        assert "in use by another process: only one may have it" in second.stderr
    assert core.digest() == digest


# --- a worker that was given up ---------------------------------------------------------------------


class Worker:
    """A worker as anybody may write one: it takes tasks and answers when the test wants."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.msgid = 0

    def call(self, method, params):
        self.msgid += 1
        frame = msgpack.packb([0, self.msgid, method, [params]])
        self.socket.sendall(struct.pack(">I", len(frame)) + frame)
        while True:
            message = self.receive()
            if message[0] == 1 and message[1] == self.msgid:
                return message[2], message[3]

    def read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def receive(self):
        size, = struct.unpack(">I", self.read(4))
        return msgpack.unpackb(self.read(size))

    def next_task(self):
        while True:
            message = self.receive()
            if message[0] == 2 and message[1] == "task":
                return message[2][0]

    def ready(self, leases=()):
        return self.call("ready", {"kinds": ["mail"], "slots": 1, "name": "patient", "version": "1",
                                   "leases": list(leases)})


def one_referral(core):
    with Sender(core.intake) as sender:
        answers = sender.publish([
            event("giver.registered", "g", "2015-03-02T11:00:00Z",
                  {"giver": "TS1", "kind": "department_social_worker", "structure": "Département",
                   "name": "Agent", "email": "ts1@exemple.test"}),
            event("referral.received", "r", "2015-03-02T11:00:00Z",
                  {"form": "F1", "giver": "TS1", "insee": "39198", "reasons": ["cold"],
                   "consent_on": "2015-03-02", "person": {"name": "Nom"}}, subject="H-1")])
    assert all("seq" in answer for answer in answers), answers


def mail_states(core):
    return [task["state"] for task in core.status("task.list", {"kind": "mail"})["tasks"]]


# a worker silent for longer than 15 s is given up: another does its task, and its late answer is refused
def test_stale_lease_is_refused(start):
    core = start(rehearse=FIRST_DAY.isoformat())
    silent = Worker(core.folder / "worker.sock")
    silent.ready()
    one_referral(core)
    task = silent.next_task()
    lease = {"id": task["id"], "token": task["token"]}
    assert silent.call("start", lease)[0] is None

    with pytest.raises(EOFError):  # heartbeats are heard and none is sent
        while True:
            silent.receive()
    core.spawn("vigie-notify")
    wait_for(lambda: mail_states(core) == ["done"], "the other worker's answer")
    again = Worker(core.folder / "worker.sock")
    again.ready([lease])
    error, _ = again.call("done", lease)

    assert error["code"] == "stale_lease"
    assert check_mails(core) == 1
    assert check_tasks(core)["done"] == 1


# vigie-notify stopped beyond its lease, another in its place, then continued: one mail each
@pytest.mark.skipif(KILLS < 100, reason="takes 20 s; the rule itself is tested above; long form only")
def test_stopped_notify_that_comes_back_sends_nothing_twice(start):
    core = start(rehearse=FIRST_DAY.isoformat(), workers=WORKERS)
    load = Load(core, SEED + 3)
    load.start()
    time.sleep(0.5)
    stopped = core.processes.pop("vigie-notify")
    stopped.send_signal(signal.SIGSTOP)
    core.spawn("vigie-notify")

    time.sleep(22)
    stopped.send_signal(signal.SIGCONT)
    time.sleep(1)
    load.end()
    settle(core, load)

    assert check_mails(core) > 10
    stopped.terminate()
    assert stopped.wait(15) == 0


def worker_names(core):
    return sorted(worker["name"] for worker in core.status("status")["workers"])


def plan_states(core):
    return [task["state"] for task in core.status("task.list", {"kind": "plan"})["tasks"]]


# vigie-schedule stopped with a plan in its hands, another in its place, then continued: one plan a morning
@pytest.mark.skipif(KILLS < 100, reason="takes 20 s; the rule itself is tested above; long form only")
def test_stopped_schedule_that_comes_back_plans_nothing_twice(start):
    core = start(rehearse=FIRST_DAY.isoformat(), workers=WORKERS)
    load = Load(core, SEED + 5)
    one_referral(core)
    wait_for(lambda: worker_names(core) == ["notify", "schedule"], "both workers")
    stopped = core.processes.pop("vigie-schedule")
    stopped.send_signal(signal.SIGSTOP)
    advance_aside(core, load)  # to the morning's plan, which the stopped one is given
    wait_for(lambda: plan_states(core) == ["leased"], "the lease")

    core.spawn("vigie-schedule")
    wait_for(lambda: plan_states(core) == ["done"], "the other worker's plan", seconds=60)
    stopped.send_signal(signal.SIGCONT)
    wait_for(lambda: worker_names(core).count("schedule") == 2, "the stopped one again")
    advance(core, load.day + datetime.timedelta(days=1))

    assert plan_states(core) == ["done", "done"]
    planned = core.status("visit.list", {"state": "planned"})["visits"]
    assert [visit["case"] for visit in planned] == [1]
    check_tasks(core)
    stopped.terminate()
    assert stopped.wait(15) == 0


# vigie-gate stopped with requests before it: nothing is answered, and all of it once it goes on
def test_stopped_gate_answers_all_when_it_goes_on(start):
    core = start(rehearse=FIRST_DAY.isoformat())
    load = Load(core, SEED + 6)
    with Sender(core.intake) as sender:
        sender.hello()
        before = core.status("status")["seq"]
        core.processes["vigie-gate"].send_signal(signal.SIGSTOP)
        flying = {}
        for _ in range(50):
            batch = [load.make() for _ in range(10)]
            flying[sender.send("publish", [batch])] = batch
        assert core.status("status")["seq"] == before

        core.processes["vigie-gate"].send_signal(signal.SIGCONT)
        while flying:
            answer = sender.receive(20)
            assert answer and not answer[1], answer
            for made, entry in zip(flying.pop(answer[0]), answer[2]):
                assert load.keep(made, entry)

    assert len(load.acknowledged) > 400
    check_acknowledged(core, load)
    check_duplicates(core, load)
    check_journal(core)
