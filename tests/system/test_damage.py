"""A state that was damaged, cut short or put together from parts that do not belong together: the start is
refused with a sentence and status 1, never a signal, and nothing is made or moved meanwhile."""
import os
import random
import shutil
import signal

import pytest

import world
from conftest import Core, Refused
from sender import Sender


def publish(core, *numbers):
    with Sender(core.intake) as sender:
        for entry in sender.publish([world.request("H-1", number) for number in numbers]):
            assert "seq" in entry, entry


@pytest.fixture
def open_core(folder):
    """Stopped cores beside one another, with so many referrals each."""
    opened = []

    def begin(name, referrals=3):
        path = os.path.join(folder, name)
        os.mkdir(path)
        core = Core(path, rehearse=world.DAY)
        opened.append(core)
        publish(core, *(f"R{number}" for number in range(referrals)))
        core.live = core.digest()
        core.stop("vigied")
        return core

    yield begin
    for core in opened:
        core.close()


@pytest.fixture
def core(open_core):
    return open_core("core")


def listing(core):
    """Files of the state, but for the locks, which are opened before anything is looked at."""
    root = core.folder / "state"
    return {str(path.relative_to(root)) for path in root.rglob("*")
            if path.suffix != ".lock" and path.name != "lock.mdb"}


def refused(core, *arguments):
    """The sentence with which a start, or what `arguments` say, is refused."""
    before = listing(core)
    ended = core.run("vigied", *arguments)
    told = [line for line in ended.stderr.splitlines() if line.startswith("vigied: ")]

    assert ended.returncode == 1, (ended.returncode, ended.stderr)
    assert len(told) == 1 and "boot.ready" not in ended.stderr, ended.stderr
    assert listing(core) == before
    return told[0]


# --- cut short ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [100, 4096, 5000, 8192, 12288, -4096, -1])
@pytest.mark.parametrize("store", ["journal", "keys"])
def test_a_file_cut_short_is_refused(core, store, left):
    file = core.folder / "state" / store / "data.mdb"
    whole = file.read_bytes()
    size = left if left > 0 else len(whole) + left
    os.truncate(file, size)

    for arguments in ((), ("--verify",)):
        told = refused(core, *arguments)
        assert f"{file} is cut short: it is {size} bytes long and should be at least" in told
        assert size >= 8192 or "should be at least 8192" in told
        assert size < 8192 or f"should be at least {len(whole)};" in told
        assert "restore it from a backup" in told

    file.write_bytes(whole)
    core.start_core()
    assert core.digest() == core.live


def test_a_file_that_is_longer_is_fine(core):
    for store in ("journal", "keys"):
        with (core.folder / "state" / store / "data.mdb").open("ab") as file:
            file.write(b"\0" * 1000)

    core.start_core()

    assert core.digest() == core.live and core.control("verify")["ok"]


# --- parts that do not belong together ----------------------------------------------------------------


@pytest.fixture
def later(core):
    """Goes on after a backup; the backup."""
    backup = core.folder / "backup"
    shutil.copytree(core.folder / "state", backup)
    core.early = core.live
    core.start_core()
    publish(core, "R10", "R11")
    core.seq = core.status("status")["seq"]
    core.live = core.digest()
    core.stop("vigied")
    return backup


def put_back(core, backup, *names):
    for name in names:
        shutil.rmtree(core.folder / "state" / name)
        shutil.copytree(backup / name, core.folder / "state" / name)


def test_keys_without_their_journal_are_refused(core, later):
    aside = core.folder / "aside"
    (core.folder / "state" / "journal").rename(aside)

    for arguments in ((), ("--verify",), ("--rehearse", world.DAY)):
        told = refused(core, *arguments)
        assert f"the keystore knows of {core.seq} events and the journal holds 0" in told
        assert "restore both from the same backup" in told

    aside.rename(core.folder / "state" / "journal")
    core.start_core()
    assert core.digest() == core.live


def test_a_journal_older_than_its_keys_is_refused(core, later):
    put_back(core, later, "journal")

    told = refused(core)

    assert f"the keystore knows of {core.seq} events and the journal holds {core.seq - 2}" in told
    put_back(core, later, "keys")
    core.start_core()
    assert core.digest() == core.early and core.control("verify")["ok"]


def test_a_journal_without_its_keys_is_refused(core):
    aside = core.folder / "aside"
    (core.folder / "state" / "keys").rename(aside)

    told = refused(core)

    assert "its keys in" in told and "are missing: restore the newest backup of the keys" in told
    aside.rename(core.folder / "state" / "keys")
    core.start_core()
    assert core.digest() == core.live


# keys that are older than the journal catch up with it
def test_keys_older_than_the_journal_are_brought_up(core, later):
    put_back(core, later, "keys")

    core.start_core()

    assert core.digest() == core.live and core.control("verify")["ok"]


def exchange(core, other, *names):
    for name in names:
        aside = core.folder / "aside"
        (core.folder / name).rename(aside)
        (other.folder / name).rename(core.folder / name)
        aside.rename(other.folder / name)


# whichever of the two has seen more; and back in their places nothing was harmed
def test_keys_of_another_installation_are_refused(core, open_core):
    other = open_core("other", referrals=6)
    exchange(core, other, "state/keys", "key")

    for one in (core, other):
        for arguments in ((), ("--verify",)):
            told = refused(one, *arguments)
            assert "not those of this journal, but another installation's" in told

    exchange(core, other, "state/keys", "key")
    for one in (core, other):
        one.start_core()
        assert one.digest() == one.live and one.control("verify")["ok"]


# keys that know of hardly anything are no older ones of this journal
def test_new_keys_made_beside_a_journal_are_refused(core, open_core):
    fresh = open_core("fresh", referrals=0)
    exchange(core, fresh, "state/keys", "key")

    assert "not those of this journal" in refused(core)


# --- pages of garbage ---------------------------------------------------------------------------------

PAGE = 4096


def garbage(kind, seed, page):
    """In place of a page; "count" has it tell of more entries than it has room for."""
    return {"ones": b"\xff" * PAGE, "zeros": bytes(PAGE),
            "noise": random.Random(seed).randbytes(PAGE),
            "count": page[:12] + b"\xf0\xff" + page[14:]}[kind]


# every page in turn: what nobody needs may be anything, all else is told in a sentence; never a signal
@pytest.mark.parametrize("kind", ["ones", "zeros", "noise", "count"])
@pytest.mark.parametrize("store", ["journal", "keys"])
def test_pages_of_garbage_are_told(core, store, kind):
    file = core.folder / "state" / store / "data.mdb"
    whole = file.read_bytes()
    told = {}

    for page in range(len(whole) // PAGE):
        at = page * PAGE
        file.write_bytes(whole[:at] + garbage(kind, page, whole[at:at + PAGE]) + whole[at + PAGE:])
        ended = core.run("vigied", "--verify")
        told[page] = [line for line in ended.stderr.splitlines() if line.startswith("vigied: ")]
        assert ended.returncode == (1 if told[page] else 0), (page, ended.returncode, ended.stderr)

    file.write_bytes(whole)
    assert any(told.values()) and not all(told.values()), told
    assert "another installation" not in str(told)
    assert core.run("vigied", "--verify").returncode == 0


# a file that is mapped and cannot be read comes as this signal
def test_a_bus_error_is_told(core):
    core.start_core()

    core.processes["vigied"].send_signal(signal.SIGBUS)

    assert core.processes["vigied"].wait(20) == 1
    log = (core.folder / "vigied.log").read_text()
    assert "vigied: a file in state_dir cannot be read: it is damaged" in log


# what LMDB does not notice is found by reading all, while the core runs; an alarm tells it until all is well
def test_damage_found_while_running_raises_an_alarm(core):
    core.start_core()
    file = core.folder / "state" / "journal" / "data.mdb"
    whole = file.read_bytes()
    assert b"e-R0" in whole

    overwrite(file, whole.replace(b"e-R0", b"e-X0"))
    for _ in range(2):
        with pytest.raises(Refused, match="does not hold"):
            core.control("verify")
    assert alarms(core) == ["journal_damaged"]
    publish(core, "R20")

    overwrite(file, file.read_bytes().replace(b"e-X0", b"e-R0"))
    assert core.control("verify")["ok"] and alarms(core) == []


def alarms(core):
    """Of damage."""
    return [alarm["code"] for alarm in core.status("status")["alarms"]
            if alarm["code"] == "journal_damaged"]


def overwrite(file, data):
    """In place: the core has it mapped."""
    with file.open("r+b") as opened:
        opened.write(data)
