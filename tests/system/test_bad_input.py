"""What is wrong is refused with a code, a path and a sentence, wherever it comes in, and changes nothing.

Each case is one row of a table; `unchanged` takes the state's digest around it.
"""

import copy
import json
import os
import shutil
import socket
import tempfile

import msgpack
import pytest

import world
from conftest import CONF, ROOT, Core, Refused
from sender import Sender, event

TIME = world.NOW
OWN = "urn:fsl:39"


@pytest.fixture(scope="module")
def town():
    """One rehearsal for all: its clock stands still between the cases."""
    folder = tempfile.mkdtemp(prefix="vigie-", dir="/tmp")
    core = Core(folder, rehearse=world.DAY, workers=("vigie-notify", "vigie-schedule"))
    try:
        world.populate(core)
        yield core
    finally:
        core.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def unchanged(town):
    before = town.status("status", {"digest": True})
    yield town
    after = town.status("status", {"digest": True})
    assert (after["digest"], after["seq"]) == (before["digest"], before["seq"])


@pytest.fixture
def sender(unchanged):
    with Sender(unchanged.intake) as made:
        yield made


def rows(*table):
    """Parameters whose first value is the name of the case."""
    return [pytest.param(*row[1:], id=row[0]) for row in table]


# --- frames ---------------------------------------------------------------------------------------

def pack(*values):
    return msgpack.packb(list(values))


def publish_of(raw_event):
    """A publish of one event, whose bytes are given."""
    return b"\x94\x00\x07\xa7publish\x91\x91" + raw_event


def raw_map(*pairs):
    out = bytes([0x80 + len(pairs)])
    for key, value in pairs:
        out += msgpack.packb(key) + (value if isinstance(value, bytes) else msgpack.packb(value))
    return out


def nested(depth):
    return b"\x91" * depth + b"\x01"


FRAMES = rows(
    ("an empty frame", b"", 0, "bad_frame", ""),
    ("a byte that msgpack never uses", b"\xc1", 0, "bad_frame", ""),
    ("a request cut short", pack(0, 7, "hello", [])[:-1], 7, "bad_frame", ""),
    ("bytes after the object", pack(0, 7, "hello", []) + b"\x00", 7, "bad_frame", ""),
    ("two requests in a frame", pack(0, 7, "hello", []) * 2, 7, "bad_frame", ""),
    ("an array that claims four billion items", b"\xdd\xff\xff\xff\xff", 0, "bad_frame", ""),
    ("a map that claims four billion keys", b"\xdf\xff\xff\xff\xff", 0, "bad_frame", ""),
    ("a string longer than the frame", b"\x94\x00\x07\xdb\xff\xff\xff\xff", 7, "bad_frame", ""),
    ("binary longer than the frame", b"\x94\x00\x07\xc6\x7f\xff\xff\xff", 7, "bad_frame", ""),
    ("a string that is no UTF-8", b"\x94\x00\x07\xa2\xc3\x28\x90", 7, "bad_frame", ""),
    ("a string with an overlong form", b"\x94\x00\x07\xa2\xc0\x80\x90", 7, "bad_frame", ""),
    ("a string with a surrogate", b"\x94\x00\x07\xa3\xed\xa0\x80\x90", 7, "bad_frame", ""),
    ("an extension type", b"\x94\x00\x07\xa5hello\x91\xd4\x01\x00", 7, "bad_frame", ""),
    ("a timestamp extension", b"\x94\x00\x07\xa5hello\x91\xd6\xff\x00\x00\x00\x00", 7,
     "bad_frame", ""),
    ("a map whose key is a number", b"\x94\x00\x07\xa5hello\x91\x81\x01\x01", 7, "bad_frame", ""),
    ("a map whose key is nil", b"\x94\x00\x07\xa5hello\x91\x81\xc0\x01", 7, "bad_frame", ""),
    ("the same key twice", b"\x94\x00\x07\xa5hello\x91" + raw_map(("client", "a"), ("client", "b")),
     7, "bad_frame", ""),
    ("arrays nine deep", b"\x94\x00\x07\xa5hello" + nested(9), 7, "bad_frame", ""),
    ("a map of 65 keys", pack(0, 7, "hello", [{f"k{n}": n for n in range(65)}]), 7,
     "bad_frame", ""),
    ("a number alone", b"\x07", 0, "bad_request", ""),
    ("a map alone", b"\x80", 0, "bad_request", ""),
    ("an empty array", b"\x90", 0, "bad_request", ""),
    ("a request without params", pack(0, 7, "hello"), 7, "bad_request", ""),
    ("a request with five parts", pack(0, 7, "hello", [], 1), 7, "bad_request", ""),
    ("a type of message that does not exist", pack(3, 7, "hello", []), 0, "bad_request", ""),
    ("a type that is a string", pack("0", 7, "hello", []), 0, "bad_request", ""),
    ("a msgid that is a string", pack(0, "7", "hello", []), 0, "bad_request", ""),
    ("a msgid below zero", pack(0, -1, "hello", []), 0, "bad_request", ""),
    ("a msgid of 2^32", pack(0, 2**32, "hello", []), 0, "bad_request", ""),
    ("a method that is a number", pack(0, 7, 1, []), 7, "bad_request", ""),
    ("params that are a map", pack(0, 7, "hello", {}), 7, "bad_request", ""),
    ("params that are nil", pack(0, 7, "hello", None), 7, "bad_request", ""),
    ("a method nobody knows", pack(0, 7, "subscribe", []), 7, "unsupported", "method"),
    ("a method of workers", pack(0, 7, "ready", [{}]), 7, "unsupported", "method"),
    ("the method the gate uses", pack(0, 7, "forward", ["all", b""]), 7, "unsupported", "method"),
    ("an answer instead of a request", pack(1, 7, None, {}), 7, "unsupported", "method"),
    ("hello with a number", pack(0, 7, "hello", [1]), 7, "bad_request", ""),
    ("hello with two maps", pack(0, 7, "hello", [{}, {}]), 7, "bad_request", ""),
    ("hello with an unknown field", pack(0, 7, "hello", [{"x": 1}]), 7, "invalid_event", "x"),
    ("hello with a client of the wrong type", pack(0, 7, "hello", [{"client": 3}]), 7,
     "invalid_event", "client"),
    ("hello with a client that is too long", pack(0, 7, "hello", [{"client": "c" * 129}]), 7,
     "invalid_event", "client"),
    ("hello for a version to come", pack(0, 7, "hello", [{"versions": ["2"]}]), 7, "unsupported",
     "versions"),
    ("publish without params", pack(0, 7, "publish", []), 7, "bad_request", "params"),
    ("publish of a map", pack(0, 7, "publish", [{}]), 7, "bad_request", "params"),
    ("publish of two arrays", pack(0, 7, "publish", [[], []]), 7, "bad_request", "params"),
    ("publish of 501 events", pack(0, 7, "publish", [[{}] * 501]), 7, "too_large", "params"),
    ("status without an id", pack(0, 7, "status", [OWN]), 7, "bad_request", "params"),
    ("status with numbers", pack(0, 7, "status", [1, 2]), 7, "bad_request", "params"),
    ("status with three words", pack(0, 7, "status", [OWN, "a", "b"]), 7, "bad_request", "params"),
    ("status of what never was", pack(0, 7, "status", [OWN, "never"]), 7, "not_found", ""),
    ("status of nobody's source", pack(0, 7, "status", ["urn:nobody", "e-F1"]), 7, "not_found", ""),
)


@pytest.mark.parametrize("frame, msgid, code, path", FRAMES)
def test_a_bad_frame_is_refused(sender, frame, msgid, code, path):
    answered, error, _ = sender.raw(frame)

    assert error and (error["code"], error["path"]) == (code, path), error
    assert answered == msgid
    assert error["text"]


def test_a_frame_of_two_parts_is_refused(sender):
    sender.socket.send_multipart([b"a", b"b"])

    assert sender.receive()[1]["code"] == "bad_frame"


# --- events ---------------------------------------------------------------------------------------

def base(**changes):
    """A good referral of a household that is known, with changes to its attributes."""
    made = world.referral("H-2", "F2b", id="bad")
    made.update(changes)
    return made


def without(name):
    made = base()
    del made[name]
    return made


def data(**changes):
    """The same with changes to its data; ... stands for a field left out."""
    made = base()
    made["data"].update(changes)
    made["data"] = {name: value for name, value in made["data"].items() if value is not ...}
    return made


def whose(**changes):
    person = dict(world.person("H-2"), **changes)
    return data(person={name: value for name, value in person.items() if value is not ...})


def of(type, content, subject="H-2", **more):
    return event(type, "bad", TIME, content, subject=subject, **more)


def free(type, content, **more):
    return event(type, "bad", TIME, content, **more)


def notice(**changes):
    return of("supplier.notice", {"supplier": "S", "energy": "gas", "step": 1,
                                  "issued_on": "2015-03-02", **changes})


def giver(**changes):
    made = world.giver(id="bad")
    made["data"].update(changes)
    made["data"] = {name: value for name, value in made["data"].items() if value is not ...}
    return made


def visit(verb, number=2, **more):
    return free("visit." + verb, {"visit": number, **more})


ENVELOPE = rows(
    ("an empty map", {}, "invalid_event", "specversion"),
    ("a number", 7, "invalid_event", ""),
    ("nil", None, "invalid_event", ""),
    ("a string", "event", "invalid_event", ""),
    ("an array", [], "invalid_event", ""),
    ("no specversion", without("specversion"), "invalid_event", "specversion"),
    ("specversion 0.3", base(specversion="0.3"), "invalid_event", "specversion"),
    ("specversion as a number", base(specversion=1), "invalid_event", "specversion"),
    ("no id", without("id"), "invalid_event", "id"),
    ("an empty id", base(id=""), "invalid_event", "id"),
    ("an id of 129 bytes", base(id="i" * 129), "invalid_event", "id"),
    ("an id of 65 letters of two bytes", base(id="é" * 65), "invalid_event", "id"),
    ("an id with a line break", base(id="a\nb"), "invalid_event", "id"),
    ("an id as a number", base(id=42), "invalid_event", "id"),
    ("an id as binary", base(id=b"42"), "invalid_event", "id"),
    ("no source", without("source"), "invalid_event", "source"),
    ("an empty source", base(source=""), "invalid_event", "source"),
    ("a source of 129 bytes", base(source="s" * 129), "invalid_event", "source"),
    ("no type", without("type"), "invalid_event", "type"),
    ("a type without its prefix", base(type="referral.received"), "invalid_event", "type"),
    ("a type that is not known", base(type="fr.vigie.referral.lost"), "invalid_event", "type"),
    ("a type in capitals", base(type="FR.VIGIE.REFERRAL.RECEIVED"), "invalid_event", "type"),
    ("no time", without("time"), "invalid_event", "time"),
    ("a time without offset", base(time="2015-03-02T11:00:00"), "invalid_event", "time"),
    ("a time with a day that is none", base(time="2015-02-29T11:00:00Z"), "invalid_event", "time"),
    ("a time at 24 o'clock", base(time="2015-03-02T24:00:00Z"), "invalid_event", "time"),
    ("a time as a number", base(time=1425294000), "invalid_event", "time"),
    ("a date for a time", base(time="2015-03-02"), "invalid_event", "time"),
    ("a time more than a day ahead",
     world.referral("H-2", "F2b", id="bad", time="2015-03-04T23:00:01Z"), "invalid_event", "time"),
    ("an empty subject", base(subject=""), "invalid_event", "subject"),
    ("a subject of 129 bytes", base(subject="h" * 129), "invalid_event", "subject"),
    ("a subject as a number", base(subject=118), "invalid_event", "subject"),
    ("a subjectsource of 129 bytes", base(subjectsource="s" * 129), "invalid_event",
     "subjectsource"),
    ("a subjectsource without subject", {**without("subject"), "subjectsource": OWN},
     "invalid_event", "subjectsource"),
    ("an attribute of one's own", base(extension="x"), "invalid_event", "extension"),
    ("an attribute in capitals", base(Subject="x"), "invalid_event", "Subject"),
    ("a datacontenttype as a number", base(datacontenttype=1), "invalid_event", "datacontenttype"),
    ("a traceparent of 201 bytes", base(traceparent="t" * 201), "invalid_event", "traceparent"),
    ("no data", without("data"), "invalid_event", "data"),
    ("data that is nil", base(data=None), "invalid_event", "data"),
    ("data that is an array", base(data=[]), "invalid_event", "data"),
    ("data that is JSON in a string", base(data="{}"), "invalid_event", "data"),
    ("an event over 16 KiB", base(dataschema="d" * 17000), "too_large", ""),
)

FIELDS = rows(
    ("a field nobody knows", data(colour="blue"), "invalid_event", "data.colour"),
    ("a personal field in the wrong place", data(name="N"), "invalid_event", "data.name"),
    ("a field left out", data(form=...), "invalid_event", "data.form"),
    ("a field that is nil", data(giver=None), "invalid_event", "data.giver"),
    ("no consent", data(consent_on=...), "invalid_event", "data.consent_on"),
    ("no person", data(person=...), "invalid_event", "data.person"),
    ("a text as a number", data(form=17), "invalid_event", "data.form"),
    ("a text as binary", data(form=b"F2"), "invalid_event", "data.form"),
    ("an empty text", data(form=""), "invalid_event", "data.form"),
    ("an identifier of 65 bytes", data(form="f" * 65), "invalid_event", "data.form"),
    ("an identifier with a tab", data(form="F\t2"), "invalid_event", "data.form"),
    ("an identifier with a control character of two bytes", data(form="F\u0085"), "invalid_event",
     "data.form"),
    ("a text of 201 bytes", data(workshop="w" * 201), "invalid_event", "data.workshop"),
    ("an INSEE code of four characters", data(insee="3919"), "invalid_event", "data.insee"),
    ("an INSEE code of six characters", data(insee="391980"), "invalid_event", "data.insee"),
    ("an INSEE code as a number", data(insee=39198), "invalid_event", "data.insee"),
    ("an INSEE code with a small letter", data(insee="2a004"), "invalid_event", "data.insee"),
    ("an INSEE code with a sign", data(insee="39-98"), "invalid_event", "data.insee"),
    ("a set as a word", data(reasons="cold"), "invalid_event", "data.reasons"),
    ("a set as a map", data(reasons={"cold": True}), "invalid_event", "data.reasons"),
    ("an empty set that must have one", data(reasons=[]), "invalid_event", "data.reasons"),
    ("a word no set knows", data(reasons=["cold", "bored"]), "invalid_event", "data.reasons[1]"),
    ("a word twice", data(reasons=["cold", "damp", "cold"]), "invalid_event", "data.reasons[2]"),
    ("a number in a set", data(energies=[1]), "invalid_event", "data.energies[0]"),
    ("nil in a set", data(vulnerable=[None]), "invalid_event", "data.vulnerable[0]"),
    ("an enumeration's unknown word", data(tenure="squat"), "invalid_event", "data.tenure"),
    ("an enumeration in capitals", data(tenure="OWNER"), "invalid_event", "data.tenure"),
    ("an enumeration as a number", data(tenure=1), "invalid_event", "data.tenure"),
    ("a date that is none", data(consent_on="2015-02-30"), "invalid_event", "data.consent_on"),
    ("a 29 February of no leap year", data(consent_on="2015-02-29"), "invalid_event",
     "data.consent_on"),
    ("a date in French", data(consent_on="02/03/2015"), "invalid_event", "data.consent_on"),
    ("a date with a time", data(consent_on=TIME), "invalid_event", "data.consent_on"),
    ("a date as a number", data(consent_on=20150302), "invalid_event", "data.consent_on"),
    ("a date of one-digit month", data(consent_on="2015-3-02"), "invalid_event",
     "data.consent_on"),
    ("a date before 1900", data(consent_on="1899-12-31"), "invalid_event", "data.consent_on"),
    ("a date after 2170", free("pair.unavailable", {"pair": "binome-1", "from": "2015-03-02",
                                                    "to": "2170-01-02"}), "invalid_event", "data.to"),
    ("a consent two days after the event", data(consent_on="2015-03-04"), "invalid_event",
     "data.consent_on"),
    ("a person as a name", data(person="Anatole"), "invalid_event", "data.person"),
    ("a person without name", whose(name=...), "invalid_event", "data.person.name"),
    ("a person's empty name", whose(name=""), "invalid_event", "data.person.name"),
    ("a name of 201 bytes", whose(name="n" * 201), "invalid_event", "data.person.name"),
    ("a name with a line break", whose(name="A\nB"), "invalid_event", "data.person.name"),
    ("a phone as a number", whose(phone=384112233), "invalid_event", "data.person.phone"),
    ("an e-mail of 255 bytes", whose(email="e" * 255), "invalid_event", "data.person.email"),
    ("no person at all in the house", whose(persons=0), "invalid_event", "data.person.persons"),
    ("a hundred persons", whose(persons=100), "invalid_event", "data.person.persons"),
    ("two and a half persons", whose(persons=2.5), "invalid_event", "data.person.persons"),
    ("persons as a float without fraction", whose(persons=2.0), "invalid_event",
     "data.person.persons"),
    ("persons as text", whose(persons="2"), "invalid_event", "data.person.persons"),
    ("persons as true", whose(persons=True), "invalid_event", "data.person.persons"),
    ("persons below zero", whose(persons=-1), "invalid_event", "data.person.persons"),
    ("a person's unknown field", whose(income=1200), "invalid_event", "data.person.income"),
    ("a step of 0", notice(step=0), "invalid_event", "data.step"),
    ("a step of 3", notice(step=3), "invalid_event", "data.step"),
    ("a step of 2^64 - 1", notice(step=2**64 - 1), "invalid_event", "data.step"),
    ("a step of -2^63", notice(step=-2**63), "invalid_event", "data.step"),
    ("notice_days of 366", notice(notice_days=366), "invalid_event", "data.notice_days"),
    ("a smart meter said by a number", notice(smart_meter=1), "invalid_event", "data.smart_meter"),
    ("a smart meter said by a word", notice(smart_meter="yes"), "invalid_event",
     "data.smart_meter"),
    ("a debt below zero", notice(debt_cents=-1), "invalid_event", "data.debt_cents"),
    ("a debt of over a million", notice(debt_cents=100000001), "invalid_event", "data.debt_cents"),
    ("a debt in euros with cents", notice(debt_cents=12.5), "invalid_event", "data.debt_cents"),
    ("a notice two days after the event", notice(issued_on="2015-03-04"), "invalid_event",
     "data.issued_on"),
    ("a limitation without power", of("supplier.limited", {"supplier": "S", "energy": "gas",
                                                           "on": "2015-03-02"}),
     "invalid_event", "data.power_va"),
    ("a power of 100001", of("supplier.limited", {"supplier": "S", "energy": "gas",
                                                  "on": "2015-03-02", "power_va": 100001}),
     "invalid_event", "data.power_va"),
    ("a cut two days ahead", of("supplier.cut", {"supplier": "S", "energy": "gas",
                                                 "on": "2015-03-04"}), "invalid_event", "data.on"),
    ("a restoration with power", of("supplier.restored", {"supplier": "S", "energy": "gas",
                                                          "on": "2015-03-02", "power_va": 1}),
     "invalid_event", "data.power_va"),
    ("a request without energies", of("fsl.request_filed", {"request": "R", "energies": [],
                                                            "filed_on": "2015-03-02"}),
     "invalid_event", "data.energies"),
    ("a request filed two days later", of("fsl.request_filed", {"request": "R", "energies": ["gas"],
                                                                "filed_on": "2015-03-04"}),
     "invalid_event", "data.filed_on"),
    ("a decision two days later", of("fsl.decided", {"request": "R", "outcome": "granted",
                                                     "decided_on": "2015-03-04"}),
     "invalid_event", "data.decided_on"),
    ("a decision of no known kind", of("fsl.decided", {"request": "R", "outcome": "maybe",
                                                       "decided_on": "2015-03-02"}),
     "invalid_event", "data.outcome"),
    ("a voucher that ends before it begins",
     of("household.protection", {"energy_voucher": True, "valid_from": "2015-03-02",
                                 "valid_to": "2015-03-01"}), "invalid_event", "data.valid_to"),
    ("a voucher as a word", of("household.protection", {"energy_voucher": "true",
                                                        "valid_from": "2015-03-02",
                                                        "valid_to": "2015-03-02"}),
     "invalid_event", "data.energy_voucher"),
    ("a move without commune", of("household.moved", {"on": "2015-03-02"}), "invalid_event",
     "data.insee"),
    ("a move two days ahead", of("household.moved", {"insee": "39198", "on": "2015-03-04"}),
     "invalid_event", "data.on"),
    ("a giver without name", giver(name=...), "invalid_event", "data.name"),
    ("a giver without e-mail", giver(email=...), "invalid_event", "data.email"),
    ("a giver's e-mail without at", giver(email="marie"), "invalid_event", "data.email"),
    ("a giver's e-mail with two addresses", giver(email="a@b.fr,c@d.fr"), "invalid_event",
     "data.email"),
    ("a giver's e-mail with a line break", giver(email="a@b.fr\nBcc: c@d.fr"), "invalid_event",
     "data.email"),
    ("seventeen cantons", giver(cantons=[f"c{n}" for n in range(17)]), "invalid_event",
     "data.cantons"),
    ("the same canton twice", giver(cantons=["3903", "3903"]), "invalid_event", "data.cantons[1]"),
    ("an empty canton", giver(cantons=[""]), "invalid_event", "data.cantons[0]"),
    ("a commune that is none", giver(insee=["39198", "x"]), "invalid_event", "data.insee[1]"),
    ("the same commune twice", giver(insee=["39198", "39198"]), "invalid_event", "data.insee[1]"),
    ("a giver of no kind", giver(kind="friend"), "invalid_event", "data.kind"),
    ("a giver since two days later", giver(since="2015-03-04"), "invalid_event", "data.since"),
    ("other as a text", of("household.same_as", {"other": "H-6"}), "invalid_event", "data.other"),
    ("other without source", of("household.same_as", {"other": {"subject": "H-6"}}),
     "invalid_event", "data.other.source"),
    ("an absence that ends first", free("pair.unavailable", {"pair": "binome-1",
                                                             "from": "2015-03-05",
                                                             "to": "2015-03-04"}),
     "invalid_event", "data.to"),
    ("a visit as text", visit("confirmed", "2"), "invalid_event", "data.visit"),
    ("a visit of 0", visit("confirmed", 0), "invalid_event", "data.visit"),
    ("a visit of 2^32", visit("confirmed", 2**32), "invalid_event", "data.visit"),
    ("a day without half", visit("confirmed", day="2015-03-06"), "invalid_event", "data.half"),
    ("a half without day", visit("confirmed", half="am"), "invalid_event", "data.day"),
    ("a visit moved nowhere", visit("moved"), "invalid_event", "data.day"),
    ("a visit moved to no half", visit("moved", day="2015-03-06"), "invalid_event", "data.half"),
    ("a visit moved to noon", visit("moved", day="2015-03-06", half="noon"), "invalid_event",
     "data.half"),
    ("a visit cancelled by nobody known", visit("cancelled", by="weather"), "invalid_event",
     "data.by"),
    ("a record without result", visit("recorded", second_visit=False), "invalid_event",
     "data.result"),
    ("a record without second_visit", visit("recorded", result="done"), "invalid_event",
     "data.second_visit"),
    ("a record with an unknown onward", visit("recorded", result="done", second_visit=False,
                                              onward=["fsl", "bank"]),
     "invalid_event", "data.onward[1]"),
    ("a derogation without date", of("derogation.decided", {"allow": True}), "invalid_event",
     "data.until"),
    ("a closing for no reason", of("case.closed", {}), "invalid_event", "data.reason"),
    ("an erasure with something said", of("privacy.erase", {"why": "x"}), "invalid_event",
     "data.why"),
    ("a retraction without reason", free("event.retracted", {"source": OWN, "id": "e-F1"}),
     "invalid_event", "data.reason"),
)

MEANING = rows(
    ("a request without subject", event("fsl.request_filed", "bad", TIME,
                                        {"request": "R", "energies": ["gas"],
                                         "filed_on": "2015-03-02"}), "invalid_event", "subject"),
    ("a notice without subject", {k: v for k, v in notice().items() if k != "subject"},
     "invalid_event", "subject"),
    ("a move without subject", free("household.moved", {"insee": "39198", "on": "2015-03-02"}),
     "invalid_event", "subject"),
    ("a withdrawal without subject", free("referral.withdrawn", {"by": "giver", "reason": "other"}),
     "invalid_event", "subject"),
    ("a closing without subject", free("case.closed", {"reason": "done"}), "invalid_event",
     "subject"),
    ("an erasure without subject", free("privacy.erase", {}), "invalid_event", "subject"),
    ("a derogation without subject", free("derogation.decided", {"allow": True,
                                                                 "until": "2015-12-31"}),
     "invalid_event", "subject"),
    ("a giver with a subject", {**giver(), "subject": "H-1"}, "invalid_event", "subject"),
    ("a giver gone, with a subject", of("giver.left", {"giver": "TS1", "until": "2015-03-02"}),
     "invalid_event", "subject"),
    ("an absence with a subject", of("pair.unavailable", {"pair": "binome-1", "from": "2015-03-05",
                                                          "to": "2015-03-05"}),
     "invalid_event", "subject"),
    ("a visit with a subject", {**visit("confirmed"), "subject": "H-2"}, "invalid_event",
     "subject"),
    ("a retraction with a subject", of("event.retracted", {"source": OWN, "id": "e-F1",
                                                           "reason": "x"}),
     "invalid_event", "subject"),
    ("a referral of nobody known without commune",
     {**data(insee=...), "subject": "H-99"}, "invalid_event", "data.insee"),
    ("a referral without number or commune",
     {k: v for k, v in data(insee=...).items() if k != "subject"}, "invalid_event", "data.insee"),
    ("a referral of an erased household", base(subject="H-5"), "erased", "subject"),
    ("a request of an erased household", world.request("H-5", "R5", id="bad"), "erased", "subject"),
    ("a notice of an erased household", {**notice(), "subject": "H-5"}, "erased", "subject"),
    ("closing the case of an erased household", of("case.closed", {"reason": "done"}, "H-5"),
     "erased", "subject"),
    ("erasing the erased", of("privacy.erase", {}, "H-5"), "erased", "subject"),
    ("joining the erased", of("household.same_as", {"other": {"source": OWN, "subject": "H-5"}}),
     "erased", "data.other"),
    ("a withdrawal of nobody known", of("referral.withdrawn", {"by": "giver", "reason": "other"},
                                        "H-99"), "not_found", "subject"),
    ("a withdrawal without open case", of("referral.withdrawn", {"by": "giver", "reason": "other"},
                                          "H-4"), "not_found", "subject"),
    ("a closing of nobody known", of("case.closed", {"reason": "done"}, "H-99"), "not_found",
     "subject"),
    ("a closing without open case", of("case.closed", {"reason": "done"}, "H-4"), "not_found",
     "subject"),
    ("a closing that erases", of("case.closed", {"reason": "erased"}), "invalid_event",
     "data.reason"),
    ("a derogation without open case", of("derogation.decided", {"allow": True,
                                                                 "until": "2015-12-31"}, "H-4"),
     "not_found", "subject"),
    ("erasing nobody known", of("privacy.erase", {}, "H-99"), "not_found", "subject"),
    ("a case that does not exist", of("case.closed", {"reason": "done"}, "99",
                                      subjectsource="urn:vigie"), "not_found", "subject"),
    ("a case that is no number", of("case.closed", {"reason": "done"}, "one",
                                    subjectsource="urn:vigie"), "not_found", "subject"),
    ("a case of 2^32 + 1", of("case.closed", {"reason": "done"}, str(2**32 + 1),
                              subjectsource="urn:vigie"), "not_found", "subject"),
    ("a request about a case that does not exist",
     {**world.request("99", "R", id="bad"), "subjectsource": "urn:vigie"}, "not_found", "subject"),
    ("joining nobody known", of("household.same_as", {"other": {"source": OWN, "subject": "H-99"}}),
     "not_found", "data.other"),
    ("nobody known joining", of("household.same_as", {"other": {"source": OWN, "subject": "H-1"}},
                                "H-99"), "not_found", "subject"),
    ("joining oneself", of("household.same_as", {"other": {"source": OWN, "subject": "H-2"}}),
     "invalid_event", "data.other"),
    ("joining oneself by the case's number",
     of("household.same_as", {"other": {"source": "urn:vigie", "subject": "2"}}), "invalid_event",
     "data.other"),
    ("a pair nobody knows absent", free("pair.unavailable", {"pair": "binome-9",
                                                             "from": "2015-03-05",
                                                             "to": "2015-03-05"}),
     "not_found", "data.pair"),
    ("confirming a visit nobody planned", visit("confirmed", 99), "not_found", "data.visit"),
    ("moving a visit nobody planned", visit("moved", 99, day="2015-03-06", half="am"), "not_found",
     "data.visit"),
    ("cancelling a visit nobody planned", visit("cancelled", 99), "not_found", "data.visit"),
    ("recording a visit nobody planned", visit("recorded", 99, result="done", second_visit=False),
     "not_found", "data.visit"),
    ("moving a visit to the past", visit("moved", day="2015-03-02", half="am"), "invalid_event",
     "data.day"),
    ("confirming a visit for the past", visit("confirmed", day="2015-03-02", half="am"),
     "invalid_event", "data.day"),
    ("moving a visit to a taken half-day", visit("moved", day="2015-03-04", half="am"),
     "invalid_event", "data.day"),
    ("confirming a visit for a taken half-day", visit("confirmed", day="2015-03-04", half="am"),
     "invalid_event", "data.day"),
    ("retracting what never was", free("event.retracted", {"source": OWN, "id": "never",
                                                           "reason": "x"}), "not_found", "data.id"),
    ("retracting somebody else's", free("event.retracted", {"source": OWN, "id": "e-F1",
                                                            "reason": "x"}, source="urn:other"),
     "forbidden", "data.source"),
    ("the same identity with other content", {**world.referral("H-1", "F1"), "subject": "H-2"},
     "conflict", "id"),
    ("the same identity at another time", world.referral("H-2", "F2", time="2015-03-02T12:00:00Z"),
     "conflict", "id"),
)

# Types that exist, and that no sender may send: well formed, with whatever grants.
OURS = rows(
    ("policy.applied", {"policy": b"x"}),
    ("task.kicked", {"task": 1}),
    ("journal.begun", {"salt": b"0123456789abcdef", "rehearsal": True}),
    ("time.passed", {}),
    ("task.leased", {"task": 1}),
    ("task.started", {"task": 1, "token": 1}),
    ("task.done", {"task": 1, "token": 1}),
    ("task.failed", {"task": 1, "token": 1, "class": "later", "code": "x"}),
    ("task.lost", {"task": 1, "token": 1}),
    ("plan.made", {"task": 1, "token": 1, "visits": []}),
)


def assert_refused(sender, bad, code, path):
    good = world.first_events()[0]

    before, result, after = sender.publish([good, bad, good])

    assert before["duplicate"] and after["duplicate"], "the others of the batch are as ever"
    error = result.get("error")
    assert error and (error["code"], error["path"]) == (code, path), result
    assert 10 < len(error["text"]) < 300
    assert sender.status(OWN, "bad") is None


@pytest.mark.parametrize("bad, code, path", ENVELOPE)
def test_a_bad_envelope_is_refused(sender, bad, code, path):
    assert_refused(sender, bad, code, path)


@pytest.mark.parametrize("bad, code, path", FIELDS)
def test_a_bad_field_is_refused(sender, bad, code, path):
    assert_refused(sender, bad, code, path)


@pytest.mark.parametrize("bad, code, path", MEANING)
def test_what_does_not_fit_the_state_is_refused(sender, bad, code, path):
    assert_refused(sender, bad, code, path)


@pytest.mark.parametrize("content", OURS)
def test_the_cores_own_types_are_not_taken_from_senders(sender, request, content):
    assert_refused(sender, free(request.node.callspec.id, content), "forbidden", "type")


# --- the operators' sockets -----------------------------------------------------------------------

def say(core, name, line):
    """One line of bytes to a socket, and the line that comes back; None when it was closed."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(str(core.folder / name))
        try:
            sock.sendall(line)
            answer = b""
            while not answer.endswith(b"\n"):
                piece = sock.recv(1 << 20)
                if not piece:
                    return None
                answer += piece
        except (BrokenPipeError, ConnectionResetError):
            return None
    return json.loads(answer)


LINES = rows(
    ("no JSON", b"status\n", "bad_frame"),
    ("JSON cut short", b'{"jsonrpc":"2.0"\n', "bad_frame"),
    ("two objects on a line", b'{"method":"status"}{"method":"status"}\n', "bad_frame"),
    ("a key twice", b'{"method":"status","method":"verify"}\n', "bad_frame"),
    ("a string that is no UTF-8", b'{"method":"\xff"}\n', "bad_frame"),
    ("a NUL in a string", b'{"method":"sta\\u0000tus"}\n', "bad_frame"),
    ("a number too large for any integer", b'{"method":"status","id":99999999999999999999}\n',
     "bad_frame"),
    ("ten thousand brackets", b"[" * 10000 + b"\n", "bad_frame"),
    ("a number", b"1\n", "bad_frame"),
    ("an array", b'[{"method":"status"}]\n', "bad_request"),
    ("no method", b'{"jsonrpc":"2.0","id":1}\n', "bad_request"),
    ("a method that is a number", b'{"jsonrpc":"2.0","id":1,"method":1}\n', "bad_request"),
    ("params that are an array", b'{"jsonrpc":"2.0","id":1,"method":"status","params":[]}\n',
     "bad_request"),
    ("params that are a string", b'{"jsonrpc":"2.0","id":1,"method":"status","params":"x"}\n',
     "bad_request"),
)


@pytest.mark.parametrize("name", ["status.sock", "control.sock"])
@pytest.mark.parametrize("line, code", LINES)
def test_a_bad_line_is_refused(unchanged, name, line, code):
    error = say(unchanged, name, line)["error"]

    assert (error["data"]["code"], error["data"]["path"]) == (code, "")
    assert error["message"]


@pytest.mark.parametrize("name", ["status.sock", "control.sock"])
def test_a_line_without_end_costs_its_connection_only(unchanged, name):
    answer = say(unchanged, name, b'"' + b"x" * (4 * 1024 * 1024 + 70000))

    assert answer is None
    assert say(unchanged, name, b'{"method":"status"}\n')["result"]["rehearsal"]


CALLS = rows(
    ("a method nobody knows", "case.forget", {}, "unsupported", "method"),
    ("an empty method", "", {}, "unsupported", "method"),
    ("a parameter nobody takes", "status", {"verbose": True}, "bad_request", "verbose"),
    ("a digest as a word", "status", {"digest": "yes"}, "bad_request", "digest"),
    ("a sector nobody knows", "queue.list", {"sector": "paris"}, "bad_request", "sector"),
    ("a sector as a number", "queue.list", {"sector": 1}, "bad_request", "sector"),
    ("a tier nobody knows", "queue.list", {"tier": "low"}, "bad_request", "tier"),
    ("a state nobody knows", "queue.list", {"state": "lost"}, "bad_request", "state"),
    ("a limit below zero", "queue.list", {"limit": -1}, "bad_request", "limit"),
    ("a limit of nothing", "queue.list", {"limit": 0}, "bad_request", "limit"),
    ("a limit over the most", "queue.list", {"limit": 10001}, "bad_request", "limit"),
    ("a limit as text", "queue.list", {"limit": "10"}, "bad_request", "limit"),
    ("a misspelt filter", "queue.list", {"sectors": "dole"}, "bad_request", "sectors"),
    ("no case to show", "case.show", {}, "bad_request", "case"),
    ("a case as text", "case.show", {"case": "1"}, "bad_request", "case"),
    ("a case below zero", "case.show", {"case": -1}, "bad_request", "case"),
    ("a case of 2^32", "case.show", {"case": 2**32}, "bad_request", "case"),
    ("a case nobody knows", "case.show", {"case": 99}, "not_found", "case"),
    ("the case 0", "case.explain", {"case": 0}, "not_found", "case"),
    ("a case to explain that nobody knows", "case.explain", {"case": 99}, "not_found", "case"),
    ("a case to explain as a float", "case.explain", {"case": 1.0}, "bad_request", "case"),
    ("closing no case", "case.close", {"reason": "done"}, "bad_request", "case"),
    ("closing a case by its name", "case.close", {"case": "one", "reason": "done"}, "bad_request",
     "case"),
    ("closing a case nobody knows", "case.close", {"case": 99, "reason": "done"}, "not_found",
     "case"),
    ("closing for no reason", "case.close", {"case": 1}, "invalid_event", "reason"),
    ("closing for a reason nobody knows", "case.close", {"case": 1, "reason": "bored"},
     "invalid_event", "reason"),
    ("closing by erasing", "case.close", {"case": 1, "reason": "erased"}, "invalid_event",
     "reason"),
    ("closing with more than that", "case.close", {"case": 1, "reason": "done", "force": True},
     "invalid_event", "force"),
    ("closing the erased", "case.close", {"case": 5, "reason": "done"}, "erased", "case"),
    ("a derogation without date", "case.derogate", {"case": 3, "allow": True}, "invalid_event",
     "until"),
    ("a derogation as a word", "case.derogate", {"case": 3, "allow": "yes", "until": "2015-12-31"},
     "invalid_event", "allow"),
    ("a derogation until no day", "case.derogate", {"case": 3, "allow": True,
                                                    "until": "2015-13-01"},
     "invalid_event", "until"),
    ("a derogation of nobody known", "case.derogate", {"case": 99, "allow": True,
                                                       "until": "2015-12-31"}, "not_found", "case"),
    ("a week nobody has", "visit.list", {"week": "2015-W54"}, "bad_request", "week"),
    ("a week 53 of a year with 52", "visit.list", {"week": "2014-W53"}, "bad_request", "week"),
    ("a week with something after it", "visit.list", {"week": "2015-W10x"}, "bad_request", "week"),
    ("a week in French", "visit.list", {"week": "semaine 12"}, "bad_request", "week"),
    ("a day that is none", "visit.list", {"from": "2015-02-30"}, "bad_request", "from"),
    ("a visit's state nobody knows", "visit.list", {"state": "done?"}, "bad_request", "state"),
    ("confirming no visit", "visit.confirm", {}, "invalid_event", "visit"),
    ("confirming a visit nobody planned", "visit.confirm", {"visit": 99}, "not_found", "visit"),
    ("confirming a visit by its name", "visit.confirm", {"visit": "first"}, "invalid_event",
     "visit"),
    ("confirming for a day only", "visit.confirm", {"visit": 2, "day": "2015-03-06"},
     "invalid_event", "half"),
    ("moving nowhere", "visit.move", {"visit": 2}, "invalid_event", "day"),
    ("moving to a taken half-day", "visit.move", {"visit": 2, "day": "2015-03-04", "half": "am"},
     "invalid_event", "day"),
    ("moving to the past", "visit.move", {"visit": 2, "day": "2015-03-01", "half": "am"},
     "invalid_event", "day"),
    ("cancelling by nobody known", "visit.cancel", {"visit": 2, "by": "rain"}, "invalid_event",
     "by"),
    ("recording no result", "visit.record", {"visit": 2}, "invalid_event", "result"),
    ("recording an unknown result", "visit.record", {"visit": 2, "result": "fine"},
     "invalid_event", "result"),
    ("recording an unknown onward", "visit.record", {"visit": 2, "result": "done",
                                                     "onward": ["fsl", "bank"]},
     "invalid_event", "onward[1]"),
    ("a sheet without week", "visit.sheet", {"pair": "binome-1"}, "bad_request", "week"),
    ("a sheet without pair", "visit.sheet", {"week": "2015-W10"}, "bad_request", "pair"),
    ("a sheet of a pair nobody knows", "visit.sheet", {"pair": "b", "week": "2015-W10"},
     "not_found", "pair"),
    ("an absence of nobody known", "pair.absent", {"pair": "b", "from": "2015-03-05",
                                                   "to": "2015-03-05"}, "not_found", "pair"),
    ("settling nothing", "duplicate.settle", {}, "bad_request", ""),
    ("settling with a word", "duplicate.settle", {"household": 8, "other": 2, "same": "yes"},
     "bad_request", ""),
    ("settling with nobody known", "duplicate.settle", {"household": 8, "other": 999,
                                                        "same": True}, "not_found", "other"),
    ("settling for nobody known", "duplicate.settle", {"household": 999, "other": 2, "same": True},
     "not_found", "household"),
    ("settling with a giver", "duplicate.settle", {"household": 8, "other": 1, "same": True},
     "not_found", "other"),
    ("settling with itself", "duplicate.settle", {"household": 8, "other": 8, "same": True},
     "invalid_event", "other"),
    ("retracting without reason", "event.retract", {"source": OWN, "id": "e-F1"}, "invalid_event",
     "reason"),
    ("retracting what never was", "event.retract", {"source": OWN, "id": "never", "reason": "x"},
     "not_found", "id"),
    ("erasing nobody known", "household.erase", {"case": 99}, "not_found", "case"),
    ("erasing without a case", "household.erase", {}, "bad_request", "case"),
    ("a task's state nobody knows", "task.list", {"state": "asleep"}, "bad_request", "state"),
    ("a task's kind nobody knows", "task.list", {"kind": "fax"}, "bad_request", "kind"),
    ("kicking nothing", "task.kick", {}, "bad_request", "task"),
    ("kicking a task by its name", "task.kick", {"task": "first"}, "bad_request", "task"),
    ("kicking a task nobody knows", "task.kick", {"task": 999}, "not_found", "task"),
    ("kicking a task of 2^32 + 1", "task.kick", {"task": 2**32 + 1}, "not_found", "task"),
    ("kicking a task that is done", "task.kick", {"task": 1}, "bad_request", "task"),
    ("kicking all that are done", "task.kick", {"state": "done"}, "bad_request", "state"),
    ("kicking one and all", "task.kick", {"state": "buried", "task": 1}, "bad_request", "task"),
    ("no policy", "policy.apply", {}, "bad_request", "policy"),
    ("a policy that is no base64", "policy.apply", {"policy": "?"}, "bad_request", "policy"),
    ("a policy that is no msgpack", "policy.apply", {"policy": "wQ=="}, "bad_frame",
     "policy"),
    ("a policy of nothing, to compare", "policy.diff", {"policy": ""}, "bad_frame", "policy"),
    ("a policy that says nothing", "policy.apply", {"policy": "gA=="}, "invalid_event",
     "policy.department"),
    ("verifying with a parameter", "verify", {"fast": True}, "bad_request", "fast"),
    ("advancing to nowhere", "clock.advance", {}, "bad_request", "to"),
    ("advancing to no day", "clock.advance", {"to": "2015-02-29"}, "bad_request", "to"),
    ("advancing to the past", "clock.advance", {"to": "2015-03-01"}, "bad_request", "to"),
    ("advancing by a number", "clock.advance", {"to": 5}, "bad_request", "to"),
)


@pytest.mark.parametrize("method, params, code, path", CALLS)
def test_a_bad_call_is_refused(unchanged, method, params, code, path):
    with pytest.raises(Refused) as refused:
        unchanged.control(method, params)

    data = refused.value.data
    assert data["text"] == refused.value.error["message"] and len(data["text"]) > 10
    assert (data["code"], data["path"]) == (code, path), data


PERSONAL_OR_ORDERS = ["case.show", "visit.sheet", "duplicate.list", "case.close", "case.derogate",
                      "visit.confirm", "visit.move", "visit.cancel", "visit.record", "pair.absent",
                      "duplicate.settle", "event.retract", "household.erase", "task.kick",
                      "policy.apply", "clock.advance", "verify"]


@pytest.mark.parametrize("method", PERSONAL_OR_ORDERS)
def test_status_sock_takes_no_orders_and_shows_nobody(unchanged, method):
    with pytest.raises(Refused) as refused:
        unchanged.status(method, {"case": 1, "visit": 1, "to": "2016-01-01", "pair": "binome-1",
                                  "week": "2015-W10", "reason": "done"})

    assert (refused.value.data["code"], refused.value.data["path"]) == ("unsupported", "method")


# --- files ----------------------------------------------------------------------------------------

def line_of(text, marker):
    """The number of the line that holds it, counted from 1."""
    return text[:text.index(marker)].count("\n") + 1


def spoiled(text, old, new):
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


# What is replaced, by what, the line's own text, and words of the complaint.
POLICY_MISTAKES = rows(
    ("a department without end", 'department = "39";', 'department = "39";;', ";;", "syntax"),
    ("an option nobody knows", 'department = "39";', 'department = "39"; colour = "blue";',
     "colour", "colour"),
    ("an option twice", 'name = "Jura";', 'name = "Jura"; name = "Ain";', 'name = "Ain"', "name"),
    ("a name as a number", 'name = "Jura";', "name = 39;", "name = 39", "name"),
    ("a coordinator without at", "coordination@exemple.test", "coordination", '"coordination"',
     "coordinator.email"),
    ("a sector twice", '"champagnole"; name', '"dole"; name', 'name = "Champagnole"', "id"),
    ("an opening that ends first", 'from = "2017-01-01"; to = "2017-12-31"',
     'from = "2017-12-31"; to = "2017-01-01"', 'from = "2017-12-31"', "opening"),
    ("an opening on no day", 'to = "2014-12-31"', 'to = "2014-12-32"', "2014-12-32", "to"),
    ("households below zero", "households = 38267", "households = -1", "households = -1",
     "households"),
    ("a half-day nobody knows", '"tue.am"', '"tue.noon"', "tue.noon", "half_days"),
    ("a half-day twice", '"tue.am", "tue.pm"', '"tue.am", "tue.am"', '"tue.am", "tue.am"',
     "half_days"),
    ("more visits than half-days", "visits_a_week = 4", "visits_a_week = 9", "visits_a_week = 9",
     "visits_a_week"),
    ("visits as a float", "visits_a_week = 4", "visits_a_week = 4.0", "visits_a_week = 4.0",
     "visits_a_week"),
    ("a pair for a sector nobody knows", "closed_sectors = true",
     'closed_sectors = true; sectors = [ "paris" ]', '"paris"', "sectors"),
    ("grace as text", "grace = 15", 'grace = "15"', 'grace = "15"', "grace"),
    ("a number that would wrap", "final_notice = 20", "final_notice = 4294967316",
     "4294967316", "final_notice"),
    ("a truce on 31 November", '"11-01"', '"11-31"', '"11-31"', "truce_from"),
    ("a derogation nobody knows", 'derogation = "auto"', 'derogation = "maybe"', '"maybe"',
     "derogation"),
    ("a rule as a word", "open_on_cutoff = false", 'open_on_cutoff = "no"', 'open_on_cutoff = "no"',
     "open_on_cutoff"),
    ("a plan for a year", "weeks = 3", "weeks = 53", "weeks = 53", "weeks"),
    ("communes in no file", 'file = "communes.csv"', 'file = "nowhere.csv"', None,
     "No such file"),
    ("a column nobody has", 'insee = "insee"', 'insee = "code"', 'insee = "code"',
     "communes.insee"),
)


@pytest.fixture
def files(tmp_path):
    """A copy of the Jura's files, and a vigie.conf that names them."""
    shutil.copytree(ROOT / "config/jura", tmp_path / "jura")
    conf = tmp_path / "vigie.conf"
    conf.write_text(CONF.format(folder=tmp_path, root=ROOT, uid=os.getuid(), extra="").replace(
        str(ROOT / "config/jura/policy.conf"), str(tmp_path / "jura/policy.conf")))
    return tmp_path


def check_files(files):
    import subprocess
    from conftest import program
    return subprocess.run([program("vigied"), "--config", str(files / "vigie.conf"), "--check"],
                          capture_output=True, text=True, timeout=60)


def test_the_jura_has_no_mistake(files):
    done = check_files(files)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("old, new, marker, word", POLICY_MISTAKES)
def test_a_mistake_in_the_policy_is_told_with_its_line(files, old, new, marker, word):
    path = files / "jura/policy.conf"
    text = spoiled(path.read_text(), old, new)
    path.write_text(text)

    done = check_files(files)

    assert done.returncode == 1
    where = f"{path}:{line_of(text, marker)}:" if marker else "jura/"
    assert any(where in line and word in line for line in done.stderr.splitlines()), done.stderr
    assert not (files / "state").exists()


# out of range is not absent, and the whole range is told
@pytest.mark.parametrize("method, params, path, text", [
    ("report", {"year": 1899}, "year", "a whole number from 1900 to 2170 is expected"),
    ("report", {"year": 10**9}, "year", "a whole number from 1900 to 2170 is expected"),
    ("report", {"year": "2015"}, "year", "a whole number from 1900 to 2170 is expected"),
    ("mail.preview", {"task": 0}, "task", "a whole number from 1 to 4294967295 is expected"),
    ("mail.preview", {}, "task", "missing: the number of a task"),
    ("queue.list", {"limit": 0}, "limit", "a whole number from 1 to 10000 is expected"),
])
def test_a_number_out_of_range_is_told_its_range(unchanged, method, params, path, text):
    with pytest.raises(Refused) as refused:
        unchanged.control(method, params)

    assert (refused.value.data["code"], refused.value.data["path"]) == ("bad_request", path)
    assert refused.value.data["text"] == text
