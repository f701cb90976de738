"""The night after an erasure: at 03:00 in Paris all keys are written anew under a new key-encryption key, and the
old one is gone, so that a copy of the keystore from before can never be opened."""
import shutil

import pytest

import world
from conftest import Refused
from sender import Sender

ERASED_ON = world.LATER             # a Tuesday in winter: Paris is an hour ahead of UTC
BEFORE = "2015-03-04T01:59:59Z"     # 02:59:59 in Paris
AT = "2015-03-04T02:00:00Z"


def kek(core):
    return (core.folder / "key").read_bytes()


def advance(core, to):
    core.control("clock.advance", {"to": to})


def name_of(core, case):
    person = core.control("case.show", {"case": case})["person"]
    return person and person["name"]


def told(core):
    return (core.folder / "vigied.log").read_text().count("keystore.renewed")


@pytest.fixture
def town(start):
    """Households with cases, none of them erased."""
    core = start(rehearse=world.DAY, workers=("vigie-notify", "vigie-schedule"))
    with Sender(core.intake) as sender:
        for entry in sender.publish(world.first_events()):
            assert "seq" in entry, entry
    advance(core, ERASED_ON)
    return core


def test_without_an_erasure_the_key_stays(town):
    first = kek(town)

    advance(town, "2015-03-06")

    assert kek(town) == first and told(town) == 0


def test_the_key_is_renewed_at_three_in_the_night_after_an_erasure(town):
    first = kek(town)
    town.control("household.erase", {"case": 2})

    advance(town, BEFORE)
    assert kek(town) == first
    advance(town, AT)

    assert kek(town) != first and told(town) == 1
    assert name_of(town, 1) == world.NAMES["H-1"]
    assert name_of(town, 2) is None


# a calendar that goes on by days meets no turn at 03:00: it is done at the first one after it
def test_a_night_that_was_slept_through_is_made_up_for(town):
    first = kek(town)
    town.control("household.erase", {"case": 2})

    advance(town, "2015-03-04T12:00:00Z")

    assert kek(town) != first and told(town) == 1


def test_the_next_night_has_nothing_to_renew(town):
    town.control("household.erase", {"case": 2})
    advance(town, AT)
    second = kek(town)

    advance(town, "2015-03-08")

    assert kek(town) == second and told(town) == 1


# the core is stopped in between: what is due is on disk
def test_a_restart_does_not_forget_what_is_due(town):
    first = kek(town)
    town.control("household.erase", {"case": 2})

    town.restart()
    advance(town, BEFORE)
    assert kek(town) == first
    advance(town, AT)

    assert kek(town) != first
    assert name_of(town, 1) == world.NAMES["H-1"]


# all goes on under the new key: what is sealed now, a restart, a household that is new
def test_life_goes_on_under_the_new_key(town):
    town.control("household.erase", {"case": 2})
    advance(town, AT)
    with Sender(town.intake) as sender:
        entry, = sender.publish([world.referral("H-4", "F9", time="2015-03-04T01:00:00Z")])
        assert "seq" in entry, entry
    case = max(case["case"] for case in town.control("queue.list")["cases"])

    town.kill9()
    town.start_core()

    assert name_of(town, case) == world.NAMES["H-4"]
    assert town.control("verify")["ok"]


# a copy made before the erasure, with the key file of today: nothing in it can be opened any more
def test_an_older_copy_of_the_keystore_is_worthless(town):
    town.stop("vigied")
    copy = shutil.copytree(town.folder / "state" / "keys", town.folder / "copy")
    town.start_core()
    town.control("household.erase", {"case": 2})
    advance(town, AT)
    town.stop("vigied")

    shutil.rmtree(town.folder / "state" / "keys")
    shutil.move(copy, town.folder / "state" / "keys")
    refused = town.run("vigied")

    assert refused.returncode == 1
    assert "does not open the keys" in refused.stderr


# the key file cannot be replaced: nothing has changed, all goes on, and the night after it is done
def test_a_renewal_that_fails_is_tried_again_the_night_after(town):
    first = kek(town)
    town.control("household.erase", {"case": 2})
    hindrance = town.folder / "key.next" / "in-the-way"
    hindrance.mkdir(parents=True)

    advance(town, AT)
    assert kek(town) == first and name_of(town, 1) == world.NAMES["H-1"]
    shutil.rmtree(hindrance.parent)
    advance(town, "2015-03-04T12:00:00Z")
    assert kek(town) == first
    advance(town, "2015-03-05T02:00:00Z")

    assert kek(town) != first and told(town) == 1
    with pytest.raises(Refused):
        town.control("household.erase", {"case": 2})
