"""The demo: a rehearsal of the year 2015 in the Jura, week by week, with a coordinator who confirms the
week's plan and records what came of the visits."""
import argparse
import datetime
import email
import email.policy
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("VIGIE_BUILD", ROOT / "build"))
JURA = ROOT / "config" / "jura"
FIRST, LAST = datetime.date(2015, 1, 1), datetime.date(2015, 12, 31)
FILES = [("givers", "givers-2015.csv"), ("fsl", "fsl-export-2015.csv"),
         ("suppliers", "supplier-notices-2015.csv"), ("referrals", "referrals-2015.csv")]

CONF = """# The demo's configuration: everything lies in this folder.
state_dir = "{dir}/state";
policy_file = "{jura}/policy.conf";
key_file = "{dir}/key";
gate_socket = "{dir}/gate.sock";
worker_socket = "{dir}/worker.sock";
status_socket = "{dir}/status.sock";
control_socket = "{dir}/control.sock";
intake_ipc = "{dir}/intake.sock";
mail_delivery = "maildir";
mail_maildir = "{dir}/Maildir";
mail_journal = "{dir}/sent";
mail_from = "slime@exemple.test";
mail_from_name = "SLIME du Jura";
mail_domain = "exemple.test";
mail_templates = "{jura}/templates";
senders = (
  {{ name = "departement"; uid = {uid}; sources = ["*"]; types = ["*"]; subject_sources = ["*"]; }}
);
"""


class Programs:
    """The daemons, each ended by its own pid, last started first."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def start(self, path, *arguments):
        name = pathlib.Path(path).name
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen([BUILD / path, "--config", self.folder / "vigie.conf",
                                        *arguments], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log)
        self.running.append((name, process))

    def check(self):
        for name, process in self.running:
            if process.poll() is not None:
                sys.exit(f"{name} ended with status {process.returncode}; "
                         f"see {self.folder}/{name}.log")

    def stop(self):
        for _, process in self.running[::-1]:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for _, process in self.running[::-1]:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


class Control:
    """JSON-RPC over control.sock, as vigiectl speaks it."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(path))
        self.file = self.sock.makefile("rb")

    def call(self, method, **params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self.file.readline())
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]


def wait_for(programs, check):
    for _ in range(600):
        programs.check()
        try:
            if check():
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit("the programs did not start within 30 s")


def feed(folder, day):
    """Drives the year's files up to the end of a day; returns the command's summary."""
    command = [BUILD / "tools/feed/vigie-feed", "--config", folder / "vigie.conf", "--drive",
               "--until", day.isoformat(), "--rejects", folder / "rejects"]
    for mapping, _ in FILES:
        command += ["--map", JURA / f"{mapping}.map"]
    command += [JURA / "data" / name for _, name in FILES]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):  # 1: some rows were refused, as they should be
        sys.exit(f"vigie-feed: status {done.returncode}\n{done.stderr}")
    return done.stdout


def play_coordinator(control, monday, numbers):
    """Records the week that ends, then confirms the one that comes. One visit in nine: nobody was
    there; one in twenty-five: a second visit is needed."""
    for visit in control.call("visit.list", state="confirmed", limit=1000)["visits"]:
        if visit["day"] >= monday.isoformat():
            continue
        numbers["visits"] += 1
        result = "no_show" if visit["visit"] % 9 == 4 else "done"
        numbers["no_shows"] += result == "no_show"
        control.call("visit.record", visit=visit["visit"], result=result,
                     second_visit=result == "done" and visit["visit"] % 25 == 7)
    week = monday.strftime("%G-W%V")
    for visit in control.call("visit.list", week=week, state="planned", limit=1000)["visits"]:
        control.call("visit.confirm", visit=visit["visit"])


def live(folder, control):
    numbers = {"visits": 0, "no_shows": 0}
    day = FIRST
    while day <= LAST:
        sunday = min(day + datetime.timedelta(days=6 - day.weekday()), LAST)
        feed(folder, sunday)
        if sunday.weekday() == 6:
            monday = sunday + datetime.timedelta(days=1)
            play_coordinator(control, monday, numbers)
        print(f"\r{sunday:%d/%m/%Y}", end="", file=sys.stderr, flush=True)
        day = sunday + datetime.timedelta(days=1)
    print("\r          \r", end="", file=sys.stderr)
    return numbers


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}")


def show_list(control):
    heading("The first ten of the list, and why")
    for case in control.call("queue.list", limit=10)["cases"]:
        print(f"{case['rank']:>3}. case {case['case']:<4} {case['tier']:<9}"
              f"{case['sector'] or '-':<16}{case['state']:<9} {case['why']}")


def show_plan(control):
    heading("The coming weeks")
    visits = control.call("visit.list", **{"from": LAST.isoformat()}, limit=100)["visits"]
    for visit in [v for v in visits if v["state"] in ("planned", "confirmed")]:
        print(f"  {visit['day']} {visit['half']}  {visit['pair']}  case {visit['case']:<4} "
              f"{visit['commune'] or '-'} ({visit['state']})")


def show_sectors(control):
    heading("The sectors")
    for sector in control.call("sector.list")["sectors"]:
        state = f"open until {sector['to']}" if sector["open"] else f"closed until {sector['opens_next']}"
        wait = f", {sector['wait_weeks']} weeks to wait" if sector["wait_weeks"] is not None else ""
        asked = ", only urgent situations asked for" if sector["suspended"] else ""
        print(f"  {sector['name']:<16} {state}{wait}{asked}; {sector['givers']} givers, "
              f"{sector['quiet']} quiet; {sum(sector['cases'].values())} open cases")


def show_alarms(control):
    heading("What the coordinator has to look at")
    for alarm in control.call("status")["alarms"]:
        print(f"  {alarm['count']:>3} {alarm['code']:<18} {', '.join(alarm['about'])}")


def show_mail(folder):
    """The first that told a giver of an opening."""
    heading("A mail as it arrived")
    paths = sorted((folder / "Maildir" / "new").iterdir())
    for path in paths:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if "reprise des visites" not in message["Subject"] and path != paths[-1]:
            continue
        for name in ("From", "To", "Date", "Subject", "Message-ID"):
            print(f"{name}: {message[name]}")
        print()
        print(message.get_body(("plain",)).get_content().rstrip())
        print(f"\n({path})")
        return


def show_numbers(control, folder, numbers):
    status = control.call("status", digest=True)
    intake, tasks, cases = status["intake"], status["tasks"], status["cases"]
    rejects = sum(sum(1 for _ in open(path, encoding="utf-8")) - 1
                  for path in (folder / "rejects").glob("*.rejects.csv"))
    mails = len(list((folder / "Maildir" / "new").iterdir()))
    heading("The year in numbers")
    print(f"  events taken {intake['taken']}, duplicates {intake['duplicates']}, refused "
          f"{intake['refused']}; rows of the files refused {rejects}")
    print(f"  cases open {cases['open']}: " +
          ", ".join(f"{count} {state}" for state, count in cases["by_state"].items()))
    print(f"  visits recorded {numbers['visits']}, of which nobody there {numbers['no_shows']}")
    templates = {}
    for task in control.call("task.list", kind="mail", state="done", limit=10000)["tasks"]:
        templates[task["template"]] = templates.get(task["template"], 0) + 1
    print("  mails by kind: " + ", ".join(f"{count} {name}" for name, count in sorted(templates.items())))
    print(f"  mails delivered {mails}, held or waiting {tasks['open']}, expired "
          f"{tasks['expired']}, buried {tasks['buried']}")
    print(f"  digest {status['digest']}")


def show_where(folder, first, is_over):
    ctl = f"build/tools/vigiectl/vigiectl --config {folder}/vigie.conf"
    heading("Where to look further")
    if is_over:
        print(f"  build/daemon/vigied --config {folder}/vigie.conf &      starts the core again, for these:")
    print(f"  {ctl} status")
    print(f"  {ctl} queue list --sector dole")
    print(f"  {ctl} case explain {first}")
    print(f"  {ctl} queue list --on 2015-06-30")
    print(f"  {ctl} giver list --sector dole")
    print(f"  {ctl} report --year 2015")
    print(f"  {folder}/Maildir      every mail\n  {folder}/rejects      the refused rows\n"
          f"  {folder}/*.log        what the programs said")


def make_folder(path):
    folder = pathlib.Path(path or tempfile.mkdtemp(prefix="vigie-demo-")).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rejects").mkdir(exist_ok=True)
    except OSError as error:
        sys.exit(f"--dir {path}: no folder can be made there: {error.strerror}")
    return folder


def main():
    parser = argparse.ArgumentParser(description="A year of the Jura, lived in under a minute.")
    parser.add_argument("--once", action="store_true", help="end when the year is over")
    parser.add_argument("--dir", help="the folder to live in (default: a new one under /tmp)")
    options = parser.parse_args()
    folder = make_folder(options.dir)
    if (folder / "state").exists():
        sys.exit(f"{folder} holds a rehearsal already; choose another folder or remove it")
    if len(str(folder / "control.sock")) > 100:
        sys.exit("this folder's path is too long for sockets; choose a shorter one")
    (folder / "vigie.conf").write_text(CONF.format(dir=folder, jura=JURA, uid=os.getuid()))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    programs = Programs(folder)
    started = time.monotonic()
    try:
        programs.start("daemon/vigied", "--rehearse", FIRST.isoformat())
        wait_for(programs, lambda: Control(folder / "control.sock").call("status"))
        programs.start("daemon/gate/vigie-gate")
        programs.start("workers/notify/vigie-notify")
        programs.start("workers/schedule/vigie-schedule")
        wait_for(programs, lambda: (folder / "intake.sock").exists())
        control = Control(folder / "control.sock")
        numbers = live(folder, control)
        show_list(control)
        show_plan(control)
        show_sectors(control)
        show_alarms(control)
        show_mail(folder)
        show_numbers(control, folder, numbers)
        show_where(folder, control.call("queue.list", limit=1)["cases"][0]["case"], options.once)
        print(f"\n2015 took {time.monotonic() - started:.0f} s.")
        if not options.once:
            print("The programs stay up until Ctrl-C.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print()
    finally:
        programs.stop()


if __name__ == "__main__":
    main()
