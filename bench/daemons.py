"""Starts what is measured, each time fresh in a folder of its own, and the load against it."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent

CONFIG = """
state_dir = "{folder}/state";
policy_file = "{policy}";
key_file = "{folder}/key";
gate_socket = "{folder}/gate.sock";
worker_socket = "{folder}/worker.sock";
status_socket = "{folder}/status.sock";
control_socket = "{folder}/control.sock";
intake_ipc = "{folder}/intake.sock";
senders = (
    {{ name = "bench"; uid = {uid}; sources = ["*"]; types = ["*"]; subject_sources = ["*"]; }}
);
"""


class Failed(Exception):
    pass


def find_program(build, name):
    """Wherever meson put it: None when it is not built."""
    for path in sorted(pathlib.Path(build).rglob(name)):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def wait_until(condition, what, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Failed(f"{what} did not start")
        time.sleep(0.02)


class Daemons:
    """What is measured. Ends its processes, by their own numbers, and removes its folder."""

    def __init__(self, build, where):
        self.build = build
        # Short and beside one another on one disk: a socket's path has 107 bytes at most.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vb", dir=where))
        self.processes = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder)

    def spawn(self, name, *arguments):
        program = find_program(self.build, name)
        if not program:
            raise Failed(f"{name} is not built in {self.build}")
        log = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
        log.close()
        self.processes.append(process)
        return process

    def says(self, name, text):
        if self.processes[-1].poll() is not None:
            raise Failed(f"{name} ended: {self.log(name)}")
        return text in self.log(name)

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    @property
    def endpoint(self):
        return f"ipc://{self.folder}/intake.sock"


class Ceiling(Daemons):
    def start(self):
        journal = self.folder / "journal"
        journal.mkdir()
        self.spawn("ceiling", self.endpoint, journal)
        wait_until((self.folder / "intake.sock").exists, "ceiling")


class Vigie(Daemons):
    core_name = "vigied"

    def start(self):
        self.config = self.folder / "vigie.conf"
        self.config.write_text(
            CONFIG.format(
                folder=self.folder,
                policy=self.write_policy(),
                uid=os.getuid(),
            )
        )
        self.core = self.start_core()
        wait_until(
            lambda: self.says(self.core_name, "") and (self.folder / "gate.sock").exists(),
            self.core_name,
        )
        self.gate = self.spawn("vigie-gate", "--config", self.config)
        wait_until(lambda: self.says("vigie-gate", "gate.core_reached"), "vigie-gate")

    def write_policy(self):
        """The Jura's, but for mails: each is a task of its own, however many one giver gets."""
        jura = SOURCE / "config" / "jura"
        text = (jura / "policy.conf").read_text()
        text = text.replace('"communes.csv"', f'"{jura}/communes.csv"')
        path = self.folder / "policy.conf"
        path.write_text(text + "\nmails = { a_day = 1000000; };\n")
        return path

    def start_core(self):
        return self.spawn(self.core_name, "--config", self.config)


class GateAlone(Vigie):
    """The gate with a core that only says yes: what the gate itself costs."""

    core_name = "null_core"

    def start_core(self):
        return self.spawn(self.core_name, self.folder / "gate.sock")


def load(daemons, producers, depth, events, seed, time_ms, batch=1):
    """What the load reports, as a dictionary."""
    program = find_program(daemons.build, "load")
    if not program:
        raise Failed(f"load is not built in {daemons.build}")
    run = subprocess.run(
        [
            program,
            f"--endpoint={daemons.endpoint}",
            f"--producers={producers}",
            f"--depth={depth}",
            f"--events={events}",
            f"--seed={seed}",
            f"--time={time_ms}",
            f"--batch={batch}",
        ],
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    return json.loads(run.stdout)
