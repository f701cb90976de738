"""tools/demo, and what README says can be asked of it, word for word."""
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest
from conftest import ROOT, program, wait_for

README = (ROOT / "README.md").read_text()
LINES = re.findall(r"(?m)^    \$ctl (.*)$", README)


def demo(*arguments):
    return subprocess.run([sys.executable, ROOT / "tools" / "demo_year.py", *map(str, arguments)],
                          capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def ctl():
    """A year that was lived once, and whose core was started again as the demo says."""
    folder = tempfile.mkdtemp(prefix="vigie-", dir="/tmp")
    done = demo("--once", "--dir", folder)
    assert done.returncode == 0, done.stderr
    assert f"build/daemon/vigied --config {folder}/vigie.conf &" in done.stdout

    def ask(*arguments):
        return subprocess.run([program("vigiectl"), "--config", f"{folder}/vigie.conf", *arguments],
                              cwd=ROOT, capture_output=True, text=True, timeout=60)

    core = subprocess.Popen([program("vigied"), "--config", f"{folder}/vigie.conf"],
                            stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: ask("status").returncode == 0, "the core's answer", core.poll)
        ask.told = re.findall(rf"(?m)^  \S+/vigiectl --config {folder}/vigie.conf (.*)$", done.stdout)
        yield ask
    finally:
        core.send_signal(signal.SIGTERM)
        core.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("line", LINES)
def test_what_readme_asks_has_an_answer(ctl, line):
    done = ctl(*shlex.split(line))

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 1


def test_the_policy_that_readme_compares_moves_cases(ctl):
    line = next(line for line in LINES if line.startswith("policy diff"))

    shown = ctl(*shlex.split(line)).stdout

    assert re.search(r"(?m)^[1-9]\d* of [1-9]\d* cases that change or make room", shown), shown


def test_what_the_demo_tells_to_ask_has_an_answer(ctl):
    assert len(ctl.told) == 6
    for line in ctl.told:
        done = ctl(*shlex.split(line))

        assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) > 1


def test_a_folder_that_cannot_be_made_is_told():
    done = demo("--once", "--dir", "/proc/x")

    assert done.returncode == 1
    assert done.stderr == "--dir /proc/x: no folder can be made there: No such file or directory\n"
