"""Every mail of every template, as vigiectl writes the samples: read back by Python's mail parser and by
python3-icalendar, checked against what the core told, and read as French. Then `mail preview` itself."""
import datetime
import email
import email.policy
import html.parser
import json
import os
import re
import shutil
import subprocess
import tempfile
import zoneinfo

import icalendar
import pytest
import world
from conftest import ROOT, Core, Refused, program
from sender import Sender

TEMPLATES = ROOT / "config/jura/templates"
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NBSP = "\u00a0"
CONF = """
mail_from = "slime@jura.example";
mail_from_name = "SLIME du Jura – Énergie";
mail_domain = "vigie.jura.example";
mail_templates = "{templates}";
"""


def vigiectl(*arguments, conf="/nowhere/vigie.conf"):
    return subprocess.run([program("vigiectl"), "--config", str(conf), "mail", "preview",
                           *map(str, arguments)], capture_output=True, text=True, timeout=60)


class Words(html.parser.HTMLParser):
    """What a reader sees of HTML; unbalanced tags and whatever loads or runs something are errors."""

    EMPTY = {"br", "meta"}
    ALLOWED = EMPTY | {"html", "head", "title", "style", "body", "div", "p", "strong", "ul", "ol",
                       "li", "a"}

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.style = [], "", ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert tag in self.ALLOWED, tag
        for name, value in attrs:
            assert name in {"lang", "charset", "name", "content", "style", "class", "href"}, name
            assert name != "href" or value.startswith("mailto:"), value
            assert name != "style" or NBSP not in value
        if tag not in self.EMPTY:
            self.open.append(tag)
        elif tag == "br":
            self.seen += "\n"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if "style" in self.open:
            self.style += data
        elif "title" not in self.open:
            self.seen += data


class Mail:
    def __init__(self, name, body, raw):
        self.name, self.body, self.raw = name, body, raw
        self.message = email.message_from_bytes(raw, policy=email.policy.SMTP)
        self.subject = self.message["subject"]
        plain = self.message.get_body(("plain",)).get_content()
        self.text = plain.replace("\r\n", "\n")
        self.html = self.message.get_body(("html",)).get_content()
        self.words = Words(self.html)
        self.to_giver = not (body.get("to_pair") or body.get("to_coordinator"))

    @property
    def shown(self):
        return {"subject": self.subject, "text": self.text, "html": self.words.seen}

    def calendars(self):
        return [part for part in self.message.walk()
                if part.get_content_type() in ("text/calendar", "application/ics")]


def bodies():
    """What the core would tell, by the name of the sample: that is its message id."""
    found = {}
    for template in sorted({path.stem for path in TEMPLATES.glob("*.txt")} - {"layout", "news"}):
        done = vigiectl("--template", template, "--templates", TEMPLATES, "--json")
        assert done.returncode == 0, done.stderr
        for line in done.stdout.splitlines():
            body = json.loads(line)
            found[body["message_id"]] = (template, body)
    return found


@pytest.fixture(scope="module")
def mails(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mails")
    (folder / "vigie.conf").write_text(CONF.format(templates=TEMPLATES))
    done = vigiectl("--all", folder / "all", conf=folder / "vigie.conf")
    assert done.returncode == 0, done.stderr
    told = bodies()
    written = {path.stem for path in (folder / "all").iterdir()}
    assert written == set(told) and len(written) == len(list((folder / "all").glob("*.eml")))
    return [Mail(name, body, (folder / "all" / f"{name}.eml").read_bytes())
            for name, (_, body) in sorted(told.items())]


# no template is without a sample, none is short of one
def test_every_template_has_samples():
    templates = [template for template, _ in bodies().values()]

    assert set(templates) == {path.stem for path in TEMPLATES.glob("*.html")} - {"layout", "news"}
    assert all(templates.count(one) > 1 for one in set(templates) - {"visit_confirmed"}), templates


def test_mail_is_well_formed(mails):
    for mail in mails:
        lines = mail.raw.split(b"\r\n")
        assert b"\n" not in mail.raw.replace(b"\r\n", b""), mail.name
        assert all(len(line) <= 998 and line.isascii() for line in lines), mail.name
        for part in mail.message.walk():
            assert not part.defects, (mail.name, part.defects)
            assert all(not value.defects for value in part.values()), mail.name
            if part.get_content_maintype() == "text":
                assert part.get_content_charset() == "utf-8", mail.name


def test_headers(mails):
    for mail in mails:
        message, body = mail.message, mail.body
        assert message["message-id"] == f"<{body['message_id']}@vigie.jura.example>"
        assert message["auto-submitted"] == "auto-generated"
        assert message["from"].addresses[0].addr_spec == "slime@jura.example"
        assert message["from"].addresses[0].display_name == "SLIME du Jura – Énergie"
        assert message["to"].addresses[0].addr_spec == body["to"]["email"]
        assert message["to"].addresses[0].display_name == body["to"]["name"]
        assert message["reply-to"].addresses[0].addr_spec == body["coordinator"]["email"]
        assert message["date"].datetime == datetime.datetime.fromisoformat("2015-03-02T07:00+00:00")
        assert not {"cc", "bcc", "list-unsubscribe"} & {name.lower() for name in message.keys()}


# what the list of mails shows is short, and says whose mail it is
def test_subject(mails):
    for mail in mails:
        assert mail.subject.startswith("SLIME – "), mail.subject
        assert len(mail.subject) <= 95 and "\n" not in mail.subject, mail.subject
        if "case_number" in mail.body:
            assert f"dossier n°{NBSP}{mail.body['case_number']}" in mail.subject


def read(text):
    """Word for word, without the marks of lists, which HTML has of its own."""
    return re.sub(r"(?m)^(?:-|\d\.) ", "", text).split()


def test_text_and_html_say_the_same(mails):
    for mail in mails:
        assert read(mail.text) == read(mail.words.seen), mail.name


MONTHS = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
          "octobre", "novembre", "décembre"]
DAYS = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]


def french(day, weekday=False):
    day = datetime.date.fromisoformat(day)
    text = f"{day.day}{'er' if day.day == 1 else ''} {MONTHS[day.month - 1]} {day.year}"
    return f"{DAYS[day.weekday()]} {text}" if weekday else text


def monday(day):
    day = datetime.date.fromisoformat(day)
    return (day - datetime.timedelta(days=day.weekday())).isoformat()


def half(word):
    return (f"matin (9{NBSP}h{NBSP}à{NBSP}12{NBSP}h)" if word == "am"
            else f"après-midi (14{NBSP}h{NBSP}à{NBSP}17{NBSP}h)")


def weeks(count):
    return "une semaine" if count == 1 else f"{count}{NBSP}semaines"


def visit_facts(visit, to_pair):
    if to_pair:
        return [french(visit["day"], True), half(visit["half"])]
    return [french(monday(visit["day"]))]


def case_facts(body, to_pair):
    facts = [f"n°{NBSP}{body['case_number']}"]
    facts += [body[name] for name in ("form",) if name in body]
    closed_after = body["template"] == "outcome" and body.get("visit", {}).get("state") == "cancelled"
    if "visit" in body and not closed_after:
        facts += visit_facts(body["visit"], to_pair)
    if to_pair:
        facts.append(body["commune"])
    if "reopens_on" in body:
        facts.append(french(body["reopens_on"]))
    if body.get("wait_weeks") and body["template"] == "ack" and body["state"] != "planned":
        facts.append(weeks(body["wait_weeks"]))
    return facts


# which days of a sector a mail of this template has to tell
SECTOR_DAYS = {"sector_announced": ["from", "to"], "sector_opened": ["from", "to"],
               "sector_closing": ["to", "reopens_on"], "sector_closed": ["reopens_on"],
               "quiet": ["from", "to"]}


def network_facts(body):
    facts = []
    for sector in body.get("sectors", []):
        facts.append(sector["sector_name"])
        facts += [french(sector[name]) for name in SECTOR_DAYS.get(body["template"], [])
                  if name in sector]
        if "outreach" in body["template"] and sector.get("wait_weeks"):
            facts.append(weeks(sector["wait_weeks"]))
    for case in body.get("cases", []):
        facts += [f"n°{NBSP}{case['case_number']}"] + [case[name] for name in ("form",) if name in case]
    if body.get("cases_total", 0) > len(body.get("cases", [])):
        facts.append(f"{body['cases_total'] - len(body['cases'])}{NBSP}autres dossiers")
    results = body.get("results")
    if results and body["template"] not in ("sector_opened", "outreach_suspended",
                                            "outreach_resumed") and not body.get("to_household"):
        for name, one, many in (("visited", "une visite faite", "visites faites"),
                                ("open", "un dossier en attente", "dossiers en attente"),
                                ("closed", "un dossier clos sans visite",
                                 "dossiers clos sans visite")):
            if results[name]:
                facts.append(one if results[name] == 1 else f"{results[name]}{NBSP}{many}")
    return facts


def overtaken(items, at):
    """Said anew later in the same digest."""
    visit = items[at].get("visit")
    return visit and items[at]["template"].startswith("visit_") and any(
        later.get("visit", {}).get("uid") == visit["uid"] for later in items[at + 1:]
        if later["template"].startswith("visit_"))


def other_facts(body):
    to_pair = body.get("to_pair", False)
    facts = []
    for stop in body.get("visits", []):
        facts += [f"n°{NBSP}{stop['case_number']}", stop["commune"],
                  french(stop["day"], True).capitalize(), half(stop["half"])]
    for alarm in body.get("alarms", []):
        facts += alarm.get("about", []) if alarm["alarm"] != "water_cut" else []
        facts += [french(alarm["since"])] if "since" in alarm else []
    for at, item in enumerate(body.get("items", [])):
        if "case_number" in item and not overtaken(body["items"], at):
            facts += case_facts(item, to_pair)
    return facts


def facts_of(body):
    facts = network_facts(body) + other_facts(body)
    if "case_number" in body:
        facts += case_facts(body, body.get("to_pair", False))
    for water in body.get("water", []):
        facts += [str(water.get("case_number", water["household"])), water["supplier"],
                  french(water["on"]), water.get("commune", "")]
    if "instead_of" in body:
        facts.append(body["instead_of"])
    if not body.get("to_coordinator"):
        facts += [body["coordinator"]["email"], body["coordinator"]["name"]]
    return facts


def one_line(text):
    return re.sub("[ \n]+", " ", text)


# every fact that the core tells is in the text and in the HTML
def test_mail_tells_the_facts(mails):
    for mail in mails:
        for fact in facts_of(mail.body):
            assert fact in one_line(mail.text), (mail.name, fact)
            assert fact in one_line(mail.words.seen), (mail.name, fact)


SAYS = {
    "ack": "d’ici 9\u00a0semaines environ", "ack-one-week": "d’ici une semaine environ",
    "ack-soon": "proposée prochainement", "ack-at-once": "proposée prochainement",
    "ack-planned": "déjà en préparation",
    "ack-visited": "un dossier dont la visite a déjà eu lieu",
    "deferred": "nous ne visitons pas ce secteur en ce moment. Les visites y reprennent le 1er",
    "deferred-refused": "la visite se fera à la reprise des visites dans ce secteur. Les visites y",
    "deferred-no-sector": "n’est rattachée à aucun de nos secteurs",
    "deferred-in-line-since": "Le dossier est dans la liste des visites.",
    "deferred-planned-since": "Une visite est déjà en préparation",
    "deferred-visited": "un dossier dont la visite a déjà eu lieu",
    "visit_changed-same-week": "mais reste dans la même semaine, celle du 28 décembre 2015.",
    "visit_changed-no-sector": "sa commune n’est rattachée à aucun de nos secteurs",
    "deferred-no-date": "date de reprise n’est pas encore fixée",
    "visit_changed-cancelled": "une nouvelle date sera proposée",
    "visit_changed-deferred": "à la reprise des visites",
    "visit_changed-closed": "Le dossier est clos.",
    "visit_changed_pair-cancelled": "ne vous y rendez pas",
    "outcome": "La visite a eu lieu", "outcome-second-visit": "Une seconde visite suivra",
    "outcome-closed-withdrawn": "la demande a été retirée",
    "sector_announced": "Secteur Dole\u00a0: les visites reprennent le 1er janvier 2015.",
    "sector_announced-two": "Secteurs Dole et Champagnole\u00a0: les visites reprennent le",
    "sector_announced-other-days": "Dole, Champagnole et Saint-Claude\u00a0: les visites reprennent bientôt.",
    "sector_opened": "Votre dossier reporté est de retour",
    "sector_opened-two": "Vos dossiers reportés sont de retour",
    "sector_opened-to-household": "Secteur Dole\u00a0: les visites reprennent.",
    "sector_closing": "jusqu’au 31 décembre 2015 inclus.",
    "sector_closing-no-date": "date de reprise n’est pas encore fixée",
    "sector_closed": "Votre dossier en attente est reporté",
    "sector_closed-two": "Vos dossiers en attente sont reportés",
    "outreach_suspended-nobody-visits": "Aucune visite ne peut y être proposée",
    "outreach_suspended-two": "Champagnole\u00a0: aucune visite possible en ce moment",
    "week_agenda": "4\u00a0visites", "week_agenda-one": "une visite.",
    "week_agenda-none": "Aucune visite n’est confirmée",
    "coordinator_cut": "aura la première demi-journée libre",
    "coordinator_cut-deferred": "Décidez d’une dérogation",
    "coordinator_cut-needs-contact": "sans accord ni coordonnées",
    "coordinator_water": "ménage n°\u00a045 (coupure du 27 février 2015, Régie des eaux, Tavaux)",
    "coordinator_water-of-a-case": "dossier n°\u00a012 (limitation du 27 février 2015",
    "coordinator_import": "12\u00a0345\u00a0éléments",
    "coordinator_import-small": "un dossier, dont un encore ouvert",
    "coordinator_alarms": "2\u00a0doublons possibles", "coordinator_alarms-none": "rien à regarder",
    "coordinator_alarms-all": "67, 68 et 4\u00a0autres", "digest_coordinator-with-alarms": "À regarder",
    "digest_pair": "annulée\u00a0: ne vous y rendez pas",
}


def test_mail_says_it_as_it_is(mails):
    by_name = {mail.name: mail for mail in mails}
    for name, sentence in SAYS.items():
        assert sentence in one_line(by_name[name].text), (name, sentence)


def check_french(name, text):
    for match in re.finditer("(.)([:;!?»%€])", text):
        before, sign = match.groups()
        assert before == NBSP, (name, sign, text[max(0, match.start() - 30): match.end()])
    for wrong in ("«(?!\u00a0)", "'", "`", r"\.\.\.", r" ,", r" \.", r"\( ", r" \)", r"\.\.", ",,",
                  r"\b[Dd]e (?=[aeiouéè])", r"(?<!-)\b[Ll]e (?=[aeiou])", r"\bsi il", r"n°[^\u00a0]"):
        assert not re.search(wrong, text), (name, wrong)
    assert "{{" not in text and "}}" not in text and "\x01" not in text, name
    # No word of the program's own.
    assert not re.search(r"\b(?:task|case|sector|vigie|vigied|mail|e-mail|null|none|true|false|"
                         r"binome-1|dole|TODO|None)\b", text.replace("@", " @")), name


# correct French: spaces and apostrophes as they should be, no variable left, nobody shouted at
def test_mail_is_correct_french(mails):
    for mail in mails:
        for kind, text in mail.shown.items():
            addresses = re.sub(r"\S+@\S+", "", text)
            check_french((mail.name, kind), addresses)
        assert mail.text.startswith("Bonjour,\n\n"), mail.name


# plain text is laid out for whoever reads it: narrow, no blank where none belongs
def test_plain_text_is_laid_out(mails):
    for mail in mails:
        assert not re.search(r"\n{3,}|[ \t]\n|\S  +\S|\t", mail.text), mail.name
        for line in mail.text.split("\n"):
            assert len(line) <= 74 or " " not in line.strip("- "), (mail.name, line)


# a section that is left out leaves no blank line behind
def test_sections_leave_nothing_behind(mails):
    text = {mail.name: mail.text for mail in mails}

    assert f"Dossier{NBSP}: n°{NBSP}12\nSecteur{NBSP}: Dole\n\n" in text["coordinator_cut"]
    assert f"Dossier{NBSP}: n°{NBSP}12\n\nBien à vous" in text["ack-without-form"]
    assert "\n2. " in text["coordinator_cut-needs-contact"]
    assert not re.search(r"\n\n[23]\. ", text["coordinator_cut"])


# a mail is read on phones, in the dark, and without a connection
def test_html_stands_alone(mails):
    for mail in mails:
        assert 'name="viewport" content="width=device-width' in mail.html
        assert "prefers-color-scheme: dark" in mail.words.style
        assert not re.search(r"url\(|@import|https?:", mail.html), mail.name
        assert NBSP not in mail.words.style
        for match in re.finditer(r"(?:^|[^-])(?:width|min-width): ?(\d+)px", mail.html):
            assert int(match[1]) <= 320, "wider than a phone"


# a giver learns nothing of the household: no commune, no day, no pair
def test_giver_learns_no_day_and_no_place(mails):
    for mail in mails:
        if not mail.to_giver:
            continue
        for kind, text in mail.shown.items():
            for word in [*DAYS, "matin", "après-midi", "Tavaux", "Binôme du Jura", "9\u00a0h"]:
                assert word not in text, (mail.name, kind, word)
            assert not re.search(r"(?i)\bFSL\b|dette|impayé|malad|nourrisson|enfant|revenu|€", text)


# --- calendars ------------------------------------------------------------------------------------------


def expected_events(body):
    """uid → what its entry has to say: of each visit the word with the highest sequence."""
    told = [(item["visit"], item) for item in [body, *body.get("items", [])] if "visit" in item]
    told += [(stop, stop) for stop in body.get("visits", [])]
    events = {}
    for visit, about in told:
        known = events.get(visit["uid"])
        if not known or visit["sequence"] >= known[0]["sequence"]:
            events[visit["uid"]] = (visit, about)
    return events


def method_of(body):
    if "visit" not in body:
        return "PUBLISH"
    return "CANCEL" if body["visit"]["state"] == "cancelled" else "REQUEST"


def check_event(event, visit, about, mail):
    day = datetime.date.fromisoformat(visit["day"])
    hours = (9, 12) if visit["half"] == "am" else (14, 17)
    start, end = (datetime.datetime(day.year, day.month, day.day, hour, tzinfo=PARIS)
                  for hour in hours)
    cancelled = visit.get("state") == "cancelled"
    assert event["SEQUENCE"] == visit["sequence"], mail.name
    assert event["STATUS"] == ("CANCELLED" if cancelled else "CONFIRMED"), mail.name
    assert event["DTSTART"].dt.astimezone(PARIS) == start and event["DTEND"].dt.astimezone(PARIS) == end
    assert event["DTSTART"].params["TZID"] == "Europe/Paris"
    assert event["LOCATION"] == about["commune"]
    assert event["SUMMARY"] == f"Visite, dossier n°{NBSP}{about['case_number']}"
    assert event["CLASS"] == "PRIVATE"
    assert event["ORGANIZER"] == "mailto:slime@jura.example"
    if method_of(mail.body) == "PUBLISH":
        assert "ATTENDEE" not in event, "RFC 5546 3.2.1"
    else:
        assert event["ATTENDEE"] == "mailto:" + mail.body["to"]["email"]


def test_calendar_holds_the_pairs_visits(mails):
    for mail in mails:
        events = expected_events(mail.body) if mail.body.get("to_pair") else {}
        parts = mail.calendars()
        method = method_of(mail.body)
        assert len(parts) == (0 if not events else 1 if method == "PUBLISH" else 2), mail.name
        for part in parts:
            raw = part.get_payload(decode=True)
            calendar = icalendar.Calendar.from_ical(raw)
            assert raw.endswith(b"\r\n") and all(len(line) <= 75 for line in raw.split(b"\r\n"))
            assert calendar["METHOD"] == method and calendar["VERSION"] == "2.0"
            assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Paris"]
            found = {event["UID"]: event for event in calendar.walk("VEVENT")}
            assert len(found) == len(calendar.walk("VEVENT"))
            assert set(found) == {f"{uid}@vigie.jura.example" for uid in events}, mail.name
            for uid, (visit, about) in events.items():
                check_event(found[f"{uid}@vigie.jura.example"], visit, about, mail)


# an invitation can be answered where it is read; many visits are a file, which leaves the text to be seen
def test_calendar_stands_where_readers_look(mails):
    for mail in mails:
        parts = mail.calendars()
        if not parts:
            assert mail.message.get_content_type() == "multipart/alternative"
            continue
        method = method_of(mail.body)
        alternative = [part.get_content_type() for part in mail.message.get_payload()[0].get_payload()]
        assert alternative == ["text/plain", "text/html"] + ["text/calendar"] * (method != "PUBLISH")
        file = mail.message.get_payload()[1]
        assert file.get_content_disposition() == "attachment"
        assert file.get_filename() == ("visites.ics" if method == "PUBLISH" else "visite.ics")
        shown = [part for part in parts if part.get_content_type() == "text/calendar"]
        assert [part.get_param("method") for part in shown] == [method]


# --- the command ----------------------------------------------------------------------------------------


def test_samples_of_one_template_need_no_core(tmp_path):
    done = vigiectl("--template", "ack", "--templates", TEMPLATES)

    assert done.returncode == 0, done.stderr
    assert "Subject  SLIME – dossier n°\u00a012\u00a0: signalement bien reçu" in done.stdout
    assert "d’ici une semaine environ" in done.stdout and "déjà en préparation" in done.stdout
    assert "To       Zoé Œuvrard <zoe.oeuvrard@exemple.test>" in done.stdout


def test_one_sample_and_its_html(tmp_path):
    page = tmp_path / "page.html"

    done = vigiectl("--template", "ack-one-week", "--templates", TEMPLATES, "--html", page)

    assert done.returncode == 0 and done.stdout.count("Subject ") == 1
    assert "d’ici <strong>une semaine</strong> environ" in page.read_text()


def test_html_of_a_template_is_of_the_sample_of_its_name(tmp_path):
    page = tmp_path / "page.html"
    named = {line for line in vigiectl("--template", "akc", "--templates",
                                       TEMPLATES).stderr.split(": ")[-1].split()}

    for name in named:
        done = vigiectl("--template", name, "--templates", TEMPLATES, "--html", page)

        assert done.returncode == 0 and done.stdout.startswith(f"{name}\n"), done.stderr
        assert done.stdout.count("Subject ") == 1 and page.read_text()
        page.unlink()
    assert len(named) > 10


@pytest.mark.parametrize("arguments, status, says", [
    ([], 2, "TASK, --template or --all is expected"),
    (["7", "--template", "ack"], 2, "TASK, --template or --all is expected"),
    (["--all", "out", "--html", "x"], 2, "--html is for one mail"),
    (["--template", "akc", "--templates", TEMPLATES], 2, "no such template; there are: ack deferred"),
    (["--template", "ack"], 2, "/nowhere/vigie.conf"),
    (["--template", "ack", "--templates", "/nowhere"], 1, "/nowhere/ack.subject"),
    (["--template", "ack-one-week", "--templates", TEMPLATES, "--html", "/nowhere/x"], 1,
     "/nowhere/x: No such file"),
    (["--all", "/nowhere/out", "--templates", TEMPLATES], 1, "/nowhere/out"),
])
def test_misuse_is_told(arguments, status, says):
    done = vigiectl(*arguments)

    assert done.returncode == status and says in done.stderr, done.stderr


def text_of(stdout):
    """What is shown of one mail, without the head."""
    return stdout.split("\n\n", 1)[1].strip()


@pytest.fixture(scope="module")
def town():
    """A small world, and a mail that waits for a giver nobody has registered."""
    folder = tempfile.mkdtemp(prefix="vigie-", dir="/tmp")
    core = Core(folder, rehearse=world.DAY, workers=("vigie-notify", "vigie-schedule"))
    try:
        world.populate(core)
        with Sender(core.intake) as sender:
            held = world.referral("H-4", "F9", time="2015-03-03T11:00:00Z", giver="NOBODY")
            assert "seq" in sender.publish([held])[0]
        yield core
    finally:
        core.close()
        shutil.rmtree(folder, ignore_errors=True)


def tasks(core, **wanted):
    listed = core.status("task.list", {"limit": 1000})["tasks"]
    return [task for task in listed if all(task[name] == value for name, value in wanted.items())]


# what is shown of a mail that has gone out is what arrived, when nothing has changed since
def test_preview_of_a_task_is_what_arrived(town):
    task = tasks(town, template="deferred", state="done")[0]["task"]
    body = town.control("mail.preview", {"task": task})["body"]
    (path,) = [path for path in (town.folder / "Maildir/new").iterdir()
               if body["message_id"] in path.read_text()]
    arrived = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)

    done = town.run("vigiectl", "mail", "preview", str(task))

    assert done.returncode == 0, done.stderr
    assert text_of(done.stdout) == arrived.get_body(
        ("plain",)).get_content().replace("\r\n", "\n").strip()
    assert f"Subject  {arrived['subject']}" in done.stdout


def test_preview_is_a_look_and_logged(town):
    task = tasks(town, template="ack", state="done")[0]["task"]
    town.control("mail.preview", {"task": task})

    log = (town.folder / "state/access.log").read_text()

    assert log.endswith(f" uid={os.getuid()} mail.preview task={task}\n"), log[-200:]
    assert "@" not in log


def test_preview_that_cannot_be_is_refused(town):
    plan = tasks(town, kind="plan")[0]["task"]
    held = tasks(town, state="held")[0]["task"]
    for params, code, says in [
        ({"task": plan}, "not_found", "this task is no mail"),
        ({"task": 4000000}, "not_found", "no task has this number"),
        ({"task": held}, "not_found", "no address"),
        ({}, "bad_request", "missing"),
        ({"task": "1"}, "bad_request", "whole number"),
        ({"task": 1, "html": "x"}, "bad_request", ""),
    ]:
        with pytest.raises(Refused) as refused:
            town.control("mail.preview", params)
        assert refused.value.data["code"] == code and says in refused.value.data["text"], params
    with pytest.raises(Refused) as refused:
        town.status("mail.preview", {"task": 1})
    assert refused.value.data["code"] == "unsupported"


# a department's own words are looked at before they are used
def test_own_templates_are_shown(tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(TEMPLATES, folder)
    (folder / "ack.txt").write_text("Coucou {{to_name}}, dossier {{case}}.\n")

    done = vigiectl("--template", "ack-soon", "--templates", folder)

    assert done.returncode == 0 and "Coucou Zoé Œuvrard, dossier 12." in done.stdout


def test_a_subject_is_its_first_line_with_words(tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(TEMPLATES, folder)
    (folder / "ack.subject").write_text("{{! of our own }}\n\n  Dossier {{case}}\n\n")

    done = vigiectl("--template", "ack-soon", "--templates", folder)

    assert done.returncode == 0 and "\nSubject  Dossier 12\n" in done.stdout, done.stdout
