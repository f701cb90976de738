"""A small world for tests: a few households of the Jura in March 2015, told by a sender.

| household | is |
| --- | --- |
| H-1, H-2, H-6 | in Dole, which is open: cases 1, 2 and 4, planned |
| H-3 | in Lons-le-Saunier, which is closed: case 3, deferred |
| H-4 | known by a request for help, without a case |
| H-5 | erased, after its case 5 |
| H-7 | shares its telephone with H-1: a possible duplicate, case 6 |
"""

import json
import socket
import subprocess
import tempfile
import threading

from conftest import ROOT, program
from sender import Sender, event

DAY = "2015-03-02"          # a Monday
NOW = DAY + "T11:00:00Z"
LATER = "2015-03-03"        # the plan is made in its morning

NAMES = {"H-1": "Perrine Vuillemin", "H-2": "Anatole Grandclément", "H-3": "Odile Bouvret",
         "H-4": "Yves Roussillon", "H-5": "Denise Marguet", "H-6": "Louis Chavériat",
         "H-7": "Solange Pernodet"}
PHONES = {"H-1": "03 84 11 22 33", "H-2": "03 84 44 55 66", "H-7": "03 84 11 22 33"}
EMAILS = {"H-2": "anatole.grandclement@exemple.test"}
STREETS = {"H-1": "7 rue du Vieux-Château", "H-2": "12 impasse des Lilas"}
GIVER = {"name": "Marie Dutilleul", "email": "marie.dutilleul@exemple.test"}

# What no answer of status.sock may hold.
PERSONAL = [*NAMES.values(), *PHONES.values(), *EMAILS.values(), *STREETS.values(), *GIVER.values(),
            *NAMES, "Vuillemin", "Grandcl"]


def person(household):
    known = {"name": NAMES.get(household), "phone": PHONES.get(household),
             "email": EMAILS.get(household), "address": STREETS.get(household)}
    return {name: value for name, value in known.items() if value}


def referral(household, form, insee="39198", id=None, time=NOW, **data):
    return event("referral.received", id or f"e-{form}", time,
                 {"form": form, "giver": "TS1", "insee": insee, "reasons": ["cold", "arrears"],
                  "energies": ["electricity"], "consent_on": time[:10],
                  "person": person(household), **data}, subject=household)


def giver(id="e-TS1", **data):
    return event("giver.registered", id, NOW,
                 {"giver": "TS1", "kind": "department_social_worker",
                  "structure": "Département du Jura", **GIVER, **data})


def request(household, number, id=None, time=NOW, **data):
    return event("fsl.request_filed", id or f"e-{number}", time,
                 {"request": number, "energies": ["electricity"], "filed_on": time[:10],
                  "insee": "39198", **data}, subject=household)


def notice(household, id, time=NOW, **data):
    return event("supplier.notice", id, time,
                 {"supplier": "Régie A", "energy": "electricity", "step": 1, "issued_on": time[:10],
                  **data}, subject=household)


def cut(household, id, time=NOW, **data):
    return event("supplier.cut", id, time,
                 {"supplier": "Régie A", "energy": "electricity", "on": time[:10], **data},
                 subject=household)


def first_events():
    return [giver(), referral("H-1", "F1", vulnerable=["infant"]), referral("H-2", "F2"),
            referral("H-3", "F3", insee="39300"), request("H-4", "R4"), referral("H-6", "F6"),
            referral("H-5", "F5"), referral("H-7", "F7"), request("H-1", "R1")]


def populate(core):
    """The households above, and a day later the plan of their visits."""
    with Sender(core.intake) as sender:
        for entry in sender.publish(first_events()):
            assert "seq" in entry, entry
    core.control("household.erase", {"case": 5})
    core.control("clock.advance", {"to": LATER})
    return core


def policy(folder, *changes):
    """The Jura's policy with some words replaced, as a file in `folder`."""
    text = (ROOT / "config/jura/policy.conf").read_text()
    for old, new in (('"communes.csv"', f'"{ROOT}/config/jura/communes.csv"'), *changes):
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "changed.conf"
    path.write_text(text)
    return str(path)


def compiled(path):
    """A policy file as vigiectl sends it: asked of vigiectl, which here finds nobody but us."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/c")
        listener.listen()
        sent = []

        def answer():
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                sent.append(json.loads(stream.readline())["params"]["policy"])
                stream.write(b'{"jsonrpc":"2.0","id":1,"result":{"seq":1}}\n')

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        done = subprocess.run([program("vigiectl"), "--control-socket", f"{folder}/c", "policy",
                               "apply", str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return sent[0]
