"""Runs `vigie-sim replay` over a list of events."""

import json
import subprocess
import tempfile
from pathlib import Path

from .policy import JURA
from .random_policy import write_policy


class SimFailed(Exception):
    pass


def file_of(policy, folder):
    return write_policy(policy, folder) if "openings" in policy else JURA


def run_sim(sim, policy, events, until):
    """Gives (answer, lines about refused events). `policy`: a file, or what the model has for one."""
    with tempfile.TemporaryDirectory(prefix="vigie-oracle-") as folder:
        policy_file = policy if isinstance(policy, Path) else file_of(policy, folder)
        path = Path(folder) / "events.ndjson"
        with open(path, "w", encoding="utf-8") as file:
            for event in events:
                file.write(json.dumps(event, ensure_ascii=False) + "\n")
        done = subprocess.run([str(sim), "replay", "--policy", str(policy_file), "--events", str(path),
            "--until", until, "--json"], capture_output=True, text=True, timeout=600)
    if done.returncode == 2:
        raise SystemExit(f"vigie-sim does not start: {done.stderr[:500]}")
    if done.returncode not in (0, 1):
        raise SimFailed(f"exit {done.returncode}: {done.stderr[:300]}")
    try:
        return json.loads(done.stdout), done.stderr.splitlines()
    except ValueError as error:
        raise SimFailed(f"no JSON ({error}): {done.stderr[:300]}") from error
