"""Which snapshot a start reads: the newest that is whole and that its journal leads to; else the journal alone.
Whatever was passed over, the state is the same."""
import os
import pathlib
import re
import shutil

import pytest

import world
from conftest import Core
from sender import Sender


def publish(core, *numbers):
    with Sender(core.intake) as sender:
        for entry in sender.publish([world.request("H-1", number) for number in numbers]):
            assert "seq" in entry, entry


def snapshots(core):
    """Newest first."""
    return sorted((core.folder / "state" / "snapshots").glob("*.state"), reverse=True)


def seq_of(path):
    return int(path.name.split(".")[0])


def lines(core, name):
    """The sequence numbers told by a log line, since the log began."""
    log = (core.folder / "vigied.log").read_text()
    return [int(seq) for seq in re.findall(rf"{re.escape(name)} seq=(\d+)", log)]


def start_anew(core):
    (core.folder / "vigied.log").unlink()
    core.start_core()


def stop(core):
    """An orderly end, which leaves a snapshot; the digest it had."""
    digest = core.digest()
    core.stop("vigied")
    return digest


@pytest.fixture
def open_core(folder):
    """Cores beside one another."""
    opened = []

    def begin(name):
        path = os.path.join(folder, name)
        os.mkdir(path)
        opened.append(Core(path, rehearse=world.DAY))
        return opened[-1]

    yield begin
    for core in opened:
        core.close()


@pytest.fixture
def core(open_core):
    """Stopped, with two snapshots of different age and nothing after the newer."""
    core = open_core("core")
    publish(core, "R1")
    core.restart()
    publish(core, "R2")
    core.live = stop(core)
    assert len(snapshots(core)) == 2
    return core


def check(core, read, damaged=(), foreign=()):
    start_anew(core)

    assert core.digest() == core.live
    assert lines(core, "snapshot.read") == list(read)
    assert lines(core, "snapshot.damaged") == list(damaged)
    assert lines(core, "snapshot.of_another_journal") == list(foreign)
    assert core.control("verify")["ok"]


def test_the_newest_is_read(core):
    newest, _ = snapshots(core)

    check(core, read=[seq_of(newest)])


def flip(at):
    def damage(path):
        data = bytearray(path.read_bytes())
        data[at if at < len(data) else -1] ^= 0x10
        path.write_bytes(data)
    return damage


def cut(size):
    def damage(path):
        os.truncate(path, size if size >= 0 else path.stat().st_size + size)
    return damage


def add(path):
    with path.open("ab") as file:
        file.write(b"\0")


DAMAGES = {"empty": cut(0), "cut in the head": cut(50), "only the head": cut(72),
           "cut by one": cut(-1), "one too many": add, "other magic": flip(3),
           "other digest": flip(20), "bit in the state": flip(100),
           "last bit": flip(1 << 40)}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_one_is_passed_over_for_the_older(core, damage):
    newest, older = snapshots(core)
    damage(newest)

    check(core, read=[seq_of(older)], damaged=[seq_of(newest)])


def test_one_with_another_chain_is_taken_for_another_journals(core):
    newest, older = snapshots(core)
    flip(50)(newest)

    check(core, read=[seq_of(older)], foreign=[seq_of(newest)])


def test_when_all_are_damaged_the_journal_is_replayed(core):
    newest, older = snapshots(core)
    flip(100)(newest)
    cut(1000)(older)

    check(core, read=[], damaged=[seq_of(newest), seq_of(older)])


def test_a_name_that_lies_is_passed_over(core):
    newest, older = snapshots(core)
    newest.unlink()
    os.rename(older, newest)

    check(core, read=[], foreign=[seq_of(newest)])


# two journals that were told the same, of the same length: only the chain tells them apart
def test_snapshots_of_two_journals_are_not_taken_for_each_other(core, open_core):
    other = open_core("other")
    publish(other, "R1")
    other.restart()
    publish(other, "R2")
    other.live = stop(other)
    mine, others = snapshots(core), snapshots(other)
    assert [path.name for path in mine] == [path.name for path in others]
    for first, second in zip(mine, others):
        aside = first.with_suffix(".swap")
        os.rename(first, aside)
        os.rename(second, first)
        os.rename(aside, second)

    for one in (core, other):
        check(one, read=[], foreign=[seq_of(path) for path in mine])


# a backup of the journal is put back, and the snapshots are those of what came after it
def test_snapshots_of_a_longer_history_are_passed_over(open_core):
    core = open_core("core")
    publish(core, "R1")
    core.live = stop(core)
    backup = pathlib.Path(shutil.copytree(core.folder / "state", core.folder / "backup"))
    core.start_core()
    publish(core, "R2")
    stop(core)
    longer = snapshots(core)[0]
    for name in ("journal", "keys"):
        shutil.rmtree(core.folder / "state" / name)
        shutil.copytree(backup / name, core.folder / "state" / name)

    check(core, read=[seq_of(snapshots(core)[1])], foreign=[seq_of(longer)])


# then other events are taken in their place: as long as before, and another history
def test_a_history_that_took_another_turn_is_told_apart(open_core):
    core = open_core("core")
    publish(core, "R1")
    stop(core)
    backup = pathlib.Path(shutil.copytree(core.folder / "state", core.folder / "backup"))
    core.start_core()
    publish(core, "R2")
    stop(core)
    left = snapshots(core)[0]
    kept = left.read_bytes()
    shutil.rmtree(core.folder / "state")
    os.rename(backup, core.folder / "state")
    core.start_core()
    publish(core, "R3")
    core.live = stop(core)
    mine = snapshots(core)[0]
    assert mine.name == left.name
    mine.write_bytes(kept)

    check(core, read=[seq_of(snapshots(core)[1])], foreign=[seq_of(mine)])


# what was passed over takes no place from those that hold, however new it calls itself
def test_what_was_passed_over_is_set_aside(core):
    newest, _ = snapshots(core)
    liar = newest.with_name(f"{10 ** 9:020}.state")
    shutil.copy(newest, liar)
    check(core, read=[seq_of(newest)], foreign=[10 ** 9])

    publish(core, "R3")
    core.live = stop(core)

    assert len(snapshots(core)) == 2 and liar not in snapshots(core)
    assert liar.with_name(liar.name + ".aside").exists()
    check(core, read=[seq_of(snapshots(core)[0])])
