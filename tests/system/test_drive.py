"""vigie-feed beside a real core that is stopped, or goes away and comes back: it says once what it waits for,
and goes on."""
import signal
import subprocess

import pytest
from conftest import ROOT, program, wait_for

JURA = ROOT / "config/jura"
FILES = [JURA / "data" / f"{name}-2015.csv" for name in ("givers", "referrals")]
UNTIL = "2015-04-30"


class Drive:
    """A drive under way, or a plain feed, and what it says."""

    def __init__(self, core, tmp_path, *mode):
        self.log = tmp_path / "stderr"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [program("vigie-feed"), "--config", core.config, "--map", JURA, "--rejects", tmp_path,
                 *mode, *FILES], stderr=log)

    def told(self):
        return [line for line in self.log.read_text().splitlines() if line.startswith("waiting for ")]

    def end(self):
        assert self.process.wait(60) in (0, 1), self.log.read_text()  # rejects are among the rows
        return self.log.read_text()


@pytest.fixture
def drive(rehearsal, tmp_path):
    drives = []

    def begin(*mode):
        drives.append(Drive(rehearsal, tmp_path, *(mode or ("--drive", "--until", UNTIL))))
        return drives[-1]

    yield begin
    for one in drives:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def check_all_is_there(core, drive):
    assert core.status("status")["now"] == "2015-04-30T21:59:59Z"
    assert " 0 taken" in drive().end().splitlines()[-1]


def test_stopped_core_is_waited_for(rehearsal, drive):
    rehearsal.processes["vigied"].send_signal(signal.SIGSTOP)
    driven = drive()

    wait_for(driven.told, "what it waits for", driven.process.poll)
    rehearsal.processes["vigied"].send_signal(signal.SIGCONT)
    driven.end()

    assert driven.told() == [
        f"waiting for {rehearsal.folder}/control.sock: no answer yet; see whether the core runs "
        "(vigiectl status), this goes on when it answers"]
    check_all_is_there(rehearsal, drive)


def test_core_that_is_down_at_first_is_waited_for(rehearsal, drive):
    rehearsal.kill9()
    driven = drive()

    wait_for(driven.told, "what it waits for", driven.process.poll)
    rehearsal.start_core()
    driven.end()

    assert len(driven.told()) == 1 and "/control.sock: Connection refused; " in driven.told()[0]
    check_all_is_there(rehearsal, drive)


def test_core_that_goes_away_on_the_way_is_waited_for(rehearsal, drive):
    driven = drive()
    wait_for(lambda: rehearsal.status("status")["now"] > "2015-01-20", "the way", driven.process.poll)

    rehearsal.kill9()
    wait_for(driven.told, "what it waits for", driven.process.poll)
    rehearsal.start_core()
    driven.end()

    assert len(driven.told()) == 1
    check_all_is_there(rehearsal, drive)


# the gate is there and says that the core is not
def test_feed_without_a_core_says_so_and_goes_on(rehearsal, drive):
    rehearsal.kill9()
    fed = drive("--until", "2015-01-01")

    wait_for(fed.told, "what it waits for", fed.process.poll)
    rehearsal.start_core()

    assert " 0 refused" in fed.end().splitlines()[-1]
    assert len(fed.told()) == 1 and fed.told()[0].startswith(
        f"waiting for {rehearsal.intake}: the core is out of reach; see whether the core runs")
