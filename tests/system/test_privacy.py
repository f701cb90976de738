"""A year of the demo, and then a search: nothing that names a household or a giver lies in the clear."""
import csv
import email
import email.header
import email.utils
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata

import pytest
from conftest import BUILD, ROOT, Core, Refused

sys.path.insert(0, str(ROOT / "tools"))
import demo_year  # noqa: E402

JURA = ROOT / "config" / "jura"
DATA = JURA / "data"
SIZE_MIN = 5  # bytes: shorter than that is found by chance in what is sealed


def rows(name, encoding):
    with open(DATA / f"{name}-2015.csv", newline="", encoding=encoding) as file:
        return list(csv.DictReader(file, delimiter=";"))


def name_forms(*parts):
    """As written, turned round, in capitals, in small letters, without accents."""
    words = [part for part in parts if part]
    for order in {" ".join(words), " ".join(words[::-1])}:
        bare = "".join(c for c in unicodedata.normalize("NFD", order) if not unicodedata.combining(c))
        for form in (order, bare):
            yield from (form, form.upper(), form.lower(), form.title())


def phone_forms(text):
    digits = re.sub(r"\D", "", text)
    digits = re.sub(r"^(0033|33)", "0", digits)
    if len(digits) < 10:
        return
    yield from (text, digits, "+33" + digits[1:], "0033" + digits[1:], "+33 " + digits[1:])
    pairs = re.findall("..", digits)
    yield from (" ".join(pairs), ".".join(pairs), "-".join(pairs))


def money_forms(text):
    """Of a thousand euros or more: less is found by chance among numbers."""
    number = re.sub(r"[^\d,]", "", text)
    if re.fullmatch(r"\d{4,},\d\d", number):
        yield from (text, number, number.replace(",", "."))


def household_data():
    """What must be found nowhere, and in no mail: names, telephones, addresses, numbers, debts."""
    found = set()
    for row in rows("referrals", "cp1252"):
        found.update(name_forms(*row["Nom"].split(" ", 1)), phone_forms(row["Téléphone"] or ""))
        found.update((row["Courriel"], row["Courriel"].upper(), row["Adresse"], row["N° dossier FSL"]))
    for row in rows("fsl-export", "cp1252"):
        if None in row.values() or None in row:
            continue
        found.update(name_forms(row["Nom"], row["Prénom"]), phone_forms(row["Téléphone"]))
        found.update((row["N° dossier"], *money_forms(row["Montant accordé"])))
    for row in rows("supplier-notices", "cp1252"):
        found.update((row["N° dossier FSL"], row["Référence"], *money_forms(row["Dette (€)"])))
    return {text for text in found if len(text.encode()) >= SIZE_MIN}


def giver_data():
    found = set()
    for row in rows("givers", "utf-8-sig"):
        found.update((*name_forms(*row["Nom"].split(" ", 1)), row["Courriel"], row["Courriel"].upper()))
    return {text for text in found if len(text.encode()) >= SIZE_MIN}


def public_text():
    """Names of communes and of those whom the policy names."""
    return (JURA / "policy.conf").read_text() + (JURA / "communes.csv").read_text()


def search(wanted, paths):
    """Which of the texts stand in the files, in UTF-8 or CP1252; as (file, bytes)."""
    patterns = {text.encode(form, "ignore") for text in wanted for form in ("utf-8", "cp1252")}
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\n".join(sorted(p for p in patterns if len(p) >= SIZE_MIN)))
        file.flush()
        done = subprocess.run(["grep", "-aoHF", "-f", file.name, *map(str, paths)],
                              capture_output=True, env={"LC_ALL": "C"})
    assert done.returncode in (0, 1), done.stderr
    return sorted(set(done.stdout.splitlines()))


def ask_everything(core):
    """Every answer of status.sock."""
    answers = [core.status(method, {"limit": 10000})
               for method in ("queue.list", "visit.list", "task.list")]
    answers += [core.status(method) for method in
                ("status", "sector.list", "giver.list", "worker.list", "metrics", "duplicate.list",
                 "plan.show", "report") if is_answered(core, method)]
    cases = 1 + max(case["case"] for case in answers[0]["cases"])
    answers += [core.status("case.explain", {"case": case}) for case in range(1, cases)
                if is_answered(core, "case.explain", {"case": case})]
    return answers


def is_answered(core, method, params=None):
    try:
        core.status(method, params)
        return True
    except Refused:
        return False


@pytest.fixture(scope="module")
def lived():
    """The demo's year with its coordinator; the answers of status.sock lie in a file beside the rest."""
    demo_year.BUILD = BUILD
    folder = tempfile.mkdtemp(prefix="vigie-", dir="/tmp")
    core = Core(folder, rehearse="2015-01-01", workers=("vigie-notify", "vigie-schedule"))
    try:
        (core.folder / "rejects").mkdir()
        demo_year.live(core.folder, demo_year.Control(core.folder / "control.sock"))
        answers = json.dumps(ask_everything(core), ensure_ascii=False)
        (core.folder / "answers.json").write_text(answers)
        core.restart()  # with a snapshot
        core.close()
        yield core
    finally:
        core.close()
        shutil.rmtree(folder, ignore_errors=True)


def files_of(core):
    """Everything that the programs wrote, but the mails themselves and the rows they refused."""
    for path in sorted(core.folder.rglob("*")):
        if path.is_file() and not {"Maildir", "rejects"} & set(path.relative_to(core.folder).parts):
            yield path


def tell(core, hits):
    return "\n".join(sorted({str(hit.split(b":", 1)[0].decode().removeprefix(str(core.folder)) + ": " +
                                 hit.split(b":", 1)[1].decode("utf-8", "replace"))
                             for hit in hits})[:20])


# journal, keys, snapshot, logs, what was sent, answers of status.sock: no name, number, address
def test_nothing_personal_lies_in_the_clear(lived):
    wanted = household_data() | giver_data()
    names = {path.name for path in files_of(lived)}
    assert {"data.mdb", "vigied.log", "answers.json"} <= names and len(wanted) > 3000
    assert any("snapshot" in str(path) for path in files_of(lived)), sorted(names)

    hits = search(wanted, files_of(lived))

    assert not hits, tell(lived, hits)


def mails_of(core):
    for path in sorted((core.folder / "Maildir" / "new").iterdir()):
        yield email.message_from_bytes(path.read_bytes())


def readable(message):
    """As a reader sees it: headers and texts decoded."""
    texts = [f"{name}: {email.header.make_header(email.header.decode_header(value))}".encode()
             for name, value in message.items()]
    texts += [part.get_payload(decode=True) for part in message.walk()
              if part.get_content_maintype() == "text"]
    return b"\n".join(texts)


# no mail, to a giver, a pair or the coordinator, tells who the household is
def test_no_mail_tells_who_the_household_is(lived, tmp_path):
    wanted = household_data() - giver_data()
    count = 0
    for count, message in enumerate(mails_of(lived), 1):
        (tmp_path / f"{count}.txt").write_bytes(readable(message))

    hits = search(wanted, sorted(tmp_path.glob("*.txt")))

    assert count > 150
    assert not hits, tell(lived, hits)


# --- what a giver reads ---------------------------------------------------------------------------------


def givers_by_address():
    return {row["Courriel"].lower(): row["Identifiant"] for row in rows("givers", "utf-8-sig")}


def text_of(message):
    subject = str(email.header.make_header(email.header.decode_header(message["Subject"])))
    parts = [part.get_payload(decode=True).decode() for part in message.walk()
             if part.get_content_type() == "text/plain"]
    return "\n".join([subject, *parts])


def givers_mails(core):
    """(giver, text) of each mail to a giver."""
    known = givers_by_address()
    for message in mails_of(core):
        address = email.utils.parseaddr(message["To"])[1].lower()
        if address in known:
            yield known[address], text_of(message)


def words(text):
    return set(re.findall(r"\w+", text))


def own_words():
    """What a mail to a giver may say of itself: its template, days, the four sectors, who signs."""
    found = set("janvier février mars avril mai juin juillet août septembre octobre novembre "
                "décembre 1er une semaine semaines visite faite visites faites dossier en attente "
                "dossiers clos sans autre autres et Secteur Secteurs".split())
    for path in (JURA / "templates").iterdir():
        if "_pair" not in path.name and "coordinator" not in path.name and path.suffix != ".html":
            found |= words(re.sub(r"\{\{.*?\}\}", " ", path.read_text()))
    return found | words("Dole Champagnole Lons-le-Saunier Saint-Claude Coordination SLIME du Jura "
                         "coordination@exemple.test")


# a mail to a giver is made of its template, the case's number, days, sectors, and the giver's own forms
def test_giver_reads_nothing_but_its_own(lived):
    forms = {row["N° fiche"]: row["Donneur"] for row in rows("referrals", "cp1252")}
    known, count = own_words(), 0
    for count, (giver, text) in enumerate(givers_mails(lived), 1):
        left = re.search(r"à la place du donneur d’alerte «\u00a0(\w+)\u00a0»", " ".join(text.split(" ")))
        may = {giver, left[1] if left else giver}
        for word in sorted(words(text) - known):
            assert word.isdigit() or forms.get(word) in may or word in may, (giver, word, text)

    assert count > 400


# which day a household is visited is between it and the pair
def test_giver_reads_of_weeks_and_never_of_days(lived):
    for giver, text in givers_mails(lived):
        assert not re.search(r"(?i)\b(lundi|mardi|mercredi|jeudi|vendredi|matin|après-midi)\b", text), text
        assert "€" not in text and "BEGIN:VEVENT" not in text


# the search itself finds what it is for, in both encodings
def test_search_finds_what_is_planted(tmp_path):
    wanted = household_data() | giver_data()
    street = next(text for text in sorted(wanted) if " rue de l" in text)
    plants = ["GIROD François", "0384545573", "ts001@exemple.test", "2015-00043", street]
    for number, plant in enumerate(plants):
        assert plant in wanted, plant
        (tmp_path / f"{number}.utf8").write_bytes(b"\0<6>boot.ready name=" + plant.encode() + b"\xff")
        (tmp_path / f"{number}.cp1252").write_bytes(b"\0\x93" + plant.encode("cp1252") + b"\0")

    hits = search(wanted, sorted(tmp_path.iterdir()))

    assert len({hit.split(b":", 1)[0] for hit in hits}) == 2 * len(plants)


# what is wanted is not public anyway: no name of a commune or of a pair is among it
def test_what_is_wanted_is_not_public():
    public = public_text()

    assert not [text for text in household_data() | giver_data() if text in public]
