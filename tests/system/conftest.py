"""The real programs in a temporary folder: a core, a gate, workers, each ended by its own pid."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VIGIE_BUILD", ROOT / "build"))

PROGRAMS = {
    "vigied": "daemon/vigied",
    "vigie-gate": "daemon/gate/vigie-gate",
    "vigie-notify": "workers/notify/vigie-notify",
    "vigie-schedule": "workers/schedule/vigie-schedule",
    "vigie-feed": "tools/feed/vigie-feed",
    "vigiectl": "tools/vigiectl/vigiectl",
    "vigie-sim": "tools/sim/vigie-sim",
}

CONF = """
state_dir = "{folder}/state";
policy_file = "{root}/config/jura/policy.conf";
key_file = "{folder}/key";
gate_socket = "{folder}/gate.sock";
worker_socket = "{folder}/worker.sock";
status_socket = "{folder}/status.sock";
control_socket = "{folder}/control.sock";
intake_ipc = "{folder}/intake.sock";
mail_delivery = "maildir";
mail_maildir = "{folder}/Maildir";
mail_journal = "{folder}/sent";
mail_from = "slime@exemple.test";
mail_from_name = "SLIME du Jura";
mail_domain = "exemple.test";
mail_templates = "{root}/config/jura/templates";
{extra}
senders = (
  {{ name = "all"; uid = {uid}; sources = ["*"]; types = ["*", "household.*", "pair.*", "visit.*", "derogation.*", "case.*", "privacy.*"]; subject_sources = ["*"]; }}
);
"""


def program(name):
    return str(BUILD / PROGRAMS[name])


class Refused(Exception):
    """An error a control socket answered with."""

    def __init__(self, error):
        super().__init__(error.get("message"))
        self.error = error
        self.data = error.get("data", {})


class Core:
    """A running core with its gate; workers when asked for."""

    def __init__(self, folder, rehearse=None, workers=(), extra="", conf=CONF):
        self.folder = pathlib.Path(folder)
        self.rehearse = rehearse
        self.processes = {}
        self.config = self.folder / "vigie.conf"
        self.config.write_text(conf.format(folder=folder, root=ROOT, uid=os.getuid(), extra=extra))
        self.intake = f"ipc://{folder}/intake.sock"
        self.workers = workers
        self.start()

    def spawn(self, name, *arguments):
        log = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen([program(name), "--config", str(self.config), *arguments],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.processes[name] = process
        return process

    def start(self):
        self.start_core()
        if "vigie-gate" not in self.processes:
            self.spawn("vigie-gate")
        for worker in self.workers:
            self.spawn(worker)
        wait_for(lambda: (self.folder / "intake.sock").exists(), "the gate's socket")

    def start_core(self):
        arguments = ["--rehearse", self.rehearse] if self.rehearse else []
        self.spawn("vigied", *arguments)
        wait_for(self.answers, "the core's answer", lambda: self.processes["vigied"].poll())

    def answers(self):
        try:
            self.status("status")
            return True
        except OSError:
            return False

    def call(self, name, method, params):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(120)
            sock.connect(str(self.folder / name))
            request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
            sock.sendall(json.dumps(request).encode() + b"\n")
            line = b""
            while not line.endswith(b"\n"):
                piece = sock.recv(1 << 20)
                if not piece:
                    raise OSError("the core closed the socket")
                line += piece
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def status(self, method, params=None):
        return self.call("status.sock", method, params)

    def control(self, method, params=None):
        return self.call("control.sock", method, params)

    def digest(self):
        return self.status("status", {"digest": True})["digest"]

    def kill9(self, name="vigied"):
        self.processes[name].kill()
        self.processes[name].wait()

    def restart(self):
        """An orderly stop of the core, and a new start."""
        self.stop("vigied")
        self.start_core()

    def stop(self, name):
        process = self.processes.pop(name, None)
        if not process or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def close(self):
        for name in list(self.processes)[::-1]:
            self.stop(name)

    def run(self, name, *arguments, **options):
        """A command that ends by itself, against this core."""
        return subprocess.run([program(name), "--config", str(self.config), *arguments],
                              capture_output=True, text=True, timeout=300, **options)


def wait_for(check, what, ended=lambda: None, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return
        if ended() is not None:
            raise AssertionError(f"{what}: the process ended first")
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


@pytest.fixture
def folder():
    """A short path: sockets have at most 107 bytes."""
    path = tempfile.mkdtemp(prefix="vigie-", dir="/tmp")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start(folder):
    """Starts a core as a test wants it; ended after the test."""
    started = []

    def begin(**options):
        core = Core(folder, **options)
        started.append(core)
        return core

    yield begin
    for core in started:
        core.close()


@pytest.fixture
def core(start):
    return start()


@pytest.fixture
def rehearsal(start):
    return start(rehearse="2015-01-01", workers=("vigie-notify", "vigie-schedule"))
