"""What vigie.conf grants a sender is taken; the rest is forbidden, with the field that forbids it."""

import os

import pytest

import world
from conftest import CONF, ROOT
from sender import Refused, Sender, event

OWN = "urn:fsl:39"

GRANTED = CONF[:CONF.index("senders = (")] + """
senders = (
  {{ name = "fsl"; uid = {uid}; sources = [ "urn:fsl:39", "urn:fsl:39:b" ];
     types = [ "fsl.*", "referral.received", "event.retracted" ];
     subject_sources = [ "urn:caf:39" ]; }}
);
"""


@pytest.fixture
def limited(start):
    return start(rehearse=world.DAY, conf=GRANTED)


def referral(**changes):
    return {**world.referral("H-1", "F1"), **changes}


GOOD = {
    "type by pattern": world.request("H-4", "R4"),
    "second source": {**world.request("H-4", "R4"), "source": "urn:fsl:39:b"},
    "type by name": referral(),
    "numbers of another": referral(subjectsource="urn:caf:39"),
    "own numbers": referral(subjectsource=OWN),
}

BAD = {
    "another source": (referral(source="urn:fsl:40"), "source"),
    "a longer source": (referral(source="urn:fsl:39:bb"), "source"),
    "a shorter source": (referral(source="urn:fsl:3"), "source"),
    "givers": (world.giver(), "type"),
    "notices": (world.notice("H-1", "n1"), "type"),
    "the coordinator's": (event("case.closed", "c1", world.NOW, {"reason": "done"}, subject="H-1"),
                          "type"),
    "erasure": (event("privacy.erase", "c1", world.NOW, {}, subject="H-1"), "type"),
    "another's numbers": (referral(subjectsource="urn:edf"), "subjectsource"),
    "numbers of cases": (referral(subjectsource="urn:vigie", subject="1"), "subjectsource"),
    "numbers of households": (referral(subjectsource="urn:vigie:household", subject="1"),
                              "subjectsource"),
    "numbers of its other source": (referral(subjectsource="urn:fsl:39:b"), "subjectsource"),
}


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD.keys())
def test_what_is_granted_is_taken(limited, good):
    with Sender(limited.intake) as sender:
        assert "seq" in sender.publish([good])[0]


@pytest.mark.parametrize("bad, path", BAD.values(), ids=BAD.keys())
def test_what_is_not_granted_is_forbidden_with_its_field(limited, bad, path):
    with Sender(limited.intake) as sender:
        first, refused, last = sender.publish([world.request("H-4", "R4"), bad,
                                               world.request("H-4", "R5")])
        seen = sender.status(bad["source"], bad["id"])

    assert "seq" in first and "seq" in last
    assert (refused["error"]["code"], refused["error"]["path"]) == ("forbidden", path)
    assert seen is None


def test_a_source_that_is_not_ones_own_is_not_looked_at(start, folder):
    core = start(rehearse=world.DAY)
    with Sender(core.intake) as sender:
        sender.publish([{**world.giver(), "source": "urn:registry"}])
    for name in ("vigie-gate", "vigied"):
        core.stop(name)
    core.config.write_text(GRANTED.format(folder=folder, root=ROOT, uid=os.getuid(), extra=""))
    core.start()

    with Sender(core.intake, tries=20) as sender:
        assert sender.status("urn:registry", "e-TS1") is None


def test_ones_own_event_can_be_retracted_and_no_other(limited):
    void = {"source": OWN, "id": "e-F1", "reason": "r"}

    with Sender(limited.intake) as sender:
        sender.publish([referral()])
        other, own = sender.publish([
            event("event.retracted", "x1", world.NOW, void, source="urn:fsl:39:b"),
            event("event.retracted", "x2", world.NOW, void)])

    assert (other["error"]["code"], other["error"]["path"]) == ("forbidden", "data.source")
    assert "seq" in own


def test_who_is_not_configured_is_unauthenticated(start):
    core = start(rehearse=world.DAY, conf=CONF.replace("uid = {uid};", "uid = 54321;"))

    with Sender(core.intake) as sender:
        for ask in (sender.hello, lambda: sender.publish([referral()]),
                    lambda: sender.status(OWN, "e-F1")):
            with pytest.raises(Refused) as refused:
                ask()
            assert refused.value.code == "unauthenticated"
