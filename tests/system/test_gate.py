"""vigie-gate between real ZeroMQ peers and a core made of Python, in a temporary folder."""

import os
import pathlib
import random
import signal
import socket
import stat
import struct
import subprocess
import threading
import time

import msgpack
import pytest
import zmq

BUILD = pathlib.Path(os.environ.get("VIGIE_BUILD", "build"))
GATE = BUILD / "daemon" / "gate" / "vigie-gate"

FRAME_SIZE_MAX = 1024 * 1024
WAIT_MS = 5_000

HELD = object()


def taken(request):
    """What a core says that takes everything."""
    return [1, request[1], None, [{"seq": 1}]]


class Core:
    """Listens where vigied would. `answer(request)` gives the answer, or HELD to keep it waiting."""

    def __init__(self, path, answer=taken):
        self.answer = answer
        self.forwarded = []  # (sender, frame) as they came
        self.held = []  # what was not answered, to be answered by release()
        self.arrived = threading.Condition()
        self.peers = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        pathlib.Path(path).unlink(missing_ok=True)
        self.listener.bind(str(path))
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.peers.append(peer)
            self.talk(peer)

    def talk(self, peer):
        stream = peer.makefile("rb")
        try:
            while len(size := stream.read(4)) == 4:
                self.on_frame(peer, stream.read(struct.unpack(">I", size)[0]))
        except OSError:
            pass

    def on_frame(self, peer, bytes_):
        kind, gate_msgid, method, (sender, frame) = msgpack.unpackb(bytes_)
        assert (kind, method) == (0, "forward")
        answer = self.answer(unpack(frame))
        with self.arrived:
            self.forwarded.append((sender, frame))
            if answer is HELD:
                self.held.append((peer, gate_msgid, frame))
            self.arrived.notify_all()
        if answer is not HELD:
            self.send(peer, gate_msgid, answer)

    def send(self, peer, gate_msgid, answer):
        frame = answer if isinstance(answer, bytes) else msgpack.packb(answer)
        self.send_raw(peer, msgpack.packb([1, gate_msgid, None, frame]))

    def send_raw(self, peer, bytes_):
        peer.sendall(struct.pack(">I", len(bytes_)) + bytes_)

    def release(self):
        for peer, gate_msgid, frame in self.held:
            self.send(peer, gate_msgid, taken(unpack(frame)))
        self.held.clear()

    def wait_for(self, count):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.forwarded) >= count, WAIT_MS / 1000)

    def close(self):
        """As if it had been killed: nothing more is said, nobody listens."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.peers:
            peer.shutdown(socket.SHUT_RDWR)
            peer.close()
        self.thread.join(5)


def unpack(frame):
    """The request, or something to answer when it is none: the core would refuse it."""
    try:
        request = msgpack.unpackb(frame, strict_map_key=False)
    except Exception:
        request = None
    is_request = isinstance(request, list) and len(request) == 4 and isinstance(request[1], int)
    return request if is_request else [0, 0, "", []]


class Gate:
    def __init__(self, folder, sender=None, more=""):
        self.folder = folder
        self.core_path = folder / "gate.sock"
        self.ipc_path = folder / "intake.sock"
        self.endpoint = f"ipc://{self.ipc_path}"
        self.file = folder / "vigie.conf"
        if sender is None:
            sender = f"uid = {os.getuid()};"
        self.file.write_text(
            f'''
state_dir = "{folder}/state";
policy_file = "{folder}/policy.conf";
key_file = "{folder}/key";
gate_socket = "{self.core_path}";
worker_socket = "{folder}/worker.sock";
status_socket = "{folder}/status.sock";
control_socket = "{folder}/control.sock";
intake_ipc = "{self.ipc_path}";
{more}
senders = (
    {{ name = "fsl"; {sender} sources = ["*"]; types = ["*"]; subject_sources = ["*"]; }}
);
'''
        )
        self.process = None

    def start(self):
        self.log = open(self.folder / "gate.log", "ab")
        self.process = subprocess.Popen([GATE, "--config", self.file], stderr=self.log)
        wait_until(lambda: self.process.poll() is not None or self.says("gate.ready"))
        assert self.process.poll() is None, self.text()
        return self

    def text(self):
        return (self.folder / "gate.log").read_text()

    def says(self, name):
        return name in self.text()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(8)
            finally:
                if self.process.poll() is None:
                    self.process.kill()


def wait_until(condition, seconds=10):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.01)


class Peer:
    """A sender's socket."""

    def __init__(self, context, endpoint, kind=zmq.DEALER):
        self.socket = context.socket(kind)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.RCVTIMEO, WAIT_MS)
        self.socket.set(zmq.SNDTIMEO, WAIT_MS)
        self.socket.set(zmq.SNDHWM, 0)
        self.socket.set(zmq.RCVHWM, 0)
        self.socket.set(zmq.RECONNECT_IVL, 20)
        self.socket.connect(endpoint)

    def ask(self, msgid, method="publish", params=None):
        self.send(msgid, method, params)
        return self.receive()

    def send(self, msgid, method="publish", params=None):
        self.socket.send(request(msgid, method, params))

    def receive(self):
        return msgpack.unpackb(self.socket.recv())


def request(msgid, method="publish", params=None):
    return msgpack.packb([0, msgid, method, [[{"id": "1"}]] if params is None else params])


def padded(msgid, size):
    """A request of exactly that many bytes."""
    empty = request(msgid, params=[[b"\0" * 70000]])
    frame = request(msgid, params=[[b"\0" * (70000 + size - len(empty))]])
    assert len(frame) == size
    return frame


def error_code(answer):
    assert answer[0] == 1 and answer[3] is None
    return answer[2]["code"]


@pytest.fixture
def folder(tmp_path_factory):
    # Short: a socket's path has 107 bytes at most.
    return tmp_path_factory.mktemp("g")


@pytest.fixture
def cores():
    """Makes cores, and ends those that were not closed."""
    made = []

    def make(gate, answer=taken):
        made.append(Core(gate.core_path, answer))
        return made[-1]

    yield make
    for core in made:
        try:
            core.close()
        except OSError:
            pass


@pytest.fixture
def gates():
    made = []

    def make(folder, **options):
        made.append(Gate(folder, **options))
        return made[-1]

    yield make
    for gate in made:
        gate.stop()


@pytest.fixture
def context():
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def running(folder, gates, cores, context):
    """A gate, a core that takes everything, and a DEALER that is known."""
    gate = gates(folder)
    core = cores(gate)
    gate.start()
    wait_until(lambda: gate.says("gate.core_reached"))
    return gate, core, Peer(context, gate.endpoint)


def test_a_request_reaches_the_core_as_it_is_with_the_senders_name(running):
    gate, core, peer = running
    frame = request(7)

    peer.socket.send(frame)
    answer = peer.receive()

    assert core.forwarded == [("fsl", frame)]
    assert answer == [1, 7, None, [{"seq": 1}]]


def test_a_req_gets_its_empty_delimiter_back(running, context):
    gate, core, _ = running
    peer = Peer(context, gate.endpoint, zmq.REQ)

    answers = [peer.ask(msgid) for msgid in (1, 2)]

    assert [answer[1] for answer in answers] == [1, 2]


def test_a_delimiter_is_echoed_only_to_who_sent_one(running):
    gate, core, peer = running

    peer.socket.send_multipart([b"", request(1)])
    with_delimiter = peer.socket.recv_multipart()
    peer.socket.send_multipart([request(2)])
    without = peer.socket.recv_multipart()

    assert len(with_delimiter) == 2 and with_delimiter[0] == b""
    assert len(without) == 1


def test_a_peer_may_choose_a_long_name(running, context):
    gate, core, _ = running
    peer = context.socket(zmq.DEALER)
    peer.set(zmq.ROUTING_ID, b"n" * 255)
    peer.set(zmq.RCVTIMEO, WAIT_MS)
    peer.connect(gate.endpoint)

    peer.send(request(1))

    assert msgpack.unpackb(peer.recv())[1] == 1


def test_an_unknown_uid_is_refused_and_reaches_nobody(folder, gates, cores, context):
    gate = gates(folder, sender=f"uid = {os.getuid() + 12345};")
    core = cores(gate)
    gate.start()

    answer = Peer(context, gate.endpoint).ask(3)

    assert error_code(answer) == "unauthenticated"
    assert answer[1] == 3
    assert core.forwarded == []


def test_the_socket_file_is_closed_to_others(running):
    gate, _, _ = running

    mode = stat.S_IMODE(gate.ipc_path.stat().st_mode)

    assert mode == 0o660


def test_a_second_gate_leaves_the_first_ones_socket_alone(running):
    gate, core, peer = running

    second = subprocess.run([GATE, "--config", gate.file], stderr=subprocess.PIPE, timeout=10)

    assert second.returncode == 1
    assert b"another gate" in second.stderr
    assert peer.ask(1)[2] is None


def test_a_socket_file_left_behind_is_replaced(folder, gates, cores, context):
    gate = gates(folder)
    core = cores(gate)
    gate.start()
    gate.process.kill()
    gate.process.wait()
    assert gate.ipc_path.exists()
    (folder / "gate.log").unlink()

    gate.start()

    wait_until(lambda: gate.says("gate.core_reached"))
    assert Peer(context, gate.endpoint).ask(1)[2] is None


@pytest.mark.parametrize(
    "frames",
    [
        [b"a", b"b"],
        [b"", b"a", b"b"],
        [b"", b""],
        [b"", b"", b"a"],
        [b""],
        [b"x"] * 50,
        [b""] + [b"x"] * 50,
        [b"a", b"b", b"c", request(5)],  # the rest is no message of its own
        [b"a", b"b", b"c", b"", request(5)],
    ],
)
def test_what_is_no_single_frame_is_refused_and_nothing_else_suffers(running, frames):
    gate, core, peer = running

    peer.socket.send_multipart(frames)
    refusal = msgpack.unpackb(peer.socket.recv_multipart()[-1])
    answer = peer.ask(2)

    assert error_code(refusal) == "bad_frame"
    assert answer[:3] == [1, 2, None]
    assert len(core.forwarded) == 1


def test_bytes_of_any_kind_pass_unchanged_for_the_core_to_refuse(running):
    gate, core, peer = running
    source = random.Random(20)
    frames = [source.randbytes(source.randint(1, 60)) for _ in range(300)]
    frames += [bytes([0x94, 0x00, length]) + b"\xdd" * 3 for length in range(256)]
    frames += [request(9)[:length] for length in range(1, len(request(9)))]
    frames = [frame for frame in frames if frame[:2] != b"\x93\x02"]

    for frame in frames:
        peer.socket.send(frame)
    answers = [peer.receive() for _ in frames]

    assert [frame for _, frame in core.forwarded] == frames
    assert len(answers) == len(frames)


def test_a_notification_is_forwarded_and_not_answered(running):
    gate, core, peer = running

    peer.socket.send(msgpack.packb([2, "publish", [[]]]))
    answer = peer.ask(5)

    assert answer[1] == 5
    assert len(core.forwarded) == 2


def test_the_largest_frame_passes(running):
    gate, core, peer = running

    peer.socket.send(padded(1, FRAME_SIZE_MAX))

    assert peer.receive()[2] is None
    assert len(core.forwarded[0][1]) == FRAME_SIZE_MAX


def test_a_frame_over_the_limit_costs_its_sender_the_connection_only(running, context):
    gate, core, peer = running
    bystander = Peer(context, gate.endpoint)
    bystander.ask(1)

    peer.socket.send(b"\0" * (FRAME_SIZE_MAX + 1))
    answer = bystander.ask(2)
    peer.socket.set(zmq.RCVTIMEO, 200)
    for attempt in range(3, 30):  # what is sent before the connection is back may be lost
        try:
            assert peer.ask(attempt)[2] is None
            break
        except zmq.Again:
            continue
    else:
        pytest.fail("the sender did not come back")

    assert answer[2] is None
    assert all(len(frame) <= FRAME_SIZE_MAX for _, frame in core.forwarded)


def test_two_thousand_requests_on_their_way_are_all_answered(running):
    gate, core, peer = running
    core.answer = lambda request: HELD

    for msgid in range(2000):
        peer.send(msgid)
    core.wait_for(2000)
    core.release()
    answers = [peer.receive() for _ in range(2000)]

    assert sorted(answer[1] for answer in answers) == list(range(2000))
    assert all(answer[2] is None for answer in answers)


def test_answers_find_the_one_who_asked(running, context):
    gate, core, _ = running
    core.answer = lambda request: [1, request[1], None, request[3]]
    peers = [Peer(context, gate.endpoint) for _ in range(8)]

    for turn in range(200):
        for number, peer in enumerate(peers):
            peer.send(turn, params=[number])
    answers = [[peer.receive() for _ in range(200)] for peer in peers]

    for number, own in enumerate(answers):
        assert [answer[1] for answer in own] == list(range(200))
        assert all(answer[3] == [number] for answer in own)


def test_a_burst_does_not_get_stuck_on_the_edge_triggered_descriptor(running):
    gate, core, peer = running

    for wave in range(10):
        for msgid in range(1500):
            peer.send(msgid)
        answers = [peer.receive() for _ in range(1500)]
        assert [answer[1] for answer in answers] == list(range(1500))


def test_more_bytes_on_their_way_than_a_sender_may_have_are_busy(running):
    gate, core, peer = running
    core.answer = lambda request: HELD

    for msgid in range(4):
        peer.socket.send(padded(msgid, FRAME_SIZE_MAX))
    core.wait_for(4)
    busy = peer.ask(4)
    core.release()
    answers = [peer.receive() for _ in range(4)]
    core.answer = taken
    after = peer.ask(5)

    assert error_code(busy) == "busy" and busy[2]["retry_after_ms"] > 0
    assert [answer[2] for answer in answers] == [None] * 4
    assert after[2] is None


def test_the_rate_of_a_sender_is_kept_and_the_wait_is_told_exactly(folder, gates, cores, context):
    gate = gates(folder, sender=f"uid = {os.getuid()}; rate = 10;")
    core = cores(gate)
    gate.start()
    peer = Peer(context, gate.endpoint)
    wait_until(lambda: gate.says("gate.core_reached"))
    full = [[{"id": str(n)} for n in range(10)]]
    time.sleep(0.5)  # what is not used is not saved up beyond one second

    first = peer.ask(1, params=full)
    busy = peer.ask(2, params=full)
    single = peer.ask(3)
    wait_ms = busy[2]["retry_after_ms"]
    time.sleep(wait_ms / 1000)
    again = peer.ask(4, params=full)

    assert first[2] is None
    assert error_code(busy) == "busy" and 900 < wait_ms <= 1000
    assert error_code(single) == "busy" and single[2]["retry_after_ms"] <= 100
    assert again[2] is None


def test_a_request_larger_than_a_second_allows_passes_and_leaves_a_debt(
    folder, gates, cores, context
):
    gate = gates(folder, sender=f"uid = {os.getuid()}; rate = 10;")
    core = cores(gate)
    gate.start()
    peer = Peer(context, gate.endpoint)
    wait_until(lambda: gate.says("gate.core_reached"))

    large = peer.ask(1, params=[[{"id": str(n)} for n in range(30)]])
    busy = peer.ask(2)

    assert large[2] is None
    assert error_code(busy) == "busy" and 2000 < busy[2]["retry_after_ms"] <= 2100


def test_without_a_core_senders_are_told_to_come_back(folder, gates, cores, context):
    gate = gates(folder).start()
    peer = Peer(context, gate.endpoint)

    busy = peer.ask(11)
    core = cores(gate)
    wait_until(lambda: gate.says("gate.core_reached"))
    answer = peer.ask(12)

    assert busy[1] == 11
    assert error_code(busy) == "busy" and busy[2]["retry_after_ms"] == 1000
    assert answer[2] is None


def test_when_the_core_dies_everything_on_its_way_is_answered_busy(running, cores):
    gate, core, peer = running
    core.answer = lambda request: HELD
    for msgid in range(100):
        peer.send(msgid)
    core.wait_for(100)

    core.close()
    answers = [peer.receive() for _ in range(100)]
    cores(gate)
    wait_until(lambda: gate.text().count("gate.core_reached") == 2)
    after = peer.ask(200)

    assert sorted(answer[1] for answer in answers) == list(range(100))
    assert {error_code(answer) for answer in answers} == {"busy"}
    assert {answer[2]["retry_after_ms"] for answer in answers} == {1000}
    assert after[2] is None


def test_a_core_that_talks_nonsense_is_left_and_found_again(running):
    gate, core, peer = running
    core.answer = lambda request: HELD
    peer.send(1)
    core.wait_for(1)

    core.send_raw(core.peers[0], b"\xc1nonsense")
    busy = peer.receive()
    core.answer = taken
    wait_until(lambda: gate.text().count("gate.core_reached") == 2)

    assert error_code(busy) == "busy"
    assert peer.ask(2)[2] is None


def test_an_answer_nobody_waits_for_is_passed_over(running):
    gate, core, peer = running
    peer.ask(1)

    for gate_msgid in (0, 1, 0xFFFFFFFF, 0x10000, 0x20001):
        core.send(core.peers[0], gate_msgid, [1, 66, None, None])
    answer = peer.ask(2)

    assert answer[1] == 2


def test_an_answer_said_twice_does_not_reach_the_next_request(running):
    gate, core, peer = running
    core.answer = lambda request: HELD
    peer.send(1)
    core.wait_for(1)
    (core_peer, gate_msgid, _), *_ = core.held
    core.release()
    peer.receive()
    peer.send(2)
    core.wait_for(2)

    core.send(core_peer, gate_msgid, [1, 1, None, "again"])
    core.release()

    assert peer.receive() == [1, 2, None, [{"seq": 1}]]


def test_a_sender_that_left_costs_nothing(running, context):
    gate, core, peer = running
    core.answer = lambda request: HELD
    gone = Peer(context, gate.endpoint)
    for msgid in range(50):
        gone.send(msgid)
    core.wait_for(50)

    gone.socket.close(linger=0)
    time.sleep(0.2)
    core.release()
    core.answer = taken

    assert peer.ask(1)[2] is None


def test_stopping_brings_back_what_is_on_its_way(running):
    gate, core, peer = running
    core.answer = lambda request: HELD
    for msgid in range(20):
        peer.send(msgid)
    core.wait_for(20)

    gate.process.send_signal(signal.SIGTERM)
    wait_until(lambda: gate.says("gate.stopping"))
    refused = peer.ask(99)
    core.release()
    answers = [peer.receive() for _ in range(20)]

    assert error_code(refused) == "draining"
    assert all(answer[2] is None for answer in answers)
    assert gate.process.wait(5) == 0


def test_stopping_does_not_wait_for_a_silent_core(running):
    gate, core, peer = running
    core.answer = lambda request: HELD
    peer.send(1)
    core.wait_for(1)
    began = time.monotonic()

    gate.process.send_signal(signal.SIGTERM)
    busy = peer.receive()

    assert error_code(busy) == "busy"
    assert gate.process.wait(5) == 0
    assert time.monotonic() - began < 4


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_bare_tcp_on_loopback_stands_for_the_one_sender_named(folder, gates, cores, context):
    port = free_port()
    gate = gates(folder, sender="loopback = true;", more=f'intake_tcp = "127.0.0.1:{port}";')
    core = cores(gate)
    gate.start()
    wait_until(lambda: gate.says("gate.core_reached"))

    by_tcp = Peer(context, f"tcp://127.0.0.1:{port}").ask(1)
    by_ipc = Peer(context, gate.endpoint).ask(2)

    assert by_tcp[2] is None
    assert [sender for sender, _ in core.forwarded] == ["fsl"]
    assert error_code(by_ipc) == "unauthenticated"


def test_bare_tcp_without_such_a_sender_lets_nobody_in(folder, gates, cores, context):
    port = free_port()
    gate = gates(folder, more=f'intake_tcp = "127.0.0.1:{port}";')
    core = cores(gate)
    gate.start()

    answer = Peer(context, f"tcp://127.0.0.1:{port}").ask(1)

    assert error_code(answer) == "unauthenticated"
    assert core.forwarded == []


@pytest.mark.parametrize("address", ["0.0.0.0:5570", "192.0.2.1:5570", "[::]:5570", "*:5570"])
def test_bare_tcp_elsewhere_is_refused_with_a_sentence(folder, gates, address):
    gate = gates(folder, sender="loopback = true;", more=f'intake_tcp = "{address}";')

    run = subprocess.run([GATE, "--config", gate.file], stderr=subprocess.PIPE, timeout=10)

    assert run.returncode == 2
    assert b"127.0.0.0/8" in run.stderr or b"loopback" in run.stderr


def test_check_reads_the_configuration_and_leaves(folder, gates):
    gate = gates(folder)

    good = subprocess.run([GATE, "--check", "--config", gate.file], timeout=10)
    gate.file.write_text("no_such_option = 1;\n")
    bad = subprocess.run(
        [GATE, "--check", "--config", gate.file], stderr=subprocess.PIPE, timeout=10
    )

    assert good.returncode == 0
    assert bad.returncode == 2
    assert b"vigie.conf:1" in bad.stderr
