"""A core made of Python for vigie-notify, and a folder to run it in."""
import os
import pathlib
import select
import shutil
import socket
import struct
import subprocess
import time

import msgpack

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("VIGIE_BUILD", "build")).resolve()
NOTIFY = BUILD / "workers/notify/vigie-notify"
TEMPLATES = ROOT / "config/jura/templates"
# A build with sanitizers is slow to start.
PATIENCE_S = 20


COORDINATOR = dict(id="coordinator", name="Hélène Bouvier", email="helene.bouvier@jura.example")


def letter(number=1, local="zoe", **more):
    """A mail to `local`@localhost, as the core gives it."""
    to = dict(id="giver-017", name="Zoë Œuvrard", email=f"{local}@localhost")
    return {**dict(template="ack", message_id=f"e{number}.ack.giver-017", to=to,
                   date="2015-03-02T07:00:00Z", coordinator=COORDINATOR, case_number=12,
                   form="F-2015-031", sector="dole", sector_name="Dole", commune="Tavaux",
                   state="waiting"), **more}


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

    def start(self, *arguments, **environment):
        with open(self.folder / "notify.log", "ab") as log:
            self.process = subprocess.Popen(
                [NOTIFY, "--config", self.folder / "vigie.conf", *arguments],
                stderr=log, env=dict(os.environ, **environment))
        return self.core.accept()

    def check(self):
        """What `--check` says of the configuration: its status and its complaints."""
        run = subprocess.run([NOTIFY, "--check", "--config", self.folder / "vigie.conf"],
                             capture_output=True, text=True)
        return run.returncode, run.stderr

    def wait_until_dead(self):
        assert self.process.wait(PATIENCE_S) == -9
        self.core.hang_up()

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

    def log(self):
        path = self.folder / "notify.log"
        return path.read_text() if path.exists() else ""

    def journal(self, message_id=None):
        """The words of the sent-journal, of one mail or of all."""
        lines = [line.split() for line in (self.folder / "sent/sent.log").read_text().splitlines()]
        return [word for _, word, name in lines if message_id in (None, name)]

    def mails(self):
        return sorted((self.maildir / "new").iterdir())
