"""A sender written from PROTOCOL.md alone, against a real core and gate: what is answered is kept, the same
again is a duplicate, and silence is answered by asking again."""

import threading
import time

import msgpack
import pytest
import zmq

from sender import AskingSender, Sender
from world import DAY, referral, request

SOURCE = "urn:fsl:39"


@pytest.fixture
def core(start):
    return start(rehearse=DAY)


@pytest.fixture
def sender(core):
    with Sender(core.intake) as made:
        yield made


def requests(count, first=0):
    return [request(f"N-{n}", f"R-{n}") for n in range(first, first + count)]


def numbers(entries):
    return [entry["seq"] for entry in entries]


# hello tells what is spoken and how much is taken
def test_hello_tells_version_limits_and_epoch(sender):
    answer = sender.hello()
    assert answer["version"] == "1"
    assert answer["limits"] == {"event_size_max": 16384, "frame_size_max": 1048576,
                                "request_events_max": 500, "sender_inflight_size_max": 4194304}
    assert isinstance(answer["epoch"], int)


# nothing has to be said first: one result per event, in order, with growing numbers
def test_each_event_gets_its_number_in_order(sender):
    taken = numbers(sender.publish(requests(100)))
    assert taken == sorted(set(taken))
    assert len(taken) == 100


# the same again gets the first one's number, and changes nothing
def test_the_same_again_is_a_duplicate(core, sender):
    first = numbers(sender.publish(requests(20)))
    before = core.digest()
    again = sender.publish(requests(20))
    assert numbers(again) == first
    assert all(entry["duplicate"] is True for entry in again)
    assert core.digest() == before


# also twice in one request: the second is a duplicate of the first
def test_the_same_twice_in_one_request(sender):
    one, other = sender.publish(requests(1) * 2)
    assert one["seq"] == other["seq"]
    assert "duplicate" not in one and other["duplicate"] is True


# content is what the event says: order of keys, words of a set, offset of the time do not count
def test_a_duplicate_may_be_written_otherwise(core, sender):
    event = request("N-1", "R-1", energies=["electricity", "gas"])
    taken = numbers(sender.publish([event]))
    otherwise = dict(reversed(event.items()))
    otherwise["data"] = dict(reversed(event["data"].items()), energies=["gas", "electricity"])
    entry = sender.publish([otherwise])[0]
    assert (entry["seq"], entry.get("duplicate")) == (taken[0], True)


@pytest.mark.parametrize("change", [
    {"data": {"energies": ["water"]}}, {"data": {"filed_on": "2015-03-01"}}, {"subject": "N-2"},
    {"time": "2015-03-02T11:00:01Z"}, {"data": {"person": {"name": "Quelqu'un"}}},
    {"subjectsource": "urn:other"},
], ids=str)
def test_the_same_identity_with_other_content_is_a_conflict(core, sender, change):
    event = request("N-1", "R-1")
    sender.publish([event])
    before = core.digest()
    other = {**event, **change, "data": {**event["data"], **change.get("data", {})}}
    error = sender.publish([other])[0]["error"]
    assert error["code"] == "conflict"
    assert error["text"]
    assert core.digest() == before


# one bad event makes nothing else in its batch suffer
def test_a_refused_event_leaves_its_neighbours(sender):
    one, bad, other = requests(3)
    del bad["data"]["filed_on"]
    entries = sender.publish([one, bad, other])
    assert "seq" in entries[0] and "seq" in entries[2]
    assert (entries[1]["error"]["code"], entries[1]["error"]["path"]) == (
        "invalid_event", "data.filed_on")


def test_status_tells_what_was_taken(sender):
    taken = numbers(sender.publish(requests(1)))[0]
    assert sender.status(SOURCE, "e-R-0") == taken
    assert sender.status(SOURCE, "e-never") is None


# any number of requests in flight, in any order of answers
def test_many_requests_in_flight(sender):
    taken = numbers(sender.publish_many(requests(3000), batch=37, window=64))
    assert len(set(taken)) == 3000


# REQ with its empty frame, and DEALER with one, are the same to the gate
def test_a_req_socket_publishes_too(core):
    with AskingSender(core.intake) as asking:
        taken = numbers(asking.publish(requests(3)))
    with Sender(core.intake) as made:
        assert numbers(made.publish(requests(3))) == taken


# several senders at once, each with its own events
def test_several_connections_at_once(core):
    found, results = [], {}

    def work(part):
        with Sender(core.intake) as made:
            results[part] = numbers(made.publish_many(requests(400, 400 * part), batch=20))

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for taken in results.values():
        found += taken
    assert len(set(found)) == 1600


# what was answered is there after kill -9 and after an orderly restart
@pytest.mark.parametrize("end", ["kill9", "restart"])
def test_what_was_answered_is_there_after(core, sender, end):
    events = requests(200)
    taken = numbers(sender.publish(events))
    if end == "kill9":
        core.kill9()
        core.start_core()
    else:
        core.restart()
    again = sender.publish(events)
    assert numbers(again) == taken
    assert all(entry["duplicate"] for entry in again)


# while the core is away the gate says busy, with a delay; publishing goes on when it is back
def test_a_sender_waits_while_the_core_is_away(core, sender):
    sender.tries = 60
    sender.publish(requests(1))
    core.kill9()
    back = threading.Timer(1.5, core.start_core)
    back.start()
    taken = sender.publish(requests(10, first=1))
    back.join()
    assert len(set(numbers(taken))) == 10
    assert sender.busy_count > 0


# while the gate is away nothing answers: asking again is safe, and each event is taken once
def test_a_sender_asks_again_when_the_gate_was_away(core, sender):
    sender.timeout, sender.tries = 1, 60
    first = numbers(sender.publish(requests(5)))
    core.kill9("vigie-gate")
    back = threading.Timer(1.5, lambda: core.spawn("vigie-gate"))
    back.start()
    again = sender.publish(requests(10))
    back.join()
    assert numbers(again[:5]) == first
    assert len(set(numbers(again))) == 10


# the core is killed again and again under load: whatever was answered is never lost, and none counts twice
def test_nothing_answered_is_lost_while_the_core_is_killed(core):
    events, results = requests(2000), []

    def work():
        with Sender(core.intake, timeout=2, tries=100) as made:
            results.extend(made.publish_many(events, batch=25, window=8))

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(4):
        time.sleep(0.15)
        core.kill9()
        core.start_core()
    thread.join(120)
    assert len(set(numbers(results))) == 2000
    with Sender(core.intake) as made:
        again = made.publish_many(events)
        assert numbers(again) == numbers(results)


# an answer carries the asker's msgid back, whatever it is
@pytest.mark.parametrize("msgid", [0, 1, 127, 128, 2**31, 2**32 - 1])
def test_the_msgid_comes_back(sender, msgid):
    answered, error, _ = sender.raw(msgpack.packb([0, msgid, "hello", []]))
    assert (answered, error) == (msgid, None)


# a notification is taken and never answered
def test_a_notification_is_not_answered(sender):
    sender.send_frame(msgpack.packb([2, "hello", []]))
    assert sender.receive(timeout=0.3) is None
    assert sender.hello()


# a correction is a new event: the case keeps its place
def test_a_correction_is_a_new_event(core, sender):
    first, second = numbers(sender.publish(
        [referral("H-1", "F1", id="one"), referral("H-1", "F1", id="two", vulnerable=["ill"])]))
    assert second > first
    cases = core.control("queue.list")
    assert len(cases["cases"]) == 1


# an empty batch is no mistake of anybody's data: it is answered, with nothing in it or as a bad request
def test_an_empty_batch_is_answered(sender):
    _, error, result = sender.raw(msgpack.packb([0, 1, "publish", [[]]]))
    assert result == [] or error["code"] == "bad_request"


# two delimiters, or a payload in two frames, are no request
def test_a_payload_in_two_frames_is_refused(core):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(core.intake)
    socket.send_multipart([msgpack.packb([0, 1, "hello", []]), b"more"])
    assert socket.poll(5000)
    assert msgpack.unpackb(socket.recv_multipart()[-1])[2]["code"] == "bad_frame"
    socket.close()
