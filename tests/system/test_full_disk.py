"""A disk without room: the core tells what it lacks, and nothing acknowledged is lost.

The state lies on a small disk of its own, in memory.
"""
import contextlib
import os
import pathlib
import re
import subprocess

import msgpack
import pytest

from conftest import Refused, wait_for
from sender import AGAIN, Sender
from test_crash import (FIRST_DAY, SEED, WORKERS, Load, check_acknowledged, check_duplicates,
                        check_journal, check_mails, settle)

LEAST = 'disk_free_min = "1 MiB";'
DAY = FIRST_DAY.isoformat()


class Disk:
    def __init__(self, folder, size):
        self.path = os.path.join(folder, "state")
        self.filler = pathlib.Path(self.path, "filler")
        os.mkdir(self.path, 0o700)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", self.path],
                              capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"mount is not allowed here: {made.stderr.strip()}")

    def free(self):
        room = os.statvfs(self.path)
        return room.f_bavail * room.f_frsize

    def fill(self, leave=0):
        """Tried again when somebody wrote meanwhile."""
        with open(self.filler, "wb") as file:
            while self.free() > leave:
                size = os.fstat(file.fileno()).st_size
                with contextlib.suppress(OSError):
                    os.posix_fallocate(file.fileno(), size, self.free() - leave)

    def clear(self):
        self.filler.unlink()

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=False)


@pytest.fixture
def disk(folder, request):
    made = Disk(folder, getattr(request, "param", "24m"))
    yield made
    made.close()


def said(core):
    return (core.folder / "vigied.log").read_text()


def sentences(text):
    """What is told to people: not the lines of the log."""
    return [line for line in text.splitlines() if line.startswith("vigied: ")]


def start_again(core):
    """On a disk that may be full: the status it ended with (None: it runs), and what it said."""
    before = len(said(core))
    try:
        core.start_core()
    except AssertionError:
        pass
    return core.processes["vigied"].poll(), said(core)[before:]


def wait_for_end(core):
    wait_for(lambda: core.processes["vigied"].poll() is not None, "the core's end")
    return core.processes["vigied"].returncode


def publish_until_full(sender, load):
    for _ in range(4000):
        batch = [load.make() for _ in range(50)]
        _, error, result = sender.raw(msgpack.packb([0, sender.next_id(), "publish", [batch]]))
        if error:
            return error["code"]
        for made, entry in zip(batch, result):
            if entry.get("error", {}).get("code") in AGAIN:
                return entry["error"]["code"]
            load.keep(made, entry)
    return None


# --- at the first start -------------------------------------------------------------------------------


# the default asks for more than there is: it says so in numbers, and nothing is begun
@pytest.mark.parametrize("disk", ["40m"], indirect=True)
def test_first_start_tells_the_room_it_needs(disk, start, monkeypatch):
    with pytest.raises(AssertionError):
        start()
    core = start_on(disk, start)

    told = sentences((pathlib.Path(disk.path).parent / "first.log").read_text())

    assert len(told) == 1 and disk.path in told[0]
    free, needed = map(int, re.search(r"(\d+) KiB are free.* (\d+) KiB are needed", told[0]).groups())
    assert free < 40 << 10 and needed > 1 << 20 and "disk_free_min" in told[0]
    assert core.status("status")["rehearsal"]


def start_on(disk, start):
    """A second start in the same folder, with less to be left free."""
    log = pathlib.Path(disk.path).parent / "vigied.log"
    log.rename(log.with_name("first.log"))
    return start(rehearse=DAY, extra=LEAST)


# however little there is, the end is a status and a sentence, never a signal; with room it begins
@pytest.mark.parametrize("disk", [f"{kib}k" for kib in (4, 16, 20, 32, 48, 64, 1024)], indirect=True)
def test_first_start_on_a_tiny_disk(disk, start):
    disk.fill()
    with pytest.raises(AssertionError):
        start(rehearse=DAY, extra=LEAST)
    disk.clear()
    with pytest.raises(AssertionError):
        start(rehearse=DAY, extra=LEAST)
    log = (pathlib.Path(disk.path).parent / "vigied.log").read_text()

    subprocess.run(["mount", "-o", "remount,size=24m", disk.path], check=True)
    core = start(rehearse=DAY, extra=LEAST)

    assert len(sentences(log)) == 2 and all(disk.path in told for told in sentences(log)), log
    assert "boot.ready" not in log
    assert core.status("status")["seq"] == 2


# --- while it runs ------------------------------------------------------------------------------------


# no room: senders are told storage_full, nothing acknowledged is lost, and intake goes on with room
def test_full_disk_refuses_and_goes_on(disk, start):
    core = start(rehearse=DAY, extra=LEAST)
    load = Load(core, SEED + 4)
    disk.fill(7 << 20)

    with Sender(core.intake) as sender:
        assert publish_until_full(sender, load) == "storage_full"
        assert "storage_full" in {alarm["code"] for alarm in core.status("status")["alarms"]}
        assert core.status("status")["seq"] >= len(load.acknowledged) > 500
        check_acknowledged(core, load)
        core.kill9()
        core.start_core()
        check_acknowledged(core, load)
        check_duplicates(core, load)
        taken = len(load.acknowledged)

        disk.clear()
        entries = sender.publish([load.make() for _ in range(50)])
        assert any("seq" in entry for entry in entries), entries[:2]
        assert "storage_full" not in {alarm["code"] for alarm in core.status("status")["alarms"]}
    log = said(core)
    assert "journal.full" in log and "journal.has_room" in log
    print(f"{taken} acknowledged before the disk was full; {check_journal(core)}")


# somebody else takes the last byte: what must be written ends the core with its reason, as often as it is
# started; with room all goes on, and every mail is written once
def test_disk_without_a_byte_ends_the_core_with_a_reason(disk, start):
    core = start(rehearse=DAY, extra=LEAST, workers=WORKERS)
    load = Load(core, SEED + 5)
    with Sender(core.intake) as sender:
        for _ in range(20):
            batch = [load.make() for _ in range(50)]
            for made, entry in zip(batch, sender.publish(batch)):
                load.keep(made, entry)
    disk.fill()
    with pytest.raises((OSError, ValueError, Refused)):
        core.control("clock.advance", {"to": f"{FIRST_DAY.replace(day=4)}T10:00:00Z"})
    statuses = [wait_for_end(core)]
    log = said(core)

    for _ in range(3):
        status, again = start_again(core)
        statuses.append(status)
        assert status is None or disk.path in again, again
        if status is None:
            core.kill9()
    disk.clear()
    core.start_core()

    assert statuses[0] == 1 and set(statuses) <= {None, 1}
    assert f"{disk.path}/journal: a turn could not be written: " in log
    assert "its disk has 0 KiB left: make room there" in log
    check_acknowledged(core, load)
    check_duplicates(core, load)
    settle(core, load)
    check_mails(core)
    assert core.run("vigied", "--check").returncode == 0
    check_journal(core)


# fingerprints that had not reached the disk are written at the start: where they cannot be, it says so
def test_keys_that_cannot_be_written_at_the_start(disk, start):
    core = start(rehearse=DAY, extra=LEAST)
    load = Load(core, SEED + 6)
    with Sender(core.intake) as sender:
        batch = [load.make() for _ in range(400)]
        for made, entry in zip(batch, sender.publish(batch)):
            load.keep(made, entry)
    core.kill9()
    disk.fill()

    status, told = start_again(core)
    disk.clear()
    core.start_core()

    assert status == 1
    assert f"{disk.path}/keys: fingerprints could not be written: " in told
    assert "make room there" in told and "boot.ready" not in told
    check_acknowledged(core, load)
    check_journal(core)


# a snapshot for which there is no room is none, and takes none away from the journal
def test_snapshot_without_room_is_left_out(disk, start):
    core = start(rehearse=DAY, extra=LEAST + "snapshot_every = 0;")
    load = Load(core, SEED + 7)
    with Sender(core.intake) as sender:
        batch = [load.make() for _ in range(400)]
        for made, entry in zip(batch, sender.publish(batch)):
            load.keep(made, entry)

    disk.fill((1 << 20) + 4096)
    core.stop("vigied")
    left = list(pathlib.Path(disk.path, "snapshots").iterdir())
    disk.clear()
    core.start()

    assert "snapshot.no_room" in said(core)
    assert left == []
    check_acknowledged(core, load)
    check_journal(core)
