"""vigie-notify against a core made of Python: what its mails say, that each leaves once, what it
answers, and how it lives through restarts. SMTP is in test_smtp.py. Needs: VIGIE_BUILD (default
`build`)."""
import email
import email.policy
import itertools
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from notify_bench import BUILD, NOTIFY, TEMPLATES, Bench

VIGIECTL = BUILD / "tools/vigiectl/vigiectl"
NOTHING = BUILD / "workers/nothing/vigie-nothing"


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


COORDINATOR = dict(id="coordinator", name="Hélène Bouvier", email="helene.bouvier@jura.example")
GIVER = dict(id="giver-017", name="Zoë Œuvrard", email="zoe@ccas-dole.example")
PAIR = dict(id="pair-1", name="Binôme Nord", email="binome.nord@jura.example")
DATE = "2015-03-02T07:00:00Z"


def mail(template, number=1, **more):
    body = dict(template=template, message_id=f"e{number}.{template}.giver-017", date=DATE,
                to=GIVER, coordinator=COORDINATOR, case_number=12, form="F-2015-031", sector="dole",
                sector_name="Dole", commune="Tavaux", state="waiting")
    body.update(more)
    return {name: value for name, value in body.items() if value is not None}


def read_mail(path):
    raw = path.read_bytes()
    assert b"\n" not in raw.replace(b"\r\n", b""), "bare line feeds"
    assert all(len(line) <= 998 and line.isascii() for line in raw.split(b"\r\n"))
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    for part in message.walk():
        assert not part.defects, part.defects
        for name, value in part.items():
            assert not value.defects, (name, value.defects)
    return message


def preview(bench, *arguments):
    """The samples of all templates, as vigiectl shows them with the bench's configuration."""
    command = [VIGIECTL, "--config", bench.folder / "vigie.conf", "mail", "preview", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# what test_mails.py finds of the samples holds for every mail that goes out
def test_mail_goes_out_as_vigiectl_shows_it(bench):
    preview(bench, "--all", bench.folder / "shown")
    names = sorted({path.stem for path in TEMPLATES.glob("*.txt")} - {"layout", "news"})
    bodies = [json.loads(line) for name in names
              for line in preview(bench, "--template", name, "--json").splitlines()]
    bench.start()

    for number, body in enumerate(bodies, 1):
        assert bench.core.run(number, number, body)[0] == "done", body["message_id"]

    sent = {path.name: path.read_bytes() for path in bench.mails()}
    assert len(sent) == len(bodies) > 70
    for name, raw in sent.items():
        assert raw == (bench.folder / "shown" / f"{name}.eml").read_bytes(), name


# a body may say more than a giver should read: the templates for givers have no name for it
def test_giver_reads_no_more_than_it_may(bench):
    visit = dict(visit=7, uid="visit-7", sequence=0, day="2015-03-10", half="am", state="confirmed",
                 pair="pair-1", pair_name="Binôme Nord")
    bench.start()

    method, _ = bench.core.run(1, 11, mail("visit_confirmed", state="planned", visit=visit))

    assert method == "done"
    (path,) = bench.mails()
    message = read_mail(path)
    shown = message["subject"] + "".join(part.get_content() for part in message.walk()
                                         if part.get_content_maintype() == "text")
    assert "semaine du 9 mars 2015" in shown
    for word in ["Tavaux", "mardi", "10 mars", "matin", "Binôme", "pair-1", "visit-7", "BEGIN:"]:
        assert word not in shown, word


def test_ready_names_kind_and_slots(bench):
    ready = bench.start()

    assert ready["kinds"] == ["mail"] and ready["slots"] == 4
    assert ready["name"] == "notify" and ready["version"]
    assert not ready.get("leases")


def test_task_is_started_before_it_is_done(bench):
    bench.start()

    bench.core.give(1, 11, mail("ack"))

    assert bench.core.expect("start", "done") == {"id": 1, "token": 11}
    assert bench.core.expect("start", "done") == {"id": 1, "token": 11}


def test_same_task_under_another_token_sends_once(bench):
    bench.start()

    first, _ = bench.core.run(1, 11, mail("ack"))
    second, _ = bench.core.run(1, 12, mail("ack"))

    assert (first, second) == ("done", "done")
    assert len(bench.mails()) == 1


def test_mail_that_was_read_meanwhile_is_not_put_there_again(bench):
    bench.start()
    bench.core.run(1, 11, mail("ack"))
    (path,) = bench.mails()
    path.rename(bench.maildir / "cur" / (path.name + ":2,S"))
    bench.kill()
    shutil.rmtree(bench.folder / "sent")

    bench.start()
    method, _ = bench.core.run(1, 12, mail("ack"))

    assert method == "done" and not bench.mails()


def test_killed_worker_sends_each_mail_once(bench):
    numbers = itertools.count()
    for round in range(12):
        bench.start()
        for number in range(40):
            bench.core.give(number + 1, 1000 * round + number + 1, mail("ack", number))
        for _ in range(3 * round):
            bench.core.request("done")
        bench.kill()
        next(numbers)

    bench.start()
    for number in range(40):
        assert bench.core.run(number + 1, 99000 + number, mail("ack", number))[0] == "done"

    ids = [read_mail(path)["message-id"] for path in bench.mails()]
    assert len(ids) == len(set(ids)) == 40


def test_intent_without_outcome_is_sent_again_and_noted(bench):
    (bench.folder / "sent").mkdir()
    now = int(time.time())
    log = bench.folder / "sent/sent.log"
    log.write_text(
        f"{now - 40 * 86400} delivered old.mail\n"
        f"{now - 60} intent e1.ack.giver-017\n"
        f"{now - 60} delivered e2.ack.giver-017\n"
        f"{now - 60} delivered e3.ack."
    )
    bench.start()

    answers = [bench.core.run(number, number, mail("ack", number))[0] for number in (1, 2, 3)]

    assert answers == ["done"] * 3
    sent = sorted(read_mail(path)["message-id"].split(".")[0] for path in bench.mails())
    assert sent == ["<e1", "<e3"]
    assert bench.journal("e1.ack.giver-017") == ["ambiguous", "intent", "copied"]
    assert bench.journal("e3.ack.giver-017") == ["intent", "delivered"]
    assert not bench.journal("old.mail")


def test_second_worker_on_one_sent_journal_is_refused(bench):
    bench.start()

    second = subprocess.run([NOTIFY, "-c", bench.folder / "vigie.conf"], capture_output=True,
                            text=True)

    assert second.returncode == 1
    assert f"vigie.conf:8: mail_journal: {bench.folder}/sent is in use by another" in second.stderr


def test_answer_is_kept_until_the_core_is_back(bench):
    bench.start()
    bench.core.give(1, 11, mail("ack"))
    assert bench.core.request("done")[3][0]["token"] == 11
    bench.core.close()  # before it has confirmed
    bench.core.listen()

    ready = bench.core.accept()
    again = bench.core.expect("done")

    assert ready["leases"] == [{"id": 1, "token": 11}]
    assert again["id"] == 1 and again["token"] == 11
    bench.core.hang_up()
    assert not bench.core.accept().get("leases")


def test_answer_refused_for_now_is_repeated(bench):
    bench.start()
    bench.core.give(1, 11, mail("ack"))
    frame = bench.core.request("done")
    error = dict(code="storage_full", path="", text="no room")

    bench.core.send([1, frame[1], error, None])

    assert bench.core.expect("done")["token"] == 11


def test_stale_lease_is_let_go(bench):
    bench.start()
    bench.core.give(1, 11, mail("ack"))
    frame = bench.core.request("done")

    bench.core.send([1, frame[1], dict(code="stale_lease", path="", text="given on"), None])

    assert bench.core.run(2, 12, mail("ack", 2))[0] == "done"
    bench.core.hang_up()
    assert not bench.core.accept().get("leases")


def test_heartbeats_come_and_silence_ends_the_connection(bench):
    bench.start()
    began = time.monotonic()

    beats = 0
    with pytest.raises(ConnectionError):
        while time.monotonic() - began < 30:
            beats += bench.core.read(timeout=25)[:2] == [2, "heartbeat"]

    assert beats == 2 and 14 <= time.monotonic() - began <= 21
    bench.core.hang_up()
    bench.core.accept()


def test_core_that_beats_keeps_the_worker(bench):
    bench.start()
    began = time.monotonic()

    while time.monotonic() - began < 22:
        bench.core.send([2, "heartbeat", []])
        try:
            bench.core.read(timeout=2)
        except TimeoutError:
            pass

    assert bench.core.run(1, 1, mail("ack"))[0] == "done"


def test_unreadable_body_is_refused_for_good(bench):
    bench.start()
    wrong = [mail("ack", state="unknown"), mail("ack", message_id="../../escaped"),
             mail("ack", to=dict(GIVER, email="a@b\r\nBcc: all@example.org")),
             mail("ack", to=PAIR, to_pair=True), {}, b"\xdd\x04\x00\x00\x00"]

    for number, body in enumerate(wrong, 1):
        method, answer = bench.core.run(number, number, body)

        assert method == "failed" and answer["class"] == "never"
        assert answer["code"] == {3: "bad_address", 4: "no_template"}.get(number, "bad_body")
    assert not bench.mails()


def test_stop_ends_quietly(bench):
    bench.start()
    bench.core.run(1, 1, mail("ack"))

    bench.stop()


WRONG_TEMPLATES = [
    # names
    ("ack.txt", "Bonjour,\n\n  à {{nom}}\n", ['ack.txt:3:5: "nom": no such name']),
    ("ack.txt", "à {{commune}}\n", ['ack.txt:1:3: "commune": is for the mails to a pair only']),
    ("ack.subject", "{{#day}}x{{/day}}", ['ack.subject:1:1: "day": is for the mails to a pair']),
    ("outcome.txt", "{{content}}", ['outcome.txt:1:1: "content": is for the layout only']),
    ("layout.html", "{{{content}}}{{hours}}", ['layout.html:1:14: "hours": is for the mails to']),
    ("visit_changed_pair.txt", "{{subject}}", ['pair.txt:1:1: "subject": is for the layout only']),
    ("ack.txt", "{{}}", ['ack.txt:1:1: "": no such name']),
    ("ack.txt", "{{alarm_count}}", ['ack.txt:1:1: "alarm_count": is for the coordinator\'s mails']),
    # names of lists
    ("digest.txt", "{{#news_visits}}{{commune}}{{/news_visits}}",
     ['digest.txt:1:17: "commune": is for the mails to a pair only']),
    ("sector_closed.txt", "{{#cases}}\n{{form}}\n{{/cases}}\n\n{{closes_on}} {{more_cases}}\n{{half}}",
     ['sector_closed.txt:6:1: "half": is for the mails to a pair only']),
    ("week_agenda.txt", "{{#days}}{{day}}{{#stops}}{{case}}{{/stops}}\n{{hours}}{{#stops}}\n"
     "{{agenda_week}}{{/stops}}{{/days}}{{^stops}}{{/stops}}",
     ['week_agenda.txt:3:35: "stops": says nothing here; must stand inside {{#days}}']),
    ("week_agenda.txt", "{{^days}}{{#any_stops}}{{/any_stops}}{{/days}}",
     ['week_agenda.txt:1:10: "any_stops": says nothing here; must stand inside {{#days}}']),
    ("week_agenda.txt", "{{#any_days}}{{#stops}}{{/stops}}{{/any_days}}",
     ['week_agenda.txt:1:14: "stops": says nothing here; must stand inside {{#days}}']),
    ("coordinator_alarms.txt", "{{#alarms}}{{remedy}}{{/alarms}}\n{{about}}",
     ['alarms.txt:2:1: "about": says nothing here; must stand inside {{#alarms}}']),
    ("digest.txt", "{{quiet}}", ['digest.txt:1:1: "quiet": says nothing here; must stand inside '
                                 '{{#news_visits}} or {{#news_referrals}} or {{#news_outcomes}}']),
    ("ack.txt", "{{ {case} }}", ['ack.txt:1:1: "{case}": no such name']),
    # sections
    ("deferred.html", "<p>\n\nété{{#closed}}</p>",
     ['deferred.html:3:4: the section "closed" is not closed']),
    ("deferred.html", "{{/closed}}", ['deferred.html:1:1: "closed" is closed and not open here']),
    ("deferred.html", "{{#closed}}{{#planned}}{{/closed}}{{/planned}}",
     ['deferred.html:1:12: the section "planned" is not closed',
      'deferred.html:1:35: "planned" is closed and not open here']),
    ("deferred.txt", "{{^closed}}a\n{{/ closed }}{{#wait}}", ['deferred.txt:2:14: the section "w']),
    ("deferred.txt", "{{#case}}" * 16 + "{{^case}}",
     ["deferred.txt:1:145: more than 16 sections inside one another"]),
    # tags
    ("ack.txt", "a {{case", ["ack.txt:1:3: a tag without its end; must be closed by }}"]),
    ("ack.txt", "{{case {{form}}", ["ack.txt:1:1: a tag without its end; must be closed by }}"]),
    ("ack.txt", "{{{case}} x", ["ack.txt:1:1: a tag without its end; must be closed by }}}"]),
    ("ack.txt", "{{", ["ack.txt:1:1: a tag without its end"]),
    ("outcome.subject", "{{> other}}", ["outcome.subject:1:1: neither partials nor other"]),
    ("outcome.subject", "{{=<% %>=}}", ["outcome.subject:1:1: neither partials nor other"]),
    # what becomes markup
    ("ack.html", "<p>{{{to_name}}}", ["ack.html:1:4: would put what others wrote into the page"]),
    ("ack.html", "<p>{{& form }}", ["ack.html:1:4: would put what others wrote into the page"]),
    ("layout.html", "{{content}}", ["layout.html:1:1: its markup would be shown; must be {{{content"]),
    ("digest.html", "{{news}}", ["digest.html:1:1: its markup would be shown; must be {{{news}}}"]),
    ("news.txt", "{{{news}}}", ['news.txt:1:1: "news": is what this file says itself']),
    ("news.html", "{{#news_visits}}{{commune}}{{/news_visits}}",
     ['news.html:1:17: "commune": is for the mails to a pair only']),
    ("layout.txt", "Bonjour", ["layout.txt:1:1: {{{content}}} stands nowhere"]),
    # the file itself
    ("news.html", None, ["news.html:1:1: cannot be read: No such file"]),
    ("layout.html", None, ["layout.html:1:1: cannot be read: No such file"]),
    ("ack.txt", "", ["ack.txt:1:1: the file is empty"]),
    ("ack.txt", "Bonjour\n{{case}} \u00e0 Dole".encode("latin-1"),
     ["ack.txt:2:10: no UTF-8 from here on (byte 0xe0)"]),
    ("ack.txt", b"ab\xc3", ["ack.txt:1:3: no UTF-8 from here on (byte 0xc3)"]),
    ("ack.txt", b"\xef\xbb\xbfBonjour", ["ack.txt:1:1: begins with a byte order mark"]),
    ("ack.txt", b"a\nb\0c\x1bd", ["ack.txt:2:2: a control character (byte 0x00)",
                                 "ack.txt:2:4: a control character (byte 0x1b)"]),
    # all at once
    ("ack.txt", "{{a}}\n{{b}}{{#c}}\n{{/d}}{{e",
     ['ack.txt:1:1: "a"', 'ack.txt:2:1: "b"', 'ack.txt:2:6: "c": no', 'ack.txt:3:1: "d" is closed',
      "ack.txt:3:7: a tag without", 'ack.txt:2:6: the section "c"']),
]


def own_templates(bench):
    """A copy of the templates that a test may spoil."""
    folder = bench.folder / "templates"
    shutil.copytree(TEMPLATES, folder)
    bench.config(mail_templates=str(folder))
    return folder


def spoil(folder, file, content):
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("file, content, complaints", WRONG_TEMPLATES)
def test_wrong_template_is_told_where_it_is_wrong(bench, file, content, complaints):
    folder = own_templates(bench)
    spoil(folder, file, content)

    status, told = bench.check()

    assert status == 1
    lines = told.splitlines()
    assert len(lines) == len(complaints)
    for line, complaint in zip(lines, complaints):
        assert line.startswith(str(folder)) and complaint in line


@pytest.mark.parametrize("file, content, sample", [
    ("ack.txt", "{{#wait}}Dans {{wait}}.{{/wait}}\n", "ack-soon"),
    ("digest.subject", "{{#any_cases}}Vos dossiers{{/any_cases}}", "digest-all"),
])
def test_template_without_words_is_told(bench, file, content, sample):
    folder = own_templates(bench)
    spoil(folder, file, content)

    status, told = bench.check()

    assert status == 1
    assert f"{folder}/{file}:1:1: says nothing in the sample {sample}\n" in told


@pytest.mark.parametrize("content, line", [
    ("Un sujet\net sa suite\n", 2), ("\nUn sujet\n\nn° {{case}}", 4), ("{{! rien }}\nUn\r\nsujet", 2),
])
def test_subject_of_more_than_a_line_is_told(bench, content, line):
    folder = own_templates(bench)
    spoil(folder, "ack.subject", content)

    status, told = bench.check()

    assert status == 1
    assert f"{folder}/ack.subject:{line}:1: a subject is one line" in told


def test_subject_with_lines_that_say_nothing_is_taken(bench):
    folder = own_templates(bench)
    spoil(folder, "ack.subject", "{{#case}}\nDossier {{case}}\n{{/case}}\n\n")

    assert bench.check() == (0, "")


def test_template_that_is_no_file_is_told_and_not_waited_for(bench):
    folder = own_templates(bench)
    for name, make in (("ack.txt", os.mkfifo), ("outcome.html", os.mkdir)):
        (folder / name).unlink()
        make(folder / name)

    status, told = bench.check()

    assert status == 1
    assert [line.split(":1:1: ")[1] for line in told.splitlines()] == [
        "cannot be read: it is no regular file"] * 2


def test_template_may_be_as_large_as_the_limit_and_no_larger(bench):
    folder = own_templates(bench)
    spoil(folder, "ack.html", "x" * 262144)
    assert bench.check() == (0, "")

    spoil(folder, "ack.html", "x" * 262145)

    status, told = bench.check()
    assert status == 1
    assert told == f"{folder}/ack.html:1:1: is too large; at most 262144 bytes\n"


def test_mistakes_of_all_templates_are_told_at_once_and_nothing_starts(bench):
    folder = own_templates(bench)
    for file in ("ack.txt", "ack.html", "outcome.subject", "layout.txt"):
        spoil(folder, file, "{{wrong}}{{{content}}}" if "layout" in file else "{{wrong}}")
    spoil(folder, "deferred.txt", None)

    status, told = bench.check()
    run = subprocess.run([NOTIFY, "-c", bench.folder / "vigie.conf"], capture_output=True,
                         text=True)

    assert status == run.returncode == 1 and told == run.stderr
    assert len(told.splitlines()) == 5
    for file in ("ack.txt", "ack.html", "outcome.subject", "layout.txt"):
        assert f'{file}:1:1: "wrong": no such name' in told


def test_good_templates_are_told_nothing_of(bench):
    assert bench.check() == (0, "")


def test_names_that_templates_may_use_are_told(bench):
    run = subprocess.run([NOTIFY, "--names"], capture_output=True, text=True, check=True)

    names = [re.fullmatch(r"(\w+) +(\w+) +.+ \(in: (.+)\)", line).groups()
             for line in run.stdout.splitlines()]
    assert {("case", "all"), ("commune", "pair"), ("content", "layout"), ("stops", "pair"),
            ("any_alarms", "coordinator")} < {name[:2] for name in names}
    folder = own_templates(bench)
    for file, own in (("ack.txt", "all"), ("week_agenda.txt", "pair"),
                      ("coordinator_alarms.txt", "coordinator")):
        spoil(folder, file, "Bonjour" + "".join(
            written(name, place) for name, readers, places in names if readers in ("all", own)
            for place in places.split() if own == "pair" or place != "stops"))
    assert bench.check() == (0, "")


def written(name, place):
    """A name in a template, at its place: the mail itself, or the list's section."""
    if place == "mail":
        return f"{{{{{name}}}}}"
    inside = f"{{{{#{place}}}}}{{{{{name}}}}}{{{{/{place}}}}}"
    return f"{{{{#days}}}}{inside}{{{{/days}}}}" if place == "stops" else inside


def test_template_written_elsewhere_ends_its_lines_as_ours(bench):
    folder = own_templates(bench)
    path = folder / "ack.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    bench.start()

    bench.core.run(1, 1, mail("ack"))

    (path,) = bench.mails()
    parts = {part.get_content_type(): part for part in read_mail(path).walk()}
    text = parts["text/plain"].get_payload(decode=True)
    assert b"\r" not in text.replace(b"\r\n", b"") and b"\r\r" not in text


def test_html_is_escaped_and_text_is_not(bench):
    bench.start()

    bench.core.run(1, 1, mail("ack", form="<b>&1"))

    (path,) = bench.mails()
    parts = {part.get_content_type(): part for part in read_mail(path).walk()}
    assert "<b>&1" in parts["text/plain"].get_content()
    assert "&lt;b&gt;&amp;1" in parts["text/html"].get_content()


def test_nothing_is_done_at_once(bench):
    bench.process = subprocess.Popen([NOTHING, "--socket", bench.folder / "worker.sock"])
    ready = bench.core.accept()
    assert ready["kinds"] == ["nothing"] and ready["slots"] == 64

    for task in range(1, 200):
        assert bench.core.run(task, task, {}, kind="nothing") == (
            "done", {"id": task, "token": task})
