"""The core goes on while its disk takes its time, and tells nobody of what is not on it yet.

The disk is stopped by a library (tests/lib/slow_disk.c) that is loaded into the core from outside: its journal's
syncs wait as long as a file is there.
"""
import threading

import pytest

import world
from conftest import BUILD, wait_for
from sender import Sender

SILENCE = 0.5  # seconds in which an answer that must not come would have come


class Disk:
    def __init__(self, folder):
        self.stops = folder / "stops"
        self.waits = folder / "stops.waits"

    def stop(self):
        self.stops.touch()

    def go_on(self):
        self.stops.unlink()

    def wait_for_sync(self):
        wait_for(self.waits.exists, "a sync of the journal")


class Asked(threading.Thread):
    """A question that is answered some time."""

    def __init__(self, ask):
        super().__init__(daemon=True)
        self.ask, self.answer = ask, None
        self.start()

    def run(self):
        self.answer = self.ask()


@pytest.fixture
def disk(tmp_path, monkeypatch):
    disk = Disk(tmp_path)
    monkeypatch.setenv("LD_PRELOAD", str(BUILD / "tests/slow_disk.so"))
    monkeypatch.setenv("VIGIE_DISK_STOPS", str(disk.stops))
    yield disk
    disk.stops.unlink(missing_ok=True)


@pytest.fixture
def core(disk, start):
    """With a giver; the disk is stopped."""
    core = start(rehearse=world.DAY)
    with Sender(core.intake) as sender:
        sender.publish([world.giver()])
    disk.stop()
    return core


def send(sender, *events):
    return sender.send("publish", [list(events)])


def receive(sender, count):
    """So many answers, by the number of what was asked."""
    answers = {}
    while len(answers) < count:
        msgid, error, result = sender.receive()
        answers[msgid] = error or result
    return answers


def test_a_sender_hears_nothing_before_the_disk_has_it(core, disk):
    with Sender(core.intake) as sender:
        first = send(sender, world.request("H-1", "R1"))
        disk.wait_for_sync()
        other = send(sender, world.request("H-2", "R2"))
        again = send(sender, world.request("H-1", "R1"), world.request("H-2", "R2"))
        assert sender.receive(SILENCE) is None

        disk.go_on()
        answers = receive(sender, 3)

    seq = answers[first][0]["seq"]
    assert answers[first] == [{"seq": seq}]
    assert answers[other] == [{"seq": seq + 1}]
    assert answers[again] == [{"seq": seq, "duplicate": True}, {"seq": seq + 1, "duplicate": True}]


@pytest.mark.parametrize("ask", [
    lambda core: core.status("status")["seq"],
    lambda core: core.control("status")["seq"],
    lambda core: Sender(core.intake, timeout=20).status("urn:fsl:39", "e-R2"),
], ids=["status socket", "control socket", "gate"])
def test_whoever_asks_hears_of_what_the_disk_has(core, disk, ask):
    with Sender(core.intake) as sender:
        send(sender, world.request("H-1", "R1"))
        disk.wait_for_sync()
        other = send(sender, world.request("H-2", "R2"))
        assert sender.receive(SILENCE) is None
        asked = Asked(lambda: ask(core))
        asked.join(SILENCE)
        assert asked.answer is None

        disk.go_on()
        asked.join()

        assert asked.answer == receive(sender, 2)[other][0]["seq"]


def test_what_the_plug_takes_back_was_told_to_nobody(core, disk):
    with Sender(core.intake) as sender:
        send(sender, world.request("H-1", "R1"))
        disk.wait_for_sync()
        send(sender, world.request("H-2", "R2"))
        assert sender.receive(SILENCE) is None
        core.kill9()
    disk.go_on()
    core.start_core()

    with Sender(core.intake) as sender:
        assert sender.status("urn:fsl:39", "e-R1") is None
        assert sender.status("urn:fsl:39", "e-R2") is None
        answers = sender.publish([world.request("H-2", "R2"), world.request("H-1", "R1")])

    assert [sorted(answer) for answer in answers] == [["seq"], ["seq"]]
    assert core.run("vigiectl", "verify").returncode == 0


def test_an_orderly_stop_waits_for_the_disk(core, disk):
    with Sender(core.intake) as sender:
        asked = send(sender, world.request("H-1", "R1"))
        disk.wait_for_sync()
        core.processes["vigied"].terminate()
        disk.go_on()
        answers = receive(sender, 1)

    core.processes["vigied"].wait(20)
    core.start_core()
    with Sender(core.intake) as sender:
        assert answers[asked] == [{"seq": sender.status("urn:fsl:39", "e-R1")}]
