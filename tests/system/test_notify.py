"""vigie-notify against a core made of Python: what its mails say, that each leaves once, what it
answers, and how it lives through restarts. Needs: VIGIE_BUILD (default `build`); Exim for SMTP."""
import email
import email.policy
import itertools
import json
import os
import pathlib
import select
import shutil
import socket
import struct
import subprocess
import time

import msgpack
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("VIGIE_BUILD", "build")).resolve()
NOTIFY = BUILD / "workers/notify/vigie-notify"
VIGIECTL = BUILD / "tools/vigiectl/vigiectl"
NOTHING = BUILD / "workers/nothing/vigie-nothing"
TEMPLATES = ROOT / "config/jura/templates"
EXIM = shutil.which("exim4", path="/usr/sbin:/usr/bin")
# A build with sanitizers is slow to start.
PATIENCE_S = 20


class Core:
    """The core's side of worker.sock: one worker, frames in the order they come."""

    def __init__(self, path):
        self.path = str(path)
        self.connection = None
        self.frames = []
        self.buffer = b""
        self.listen()

    def listen(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()

    def close(self):
        self.hang_up()
        self.listener.close()

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None
        self.buffer = b""
        self.frames = []

    def accept(self, timeout=PATIENCE_S):
        """Waits for a worker and answers its `ready`, which is returned."""
        self.listener.settimeout(timeout)
        self.connection, _ = self.listener.accept()
        return self.expect("ready")

    def send(self, message):
        frame = msgpack.packb(message)
        self.connection.sendall(struct.pack(">I", len(frame)) + frame)

    def read(self, timeout=PATIENCE_S):
        deadline = time.monotonic() + timeout
        while True:
            if len(self.buffer) >= 4:
                size = struct.unpack(">I", self.buffer[:4])[0]
                if len(self.buffer) >= 4 + size:
                    frame = msgpack.unpackb(self.buffer[4 : 4 + size], strict_map_key=False)
                    self.buffer = self.buffer[4 + size :]
                    return frame
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.connection], [], [], left)[0]:
                raise TimeoutError("the worker says nothing")
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("the worker is gone")
            self.buffer += data

    def request(self, *methods, timeout=PATIENCE_S):
        """The next request that is one of `methods`, not yet answered; others are confirmed."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self.read(deadline - time.monotonic())
            if frame[0] != 0:
                continue
            if frame[2] in methods:
                return frame
            self.send([1, frame[1], None, {}])

    def expect(self, *methods, timeout=PATIENCE_S):
        frame = self.request(*methods, timeout=timeout)
        self.send([1, frame[1], None, {}])
        assert len(frame[3]) == 1
        return frame[3][0]

    def give(self, task, token, body, attempt=1, kind="mail"):
        packed = msgpack.packb(body, use_bin_type=True)
        self.send([2, "task", [dict(id=task, kind=kind, token=token, attempt=attempt,
                                    lease_ms=60000, body=packed)]])

    def run(self, task, token, body, **more):
        """Gives a task and returns the method and the map of its answer."""
        self.give(task, token, body, **more)
        frame = self.request("done", "failed")
        self.send([1, frame[1], None, {}])
        assert frame[3][0]["id"] == task and frame[3][0]["token"] == token
        return frame[2], frame[3][0]


class Bench:
    """A folder with a core, a configuration and the worker."""

    def __init__(self, folder):
        self.folder = folder
        self.maildir = folder / "Maildir"
        self.core = Core(folder / "worker.sock")
        self.process = None
        self.config()

    def config(self, **more):
        options = dict(
            worker_socket=str(self.folder / "worker.sock"),
            mail_delivery="maildir",
            mail_maildir=str(self.maildir),
            mail_from="slime@jura.example",
            mail_from_name="SLIME du Jura – Énergie",
            mail_domain="vigie.jura.example",
            mail_templates=str(TEMPLATES),
            mail_journal=str(self.folder / "sent"),
        )
        options.update(more)
        text = "".join(
            f'{name} = "{value}";\n' if isinstance(value, str) else f"{name} = {value};\n"
            for name, value in options.items()
            if value is not None
        )
        (self.folder / "vigie.conf").write_text(text)

    def start(self):
        self.process = subprocess.Popen([NOTIFY, "--config", self.folder / "vigie.conf"])
        return self.core.accept()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.core.hang_up()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE_S) == 0
        self.core.hang_up()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.core.close()

    def mails(self):
        return sorted((self.maildir / "new").iterdir())


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


COORDINATOR = dict(id="coordinator", name="Hélène Bouvier", email="helene.bouvier@jura.example")
GIVER = dict(id="giver-017", name="Zoë Œuvrard", email="zoe@ccas-dole.example")
PAIR = dict(id="pair-1", name="Binôme Nord", email="binome.nord@jura.example")
DATE = "2015-03-02T07:00:00Z"


def mail(template, number=1, **more):
    body = dict(template=template, message_id=f"e{number}.{template}.giver-017", date=DATE,
                to=GIVER, coordinator=COORDINATOR, case_number=12, form="F-2015-031", sector="dole",
                sector_name="Dole", commune="Tavaux", state="waiting")
    body.update(more)
    return {name: value for name, value in body.items() if value is not None}


def read_mail(path):
    raw = path.read_bytes()
    assert b"\n" not in raw.replace(b"\r\n", b""), "bare line feeds"
    assert all(len(line) <= 998 and line.isascii() for line in raw.split(b"\r\n"))
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    for part in message.walk():
        assert not part.defects, part.defects
        for name, value in part.items():
            assert not value.defects, (name, value.defects)
    return message


def preview(bench, *arguments):
    """The samples of all templates, as vigiectl shows them with the bench's configuration."""
    command = [VIGIECTL, "--config", bench.folder / "vigie.conf", "mail", "preview", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# what test_mails.py finds of the samples holds for every mail that goes out
def test_mail_goes_out_as_vigiectl_shows_it(bench):
    preview(bench, "--all", bench.folder / "shown")
    names = sorted({path.stem for path in TEMPLATES.glob("*.txt")} - {"layout"})
    bodies = [json.loads(line) for name in names
              for line in preview(bench, "--template", name, "--json").splitlines()]
    bench.start()

    for number, body in enumerate(bodies, 1):
        assert bench.core.run(number, number, body)[0] == "done", body["message_id"]

    sent = {path.name: path.read_bytes() for path in bench.mails()}
    assert len(sent) == len(bodies) > 70
    for name, raw in sent.items():
        assert raw == (bench.folder / "shown" / f"{name}.eml").read_bytes(), name


# a body may say more than a giver should read: the templates for givers have no name for it
def test_giver_reads_no_more_than_it_may(bench):
    visit = dict(visit=7, uid="visit-7", sequence=0, day="2015-03-10", half="am", state="confirmed",
                 pair="pair-1", pair_name="Binôme Nord")
    bench.start()

    method, _ = bench.core.run(1, 11, mail("visit_confirmed", state="planned", visit=visit))

    assert method == "done"
    (path,) = bench.mails()
    message = read_mail(path)
    shown = message["subject"] + "".join(part.get_content() for part in message.walk()
                                         if part.get_content_maintype() == "text")
    assert "semaine du 9 mars 2015" in shown
    for word in ["Tavaux", "mardi", "10 mars", "matin", "Binôme", "pair-1", "visit-7", "BEGIN:"]:
        assert word not in shown, word


def test_ready_names_kind_and_slots(bench):
    ready = bench.start()

    assert ready["kinds"] == ["mail"] and ready["slots"] == 4
    assert ready["name"] == "notify" and ready["version"]
    assert not ready.get("leases")


def test_task_is_started_before_it_is_done(bench):
    bench.start()

    bench.core.give(1, 11, mail("ack"))

    assert bench.core.expect("start", "done") == {"id": 1, "token": 11}
    assert bench.core.expect("start", "done") == {"id": 1, "token": 11}


def test_same_task_under_another_token_sends_once(bench):
    bench.start()

    first, _ = bench.core.run(1, 11, mail("ack"))
    second, _ = bench.core.run(1, 12, mail("ack"))

    assert (first, second) == ("done", "done")
    assert len(bench.mails()) == 1


def test_mail_that_was_read_meanwhile_is_not_put_there_again(bench):
    bench.start()
    bench.core.run(1, 11, mail("ack"))
    (path,) = bench.mails()
    path.rename(bench.maildir / "cur" / (path.name + ":2,S"))
    bench.kill()
    shutil.rmtree(bench.folder / "sent")

    bench.start()
    method, _ = bench.core.run(1, 12, mail("ack"))

    assert method == "done" and not bench.mails()


def test_killed_worker_sends_each_mail_once(bench):
    numbers = itertools.count()
    for round in range(12):
        bench.start()
        for number in range(40):
            bench.core.give(number + 1, 1000 * round + number + 1, mail("ack", number))
        for _ in range(3 * round):
            bench.core.request("done")
        bench.kill()
        next(numbers)

    bench.start()
    for number in range(40):
        assert bench.core.run(number + 1, 99000 + number, mail("ack", number))[0] == "done"

    ids = [read_mail(path)["message-id"] for path in bench.mails()]
    assert len(ids) == len(set(ids)) == 40


def test_intent_without_outcome_is_sent_again_and_noted(bench):
    (bench.folder / "sent").mkdir()
    now = int(time.time())
    log = bench.folder / "sent/sent.log"
    log.write_text(
        f"{now - 40 * 86400} delivered old.mail\n"
        f"{now - 60} intent e1.ack.giver-017\n"
        f"{now - 60} delivered e2.ack.giver-017\n"
        f"{now - 60} delivered e3.ack."
    )
    bench.start()

    answers = [bench.core.run(number, number, mail("ack", number))[0] for number in (1, 2, 3)]

    assert answers == ["done"] * 3
    sent = sorted(read_mail(path)["message-id"].split(".")[0] for path in bench.mails())
    assert sent == ["<e1", "<e3"]
    lines = [line.split()[1:] for line in log.read_text().splitlines()]
    assert [word for word, name in lines if name == "e1.ack.giver-017"] == [
        "intent", "ambiguous", "intent", "delivered"]
    assert not [name for _, name in lines if name == "old.mail"]


def test_second_worker_on_one_sent_journal_is_refused(bench):
    bench.start()

    second = subprocess.run([NOTIFY, "-c", bench.folder / "vigie.conf"], capture_output=True)

    assert second.returncode == 2 and b"in use" in second.stderr


def test_answer_is_kept_until_the_core_is_back(bench):
    bench.start()
    bench.core.give(1, 11, mail("ack"))
    assert bench.core.request("done")[3][0]["token"] == 11
    bench.core.close()  # before it has confirmed
    bench.core.listen()

    ready = bench.core.accept()
    again = bench.core.expect("done")

    assert ready["leases"] == [{"id": 1, "token": 11}]
    assert again["id"] == 1 and again["token"] == 11
    bench.core.hang_up()
    assert not bench.core.accept().get("leases")


def test_answer_refused_for_now_is_repeated(bench):
    bench.start()
    bench.core.give(1, 11, mail("ack"))
    frame = bench.core.request("done")
    error = dict(code="storage_full", path="", text="no room")

    bench.core.send([1, frame[1], error, None])

    assert bench.core.expect("done")["token"] == 11


def test_stale_lease_is_let_go(bench):
    bench.start()
    bench.core.give(1, 11, mail("ack"))
    frame = bench.core.request("done")

    bench.core.send([1, frame[1], dict(code="stale_lease", path="", text="given on"), None])

    assert bench.core.run(2, 12, mail("ack", 2))[0] == "done"
    bench.core.hang_up()
    assert not bench.core.accept().get("leases")


def test_heartbeats_come_and_silence_ends_the_connection(bench):
    bench.start()
    began = time.monotonic()

    beats = 0
    with pytest.raises(ConnectionError):
        while time.monotonic() - began < 30:
            beats += bench.core.read(timeout=25)[:2] == [2, "heartbeat"]

    assert beats == 2 and 14 <= time.monotonic() - began <= 21
    bench.core.hang_up()
    bench.core.accept()


def test_core_that_beats_keeps_the_worker(bench):
    bench.start()
    began = time.monotonic()

    while time.monotonic() - began < 22:
        bench.core.send([2, "heartbeat", []])
        try:
            bench.core.read(timeout=2)
        except TimeoutError:
            pass

    assert bench.core.run(1, 1, mail("ack"))[0] == "done"


def test_unreadable_body_is_refused_for_good(bench):
    bench.start()
    wrong = [mail("ack", state="unknown"), mail("ack", message_id="../../escaped"),
             mail("ack", to=dict(GIVER, email="a@b\r\nBcc: all@example.org")),
             mail("ack", to=PAIR, to_pair=True), {}, b"\xdd\x04\x00\x00\x00"]

    for number, body in enumerate(wrong, 1):
        method, answer = bench.core.run(number, number, body)

        assert method == "failed" and answer["class"] == "never"
        assert answer["code"] == ("no_template" if number == 4 else "bad_body")
    assert not bench.mails()


def test_stop_ends_quietly(bench):
    bench.start()
    bench.core.run(1, 1, mail("ack"))

    bench.stop()


@pytest.mark.parametrize("file, text, complaint", [
    ("ack.txt", "Bonjour\n{{nom}}\n", "ack.txt:2: no such name here: nom"),
    ("ack.txt", "à {{commune}}\n", "ack.txt:1: no such name here: commune"),
    ("digest.txt", "{{#news_visits}}{{commune}}{{/news_visits}}",
     "digest.txt:1: no such name here: commune"),
    ("sector_closed.txt", "{{#cases}}\n{{form}}\n{{/cases}}\n\n{{closes_on}} {{more_cases}}\n{{half}}",
     "sector_closed.txt:6: no such name here: half"),
    ("sector_closed.txt", "{{#sectors}}{{opens_on}} {{service}} {{commune}}{{/sectors}}",
     "sector_closed.txt:1: no such name here: commune"),
    ("week_agenda.txt", "{{#days}}{{day}}{{#stops}}{{case}}{{/stops}}\n{{hours}}{{#stops}}\n{{agenda_week}}"
     "{{/stops}}{{/days}}{{^stops}}{{/stops}}", "week_agenda.txt:3: no such name here: stops"),
    ("coordinator_alarms.txt", "{{#alarms}}{{remedy}}{{/alarms}}\n{{about}}",
     "coordinator_alarms.txt:2: no such name here: about"),
    ("ack.txt", "{{#wait}}Dans {{wait}}.{{/wait}}\n", "ack.txt: says nothing in the sample ack-soon"),
    ("digest.subject", "{{#any_cases}}Vos dossiers{{/any_cases}}",
     "digest.subject: says nothing in the sample digest-all"),
    ("ack.txt", "{{alarm_count}}", "ack.txt:1: no such name here: alarm_count"),
    ("deferred.html", "<p>\n\n{{#closed}}</p>", "deferred.html:3: Unclosed section"),
    ("outcome.subject", "{{> other}}", "outcome.subject:1: neither partials"),
    ("layout.html", None, "layout.html: cannot be read"),
])
def test_wrong_template_is_told_at_start(bench, file, text, complaint):
    folder = bench.folder / "templates"
    shutil.copytree(TEMPLATES, folder)
    (folder / file).unlink()
    if text is not None:
        (folder / file).write_text(text)
    bench.config(mail_templates=str(folder))

    run = subprocess.run([NOTIFY, "--check", "-c", bench.folder / "vigie.conf"],
                         capture_output=True, text=True)

    assert run.returncode == 2 and complaint in run.stderr


def test_html_is_escaped_and_text_is_not(bench):
    bench.start()

    bench.core.run(1, 1, mail("ack", form="<b>&1"))

    (path,) = bench.mails()
    parts = {part.get_content_type(): part for part in read_mail(path).walk()}
    assert "<b>&1" in parts["text/plain"].get_content()
    assert "&lt;b&gt;&amp;1" in parts["text/html"].get_content()


EXIM_CONFIG = """
spool_directory = DIR/spool
log_file_path = DIR/%slog
pid_file_path = DIR/pid
primary_hostname = localhost
daemon_smtp_ports = PORT
local_interfaces = 127.0.0.1
tls_advertise_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
never_users =
begin acl
rcpt:
  deny  message = 5.1.1 no such user
        local_parts = ^refus
  defer message = 4.7.1 greylisted
        local_parts = ^plustard
  accept
begin routers
all:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = DIR/delivered
  create_directory
  user = Debian-exim
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def exim(tmp_path_factory):
    if not EXIM or os.getuid() != 0:
        pytest.skip("needs Exim, as root")
    import tempfile
    folder = pathlib.Path(tempfile.mkdtemp(prefix="exim", dir="/tmp"))
    folder.chmod(0o755)
    port = free_port()
    config = folder / "exim.conf"
    config.write_text(EXIM_CONFIG.replace("DIR", str(folder)).replace("PORT", str(port)))
    config.chmod(0o644)
    for name in ("spool", "delivered"):
        (folder / name).mkdir()
        shutil.chown(folder / name, "Debian-exim")
    shutil.chown(folder, "Debian-exim")
    process = subprocess.Popen([EXIM, "-C", config, "-bdf", "-odi"], stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield port, folder / "delivered"
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


def smtp_bench(bench, port):
    bench.config(mail_delivery="smtp", smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    bench.start()


def test_mail_server_decides(bench, exim):
    port, delivered = exim
    smtp_bench(bench, port)
    to = lambda local: dict(GIVER, email=f"{local}@localhost")

    taken = bench.core.run(1, 1, mail("ack", 1, to=to("zoe")))
    later = bench.core.run(2, 2, mail("ack", 2, to=to("plustard1")))
    never = bench.core.run(3, 3, mail("ack", 3, to=to("refus1")))

    assert taken[0] == "done"
    assert later[0] == "failed" and later[1]["class"] == "later" and later[1]["code"] == "smtp_451"
    assert never[0] == "failed" and never[1]["class"] == "never" and never[1]["code"] == "smtp_550"
    assert "refus1" not in str(never) and "plustard1" not in str(later)
    (path,) = (delivered / "new").iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert message["message-id"] == "<e1.ack.giver-017@vigie.jura.example>"
    assert "Le signalement est bien enregistré" in message.get_body(("plain",)).get_content()


def test_server_that_is_away_is_tried_later(bench):
    smtp_bench(bench, free_port())

    method, answer = bench.core.run(1, 1, mail("ack"))

    assert method == "failed" and answer["class"] == "later" and answer["code"] == "smtp_no_reply"


def serve_until_data(listener):
    """A server that takes the whole mail and hangs up without a reply; returns what it took."""
    connection, _ = listener.accept()
    stream = connection.makefile("rwb", buffering=0)
    stream.write(b"220 here\r\n")
    for line in iter(stream.readline, b""):
        if line.upper().startswith(b"DATA"):
            break
        stream.write(b"250 fine\r\n")
    stream.write(b"354 go on\r\n")
    lines = list(itertools.takewhile(lambda line: line != b".\r\n", iter(stream.readline, b"")))
    stream.close()
    connection.close()
    return b"".join(lines)


def test_lost_reply_is_ambiguous_and_the_copy_is_the_same(bench):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE_S)
    smtp_bench(bench, listener.getsockname()[1])

    copies = []
    for token in (1, 2):
        bench.core.give(1, token, mail("ack"))
        copies.append(serve_until_data(listener))
        answer = bench.core.expect("failed")
        assert answer["class"] == "later" and answer["code"] == "smtp_no_reply"

    assert copies[0] == copies[1] and b"Message-Id: <e1.ack" in copies[0].replace(b"ID", b"Id")
    words = [line.split()[1] for line in (bench.folder / "sent/sent.log").read_text().splitlines()]
    assert words == ["intent", "ambiguous"] * 2
    listener.close()


def test_stop_waits_for_the_mail_that_is_leaving(bench):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE_S)
    smtp_bench(bench, listener.getsockname()[1])
    bench.core.give(1, 1, mail("ack"))
    connection, _ = listener.accept()

    bench.process.terminate()
    time.sleep(0.5)
    assert bench.process.poll() is None
    bench.core.send([2, "heartbeat", []])
    connection.close()

    assert bench.core.expect("failed")["class"] == "later"
    assert bench.process.wait(PATIENCE_S) == 0
    listener.close()


def test_plain_smtp_to_another_machine_is_refused(bench):
    bench.config(mail_delivery="smtp", smtp_host="mail.example", smtp_port=25, smtp_security="none")

    run = subprocess.run([NOTIFY, "--check", "-c", bench.folder / "vigie.conf"],
                         capture_output=True, text=True)

    assert run.returncode == 2 and "smtp_security" in run.stderr


def test_configuration_without_sender_is_refused(bench):
    bench.config(mail_from=None, mail_domain=None)

    run = subprocess.run([NOTIFY, "--check", "-c", bench.folder / "vigie.conf"],
                         capture_output=True, text=True)

    assert run.returncode == 2 and "mail_from: missing" in run.stderr


def test_nothing_is_done_at_once(bench):
    bench.process = subprocess.Popen([NOTHING, "--socket", bench.folder / "worker.sock"])
    ready = bench.core.accept()
    assert ready["kinds"] == ["nothing"] and ready["slots"] == 64

    for task in range(1, 200):
        assert bench.core.run(task, task, {}, kind="nothing") == (
            "done", {"id": task, "token": task})
