"""vigie-notify and mail servers: encryption, login, what each refusal becomes, and that a mail leaves
once. Exim is the reality; for exact moments there is a server that follows a script. Needs:
VIGIE_BUILD (default `build`), Exim and root for its part."""
import datetime
import email
import email.policy
import itertools
import os
import re
import shutil
import subprocess

import pytest

from conftest import CONF, wait_for
from mail_servers import (DROP, EXIM, HANG, PATIENCE_S, Exim, Hold, Script, free_port,
                          make_certificates)
from notify_bench import BUILD, NOTIFY, TEMPLATES, Bench, letter
from sender import Sender, event

PASSWORD = "s3cret é"
DIE_AT = BUILD / "tests/die_at.so"

def outcome(answer):
    """("done", None), or the class and code of a failure; a failure names nobody."""
    method, told = answer
    assert "zoe" not in str(told) and "localhost" not in str(told)
    return ("done", None) if method == "done" else (told["class"], told["code"])


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()
    print(made.log())


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture
def exim(certificates):
    """Starts an Exim as a test wants it."""
    if not EXIM or os.getuid() != 0:
        pytest.skip("needs Exim, as root")
    started = []

    def start(**options):
        started.append(Exim(certificates, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def script():
    """Starts a server that follows a script."""
    started = []

    def start(**answers):
        started.append(Script(**answers))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    return path


def configure(bench, server, **options):
    settings = dict(mail_delivery="smtp", smtp_host="localhost", smtp_port=server.port,
                    smtp_security="none", smtp_timeout=PATIENCE_S)
    bench.config(**{**settings, **options})


def use(bench, server, **options):
    """Starts the worker with `server` to send to."""
    configure(bench, server, **options)
    bench.start()


def secure(certificates, security="starttls"):
    return dict(smtp_security=security, smtp_ca_file=str(certificates / "ca.pem"))


def login(password_file, user="vigie"):
    return dict(smtp_user=user, smtp_password_file=str(password_file))


def read(path):
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def message_ids(paths):
    return [read(path)["message-id"].strip("<>").split("@")[0] for path in paths]


# The real server.


def test_exim_takes_some_now_some_later_and_some_never(bench, exim):
    server = exim()
    use(bench, server)

    answers = [outcome(bench.core.run(number, number, letter(number, local)))
               for number, local in enumerate(["zoe", "plustard1", "refus1", "contenu1"], 1)]

    assert answers == [("done", None), ("later", "recipient_later"),
                       ("never", "recipient_refused"), ("never", "content_refused")]
    (path,) = server.mails(1)
    assert message_ids([path]) == ["e1.ack.giver-017"]
    assert "Le signalement est bien enregistré" in read(path).get_body(("plain",)).get_content()
    # What was refused before it could be the server's left no trace.
    assert bench.journal("e1.ack.giver-017") == ["intent", "delivered"]
    assert bench.journal("e2.ack.giver-017") == bench.journal("e3.ack.giver-017") == []
    assert bench.journal("e4.ack.giver-017") == ["intent", "never"]


def test_exim_that_takes_no_mail_from_us_marks_no_recipient(bench, exim):
    use(bench, exim(), mail_from="banni@jura.example")

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "sender_refused")


def test_greylisted_mail_is_taken_when_it_comes_again(bench, exim):
    server = exim()
    use(bench, server)

    first = outcome(bench.core.run(1, 1, letter(local="gris")))
    second = outcome(bench.core.run(1, 2, letter(local="gris"), attempt=2))

    assert (first, second) == (("later", "recipient_later"), ("done", None))
    assert len(server.mails(1)) == 1
    assert bench.journal() == ["intent", "delivered"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_mail_goes_encrypted_and_logged_in(bench, exim, certificates, password_file, security,
                                           host):
    server = exim(certificate="good", security=security, login=True)
    use(bench, server, smtp_host=host, **secure(certificates, security), **login(password_file))

    assert outcome(bench.core.run(1, 1, letter())) == ("done", None)

    (line,) = [line for line in server.log().splitlines() if " <= " in line]
    assert "X=TLS1" in line and "A=plain:vigie" in line or "A=plain" in line


@pytest.mark.parametrize("certificate", ["wrong_host", "expired", "self_signed"])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_certificate_that_does_not_hold_ends_it(bench, exim, certificates, password_file,
                                                certificate, security):
    server = exim(certificate=certificate, security=security, login=True)
    use(bench, server, **secure(certificates, security), **login(password_file))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "certificate_refused")

    assert not server.mails() and "code=certificate_refused" in bench.log()


def test_authority_nobody_named_is_not_trusted(bench, exim, certificates):
    use(bench, exim(certificate="good", security="starttls"), smtp_security="starttls")

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "certificate_refused")


def test_server_without_starttls_gets_nothing(bench, exim, certificates, password_file):
    server = exim(login=True)
    use(bench, server, **secure(certificates), **login(password_file))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "tls_not_offered")

    assert not server.mails() and "code=tls_not_offered" in bench.log()


def test_tls_to_a_server_in_clear_fails(bench, exim, certificates):
    use(bench, exim(), **secure(certificates, "tls"))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "tls_failed")


def test_wrong_password_is_an_operators_matter(bench, exim, certificates, password_file):
    server = exim(certificate="good", security="starttls", login=True)
    password_file.write_text("another\n")
    use(bench, server, **secure(certificates), **login(password_file))

    refused = outcome(bench.core.run(1, 1, letter()))
    password_file.write_text(PASSWORD + "\r\n")
    again = outcome(bench.core.run(1, 2, letter(), attempt=2))

    assert (refused, again) == (("limited", "login_refused"), ("done", None))
    assert "another" not in bench.log() and len(server.mails(1)) == 1


def test_server_without_login_gets_no_mail_when_one_is_set(bench, exim, certificates,
                                                           password_file):
    server = exim(certificate="good", security="starttls")
    use(bench, server, **secure(certificates), **login(password_file))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "login_not_offered")

    assert not server.mails()


def test_server_that_wants_a_login_marks_no_recipient(bench, exim, certificates):
    use(bench, exim(certificate="good", security="starttls", login=True), **secure(certificates))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "relay_refused")


@pytest.mark.parametrize("spoil", [
    lambda path: path.unlink(),
    lambda path: path.chmod(0o604),
    lambda path: path.write_text("\n"),
])
def test_password_file_spoiled_while_running_sends_nothing(bench, script, password_file, spoil):
    server = script(EHLO=b"250 AUTH PLAIN")
    use(bench, server, **login(password_file))
    spoil(password_file)

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "password_file")

    assert not server.heard


# A server that follows a script.


def test_password_stays_home_when_the_certificate_does_not_hold(bench, script, certificates,
                                                                password_file):
    server = script(certificate=certificates / "expired", EHLO=[b"250 STARTTLS", b"250 AUTH PLAIN"])
    use(bench, server, **secure(certificates), **login(password_file))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "certificate_refused")

    assert server.commands() == ["EHLO", "STARTTLS"]


def test_login_offered_only_before_encryption_counts_for_nothing(bench, script, certificates,
                                                                 password_file):
    server = script(certificate=certificates / "good",
                    EHLO=[b"250-AUTH PLAIN\r\n250 STARTTLS", b"250 localhost"])
    use(bench, server, **secure(certificates), **login(password_file))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "login_not_offered")

    assert server.commands()[:3] == ["EHLO", "STARTTLS", "EHLO"]
    assert "AUTH" not in server.commands() and "MAIL" not in server.commands()


def test_login_we_do_not_know_is_no_login(bench, script, password_file):
    server = script(EHLO=b"250 AUTH X-SECRET-HANDSHAKE")
    use(bench, server, **login(password_file))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "login_not_offered")

    assert "MAIL" not in server.commands()


@pytest.mark.parametrize("command, answer, wanted", [
    ("CONNECT", b"554 no service", ("limited", "server_refused")),
    ("CONNECT", b"421 too busy", ("limited", "server_later")),
    ("EHLO", b"550 not you", ("limited", "server_refused")),
    ("MAIL", b"451 try later", ("limited", "server_later")),
    ("MAIL", b"550 5.1.8 bad sender", ("limited", "sender_refused")),
    ("RCPT", b"450 4.2.1 busy", ("later", "recipient_later")),
    ("RCPT", b"421 closing", ("limited", "server_later")),
    ("RCPT", b"550 no such user", ("never", "recipient_refused")),
    ("RCPT", b"550-5.1.1 no such user\r\n550 5.1.1 here", ("never", "recipient_refused")),
    ("RCPT", b"550 5.1.1 bo\xeete inconnue \xff\xfe", ("never", "recipient_refused")),
    ("RCPT", b"552 5.2.2 over quota", ("later", "recipient_later")),
    ("RCPT", b"554 5.7.1 relay access denied", ("limited", "relay_refused")),
    ("RCPT", b"550 5.1.1 " + b"x" * 400, ("never", "recipient_refused")),
    ("RCPT", b"250-fine\r\n" * 5000 + b"250 fine", ("done", None)),
    ("RCPT", b"550-no\r\n" * 5000 + b"550 5.1.1 no", ("never", "recipient_refused")),
    ("DATA", b"451 not now", ("later", "content_later")),
    ("DATA", b"554 no", ("never", "content_refused")),
    ("END", b"452 disk full", ("later", "content_later")),
    ("END", b"554 5.6.0 content", ("never", "content_refused")),
    ("END", b"250 " + b"x" * 100000, ("done", None)),
])
def test_command_and_reply_decide(bench, script, command, answer, wanted):
    server = script(**{command: answer, "HELO": answer if command == "EHLO" else b"250 fine"})
    use(bench, server)

    assert outcome(bench.core.run(1, 1, letter())) == wanted

    assert len(server.mails) == (command == "END" or wanted[0] == "done")
    # The server's words stay out of the log: it may quote the address.
    assert "zoe" not in bench.log() and "bo" + "\ufffd" not in bench.log()


COMMANDS = ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "CONTENT"]


@pytest.mark.parametrize("what, command", [
    *itertools.product([DROP, HANG], [*COMMANDS, "END"])])
def test_server_that_is_lost(bench, script, password_file, what, command):
    server = script(EHLO=b"250 AUTH PLAIN")
    server.answers[command] = what
    use(bench, server, **login(password_file), **({"smtp_timeout": 1} if what == HANG else {}))

    answer = outcome(bench.core.run(1, 1, letter()))

    # A mail is small and gone with one call: whether all of it was, a server lost inside it does not
    # tell. Then it counts as gone.
    if command == "END" or command == "CONTENT" and answer[1] == "no_outcome":
        assert answer == ("later", "no_outcome")
        assert bench.journal() == ["intent", "ambiguous"]
    else:
        assert answer == ("limited", "no_reply")
        assert bench.journal() == []


def test_nothing_waits_for_the_answer_to_quit(bench, script):
    server = script(RCPT=b"550 5.1.1 no such user", QUIT=HANG)
    use(bench, server, smtp_timeout=600)

    assert outcome(bench.core.run(1, 1, letter())) == ("never", "recipient_refused")

    assert "QUIT" in server.commands()


def test_server_that_is_away_is_tried_later(bench):
    bench.config(mail_delivery="smtp", smtp_host="localhost", smtp_port=free_port())
    bench.start()

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "no_connection")


def test_endless_answer_is_ended(bench, script):
    def talk(stream):
        while True:
            stream.write(b"250-and another thing\r\n" * 1000)

    use(bench, script(EHLO=talk))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "no_reply")


def test_what_is_no_mail_server_gets_no_mail(bench, script):
    def talk(stream):
        stream.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        raise EOFError

    use(bench, script(CONNECT=talk))

    assert outcome(bench.core.run(1, 1, letter())) == ("limited", "no_reply")


@pytest.mark.parametrize("address", ["zo\u00eb@localhost", "zoe@caf\u00e9.example", "zoe",
                                     "zoe@localhost>\r\nRCPT TO:<all@localhost", "-zoe@localhost"])
def test_address_no_mail_can_go_to_is_refused_for_good(bench, script, address):
    server = script()
    use(bench, server)

    body = letter(to=dict(id="giver-017", name="Zo\u00eb", email=address))

    assert outcome(bench.core.run(1, 1, body)) == ("never", "bad_address")
    assert not server.heard


NASTY_NAMES = ['Zo\u00eb" <all@localhost>, "', "Zo\u00eb, Bcc: all@localhost", "=?utf-8?q?=0D=0ABcc:?=",
               "<all@localhost>", "\\", '"', "(", "a;b:c;", "Zo\u00eb\u202ezzz", "x" * 200,
               "\u0153" * 100]


def plain(name):
    """Without the spaces where a long name was folded, or what looked like code was broken up."""
    return name.replace(" ", "").replace("=?", "?")


@pytest.mark.parametrize("name", NASTY_NAMES)
def test_name_stays_a_name(bench, script, name):
    server = script()
    use(bench, server, mail_from_name=name.replace("\\", "\\\\").replace('"', '\\"'))
    person = dict(id="giver-017", name=name, email="zoe@localhost")

    assert outcome(bench.core.run(1, 1, letter(to=person, coordinator=person))) == ("done", None)

    (raw,) = server.mails
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert all(len(line) <= 998 and line.isascii() for line in raw.split(b"\r\n"))
    for header, address in (("to", "zoe@localhost"), ("reply-to", "zoe@localhost"),
                            ("from", "slime@jura.example")):
        (found,) = message[header].addresses
        assert found.addr_spec == address
        assert plain(found.display_name) == plain(name)
    assert sorted({header.lower() for header in message.keys()}) == sorted([
        "from", "to", "reply-to", "subject", "date", "message-id", "auto-submitted",
        "mime-version", "content-type"])
    assert [line.strip() for line in server.heard if line.startswith((b"MAIL", b"RCPT"))] == [
        b"MAIL FROM:<slime@jura.example>", b"RCPT TO:<zoe@localhost>"]


@pytest.mark.parametrize("field", ["name", "form", "sector_name", "instead_of", "message_id"])
def test_line_end_in_a_field_is_refused(bench, script, field):
    server = script()
    use(bench, server)
    nasty = "a\r\nBcc: all@localhost"
    body = letter(**{field: nasty}) if field != "name" else letter(
        to=dict(id="giver-017", name=nasty, email="zoe@localhost"))

    assert outcome(bench.core.run(1, 1, body)) == ("never", "bad_body")
    assert not server.heard


def test_lines_that_begin_with_a_dot_arrive_whole(bench, script):
    server = script()
    folder = bench.folder / "templates"
    shutil.copytree(TEMPLATES, folder)
    (folder / "ack.txt").write_text("Bonjour\n.\n.suite\n..\nfin\n")
    use(bench, server, mail_templates=str(folder))

    assert outcome(bench.core.run(1, 1, letter())) == ("done", None)

    (raw,) = server.mails
    text = email.message_from_bytes(unstuff(raw), policy=email.policy.default)
    assert "Bonjour\r\n.\r\n.suite\r\n..\r\nfin" in text.get_body(("plain",)).get_content()


def unstuff(raw):
    """What a server makes of the lines it got (RFC 5321 4.5.2)."""
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in raw.split(b"\r\n"))


# One connection for many mails.


def test_connection_is_kept_for_the_next_mail(bench, script, certificates, password_file):
    server = script(certificate=certificates / "good",
                    EHLO=[b"250 STARTTLS", b"250 AUTH PLAIN"])
    use(bench, server, **secure(certificates), **login(password_file))

    for number in range(5):
        assert outcome(bench.core.run(1, 1 + number, letter(number))) == ("done", None)

    assert server.connections == 1 and len(server.mails) == 5
    assert server.commands().count("STARTTLS") == server.commands().count("AUTH") == 1


def test_connection_is_given_up_when_no_mail_comes(bench, script):
    server = script()
    use(bench, server)
    assert outcome(bench.core.run(1, 1, letter())) == ("done", None)

    # It goes with a heartbeat, and heartbeats come as long as the core is heard.
    for _ in range(2):
        while bench.core.read()[:2] != [2, "heartbeat"]:
            pass
    assert server.commands()[-1] == "QUIT"
    assert outcome(bench.core.run(2, 2, letter(2))) == ("done", None)
    assert server.connections == 2


def test_stop_does_not_wait_for_a_server_that_does_not_say_goodbye(bench, script):
    server = script(QUIT=HANG)
    use(bench, server, smtp_timeout=600)
    assert outcome(bench.core.run(1, 1, letter())) == ("done", None)

    bench.stop()

    wait_for(lambda: server.commands()[-1] == "QUIT", "the server has read what was said last")


def test_kept_connection_that_the_server_closed_is_replaced(bench, script):
    def say_and_leave(stream):
        stream.write(b"250 taken\r\n")
        raise EOFError

    server = script(END=say_and_leave)
    use(bench, server)

    answers = [outcome(bench.core.run(number, number, letter(number))) for number in (1, 2, 3)]

    assert answers == [("done", None)] * 3 and server.connections == 3


def test_kept_connection_that_the_server_tires_of_is_replaced(bench, script):
    server = script(MAIL=[b"250 fine", b"421 enough of you", b"250 fine", b"421 still", b"421 no"])
    use(bench, server)

    answers = [outcome(bench.core.run(number, number, letter(number))) for number in (1, 2, 3)]

    assert answers == [("done", None)] * 2 + [("limited", "server_later")]
    assert len(server.mails) == 2


def test_refused_mail_leaves_nothing_for_the_next(bench, script):
    server = script(RCPT=[b"550 5.1.1 no", b"250 fine"], END=[b"554 no", b"250 taken"])
    use(bench, server)

    answers = [outcome(bench.core.run(number, number, letter(number))) for number in (1, 2, 3)]

    assert answers == [("never", "recipient_refused"), ("never", "content_refused"), ("done", None)]
    assert [re.search(rb"(?i)message-id: <(e\d)", mail)[1] for mail in server.mails] == [
        b"e2", b"e3"]


# The ambiguous moment.


def test_lost_reply_is_ambiguous_and_the_copy_is_the_same(bench, script):
    server = script(END=[DROP, DROP, b"250 taken"])
    use(bench, server)

    answers = [outcome(bench.core.run(1, token, letter())) for token in (1, 2, 3)]

    assert answers == [("later", "no_outcome")] * 2 + [("done", None)]
    assert len(server.mails) == 3 and len(set(server.mails)) == 1
    assert bench.journal() == ["intent", "ambiguous"] * 2 + ["intent", "copied"]
    assert "mail.copied task=1" in bench.log()


def test_what_was_ambiguous_stays_so_until_it_is_delivered(bench, script):
    server = script(END=[DROP, b"451 later", b"250 taken"])
    use(bench, server)

    answers = [outcome(bench.core.run(1, token, letter())) for token in (1, 2, 3)]

    assert answers == [("later", "no_outcome"), ("later", "content_later"), ("done", None)]
    assert bench.journal() == ["intent", "ambiguous"] * 2 + ["intent", "copied"]


@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
def test_killed_before_the_mail_is_out_leaves_no_doubt(bench, script, command):
    held = Hold()
    usual = script().answers[command]
    server = script(**{command: [held, usual]})
    use(bench, server)
    bench.core.give(1, 1, letter())
    held.wait()

    bench.kill()
    held.let_go.set()
    bench.start()

    assert outcome(bench.core.run(1, 2, letter(), attempt=2)) == ("done", None)
    assert len(server.mails) == 1
    assert bench.journal() == ["intent", "delivered"]
    assert "ambiguous=1" not in bench.log()


def test_killed_while_the_server_holds_the_mail_sends_the_same_again(bench, script):
    held = Hold(b"250 taken")
    server = script(END=[held, b"250 taken"])
    use(bench, server)
    bench.core.give(1, 1, letter())
    held.wait()
    assert bench.journal() == ["intent"]

    bench.kill()
    held.let_go.set()
    bench.start()

    assert bench.journal() == ["ambiguous"]
    assert outcome(bench.core.run(1, 2, letter(), attempt=2)) == ("done", None)
    assert len(server.mails) == 2 and len(set(server.mails)) == 1
    assert bench.journal() == ["ambiguous", "intent", "copied"]
    assert "sent.opened mails=1 ambiguous=1" in bench.log() and "mail.copied" in bench.log()


def die(when, text):
    """The environment of a worker that ends itself there, as SIGKILL does."""
    return {f"VIGIE_DIE_{when}": text, "LD_PRELOAD": str(DIE_AT),
            "ASAN_OPTIONS": "verify_asan_link_order=0"}


@pytest.mark.parametrize("when, text, copies, words", [
    # The server had all but the end, and threw it away.
    ("BEFORE", " intent ", 1, ["intent", "delivered"]),
    # Only the end was missing: we cannot know that, and say so.
    ("AFTER", " intent ", 1, ["ambiguous", "intent", "copied"]),
    # The server had said 250.
    ("BEFORE", " delivered ", 2, ["ambiguous", "intent", "copied"]),
    # All was written down; only the core had not heard.
    ("AFTER", " delivered ", 1, ["delivered"]),
])
def test_killed_at_each_moment_around_the_handover(bench, exim, when, text, copies, words):
    server = exim()
    configure(bench, server)
    bench.start(**die(when, text))
    bench.core.give(1, 1, letter())
    bench.wait_until_dead()

    bench.start()

    assert outcome(bench.core.run(1, 2, letter(), attempt=2)) == ("done", None)
    assert message_ids(server.mails(copies)) == ["e1.ack.giver-017"] * copies
    assert bench.journal() == words


def test_killed_at_any_moment_loses_nothing_and_notes_each_copy(bench, exim):
    server = exim()
    configure(bench, server)
    for round in range(10):
        bench.start()
        for number in range(30):
            bench.core.give(number + 1, 1000 * round + number + 1, letter(number))
        for _ in range(2 * round):
            bench.core.request("done")
        bench.kill()

    bench.start()
    for number in range(30):
        assert bench.core.run(number + 1, 99000 + number, letter(number))[0] == "done"

    wanted = {f"e{number}.ack.giver-017" for number in range(30)}
    found = message_ids(server.all_mails())
    noted = {name for name in wanted if "copied" in bench.journal(name)}
    assert set(found) == wanted
    assert {name for name in found if found.count(name) > 1} <= noted


@pytest.fixture
def small_disk(bench):
    """The sent-journal on a disk of its own, and a function that fills it up or frees it."""
    folder = bench.folder / "sent"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs to mount a tmpfs, as root")

    def fill(full):
        filler = folder / "filler"
        if not full:
            filler.unlink()
            return
        with open(filler, "wb", buffering=0) as file, pytest.raises(OSError):
            while True:
                file.write(b"x" * 512)

    yield fill
    bench.close()
    subprocess.run(["umount", folder], check=True)


def test_full_disk_sends_nothing_and_says_so(bench, script, small_disk):
    server = script()
    use(bench, server)
    small_disk(True)

    refused = [outcome(bench.core.run(1, token, letter())) for token in (1, 2)]
    assert refused == [("limited", "sent_journal")] * 2 and not server.mails
    assert "sent.write" in bench.log()
    small_disk(False)

    assert outcome(bench.core.run(1, 3, letter(), attempt=3)) == ("done", None)
    assert len(server.mails) == 1 and bench.journal() == ["intent", "delivered"]


def test_full_disk_at_start_is_told(bench, script, small_disk):
    configure(bench, script())
    small_disk(True)
    (bench.folder / "sent/sent.log").mkdir() # not even to be read

    run = subprocess.run([NOTIFY, "-c", bench.folder / "vigie.conf"], capture_output=True,
                         text=True)

    assert run.returncode == 1
    assert f"vigie.conf:8: mail_journal: {bench.folder}/sent cannot be read" in run.stderr


def test_stop_waits_for_the_mail_that_is_leaving(bench, script):
    held = Hold(b"250 taken")
    server = script(END=held)
    use(bench, server)
    bench.core.give(1, 1, letter())
    held.wait()

    bench.process.terminate()
    bench.core.send([2, "heartbeat", []])
    held.let_go.set()

    assert bench.core.expect("done")["id"] == 1
    assert bench.process.wait(PATIENCE_S) == 0
    assert bench.journal() == ["intent", "delivered"]


# The configuration.


@pytest.mark.parametrize("change, complaint", [
    (dict(smtp_host="mail.example"), 'smtp_security: "none" is for a mail server on this machine'),
    (dict(smtp_host="mail example"), "smtp_host: no name of a machine"),
    (dict(smtp_host="localhost:25"), "smtp_host: no name of a machine"),
    (dict(smtp_host="a@localhost"), "smtp_host: no name of a machine"),
    (dict(smtp_port=0), "smtp_port: is 0; must be a whole number from 1 to 65535"),
    (dict(smtp_security="ssl"), 'smtp_security: is "ssl"; must be one of "none", "starttls"'),
    (dict(smtp_security="starttls", smtp_port=465), "smtp_security: \"starttls\" is not spoken"),
    (dict(smtp_timeout=0), "smtp_timeout: is 0; must be a whole number from 1 to 3600"),
    (dict(smtp_user="vigie"), "smtp_password_file: is missing; must be given together"),
    (dict(smtp_password_file="/etc/hostname"), "smtp_user: is missing; must be given together"),
    (dict(smtp_user="vigie", smtp_password_file="/nowhere"),
     "smtp_password_file: /nowhere cannot be opened"),
    (dict(smtp_user="vigie", smtp_password_file="/tmp"), "smtp_password_file: /tmp is no file"),
    (dict(smtp_user="vigie", smtp_password_file="/etc/passwd"),
     "smtp_password_file: /etc/passwd may be read by anybody; must have mode 0600"),
    (dict(smtp_ca_file="/etc/passwd"), "smtp_ca_file: is of no use without encryption"),
    (dict(smtp_ca_file="/etc/passwd", smtp_security="tls"),
     "smtp_ca_file: /etc/passwd holds no certificate"),
    (dict(smtp_ca_file="/nowhere", smtp_security="tls"), "smtp_ca_file: /nowhere cannot be read"),
    (dict(mail_domain="jura example"), "mail_domain: no domain"),
    (dict(mail_from=None), "mail_from: is missing"),
    (dict(mail_from="zo\u00eb@jura.example"), "mail_from: is \"zo\u00eb@jura.example\"; must be"),
])
def test_mistake_is_told_at_its_line(bench, change, complaint):
    class Nowhere:
        port = 25

    configure(bench, Nowhere, **change)
    lines = (bench.folder / "vigie.conf").read_text().splitlines()
    option = complaint.split(":")[0]
    line = next((number for number, text in enumerate(lines, 1) if text.startswith(option + " ")),
                1)

    status, told = bench.check()

    assert status == 1
    assert told.splitlines() and all("vigie.conf:" in each for each in told.splitlines())
    assert f"vigie.conf:{line}: {complaint}" in told


@pytest.mark.parametrize("content, complaint", [
    ("", "has an empty first line"), ("\npassword", "has an empty first line"),
    ("x" * 256, "has a first line of more than 255 bytes"), ("a\0b\n", "has a zero byte"),
    ("x" * 255 + "\nrest", None), ("p\r\n", None),
])
def test_password_file_is_looked_at_before_it_is_needed(bench, script, password_file, content,
                                                        complaint):
    configure(bench, script(), **login(password_file))
    password_file.write_text(content)

    status, told = bench.check()

    assert (status, complaint is None) in ((0, True), (1, False))
    assert complaint is None or f"smtp_password_file: {password_file} {complaint}" in told
    assert "xxx" not in told


def test_mistakes_of_files_are_told_all_at_once(bench, script, password_file):
    password_file.chmod(0o644)
    configure(bench, script(), smtp_security="tls", smtp_ca_file="/nowhere",
              mail_templates="/nowhere/templates", **login(password_file))

    status, told = bench.check()

    assert status == 1
    assert [line.split(": ")[1] for line in told.splitlines()] == [
        "mail_templates", "smtp_password_file", "smtp_ca_file"]


# With the core.


def tell(core, events):
    with Sender(core.intake) as sender:
        for entry in sender.publish(events):
            assert "seq" in entry, entry


def test_core_marks_who_is_refused_and_tries_the_others_again(start, exim):
    server = exim()
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    core = start(workers=("vigie-notify",), conf=CONF.replace('"maildir"', '"smtp"'),
                 extra=f"smtp_port = {server.port};")
    registered = lambda name, local, number=1: event(
        "giver.registered", f"{name}-{number}", now, dict(
            giver=name, kind="department_social_worker", structure="Département", name=name,
            email=f"{local}@localhost"))
    names = ["zoe", "refus", "plustard"]

    tell(core, [registered(name, name) for name in names])
    tell(core, [event("referral.received", name, now, dict(
        form=name, giver=name, insee="39198", reasons=["cold"], consent_on=now[:10],
        person=dict(name=f"Famille {name}"))) for name in names])

    wait_for(lambda: {task["state"] for task in tasks_of(core).values()} == {
        "done", "buried", "retrying"}, "one mail of each kind")
    tasks = tasks_of(core)
    assert tasks["refus"]["last_code"] == "recipient_refused" and tasks["refus"]["state"] == "buried"
    assert tasks["plustard"]["last_code"] == "recipient_later"
    assert tasks["plustard"]["due"] > now
    assert "refused_address" in {alarm["code"] for alarm in core.status("status")["alarms"]}

    tell(core, [registered("refus", "nouvelle", 2)])

    wait_for(lambda: tasks_of(core)["refus"]["state"] == "done", "the mail to the new address")
    assert sorted(read(path)["to"].addresses[0].addr_spec for path in server.mails(2)) == [
        "nouvelle@localhost", "zoe@localhost"]

    # whoever mended the server need not wait for the next try
    tries = lambda: server.log().count("temporarily rejected RCPT <plustard@")
    tried = tries()
    assert core.control("task.kick", {"state": "retrying"}) == {"kicked": 1}
    wait_for(lambda: tries() == tried + 1, "another try")
    wait_for(lambda: tasks_of(core)["plustard"]["state"] == "retrying", "its answer")
    assert tasks_of(core)["plustard"]["attempt"] == 1  # counted anew: no try that was due anyhow


def tasks_of(core):
    """The mails to givers, by giver."""
    tasks = core.status("task.list", {"kind": "mail", "limit": 100})["tasks"]
    return {task["to"]: task for task in tasks if task["to"] != "coordinator"}
