"""vigie-feed from the outside: files in; events, rejects, requests and exit status out. No daemon is
needed: a gate and a control socket that this file plays stand in for it."""

import collections
import csv
import io
import json
import os
import pathlib
import socket
import subprocess
import threading
import time

import msgpack
import pytest
import zmq

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VIGIE_BUILD", ROOT / "build"))
FEED = next((path for path in (BUILD / "tools/feed/vigie-feed", BUILD / "vigie-feed")
             if path.exists()), BUILD / "tools/feed/vigie-feed")
JURA = ROOT / "config/jura"
DATA = JURA / "data"
FILES = [DATA / f"{name}-2015.csv" for name in ("fsl-export", "givers", "referrals", "supplier-notices")]


def feed(*arguments, timeout=60):
    return subprocess.run([FEED, *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout)


def events_of(tmp_path, *files, map=JURA, more=()):
    """The events that --print makes of the files."""
    done = feed("--print", "--rejects", tmp_path, "--map", map, *more, *files)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def rejects_of(path):
    with open(f"{path}.rejects.csv", newline="") as file:
        return [(int(row["row"]), row["column"], row["reason"]) for row in csv.DictReader(file)]


def decoded(path):
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252")


def rows_of(path):
    return list(csv.reader(io.StringIO(decoded(path), newline=""), delimiter=";"))


def write_rows(path, rows, encoding="utf-8"):
    with open(path, "w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=";").writerows(rows)
    return path


@pytest.mark.parametrize("mode", ["--check", "--print"])
def test_output_that_stdout_does_not_take_is_told_with_status_1(tmp_path, mode):
    with open("/dev/full", "w") as full:
        done = subprocess.run([FEED, mode, "--rejects", tmp_path, "--map", JURA, FILES[1]],
                              stdout=full, stderr=subprocess.PIPE, text=True)

    assert done.returncode == 1
    assert "vigie-feed: not all could be written to standard output" in done.stderr


# --- the Jura's files of 2015 ---


def test_exactly_the_known_rows_are_refused():
    done = feed("--check", "--map", JURA, *FILES)

    assert done.returncode == 1
    assert done.stdout == (DATA / "rejects-2015.csv").read_text()


def test_rejects_are_written_beside_with_column_and_reason(tmp_path):
    copy = tmp_path / "fsl-export-2015.csv"
    copy.write_bytes(FILES[0].read_bytes())

    with Gate(tmp_path, take_all) as gate:
        done = feed("--to", gate.endpoint, "--map", JURA, copy)

    assert done.returncode == 1
    with open(DATA / "rejects-2015.csv") as file:
        known = [(int(row["row"]), row["reason"]) for row in csv.DictReader(file)
                 if row["file"] == copy.name]
    assert [(row, reason) for row, _, reason in rejects_of(copy)] == known
    assert (371, "Date dépôt", "Date dépôt: no such day") in rejects_of(copy)


def test_rejects_of_an_earlier_run_do_not_stay(tmp_path):
    rows = rows_of(DATA / "givers-2015.csv")
    path = tmp_path / "givers-x.csv"
    write_rows(path, [rows[0], ["x"]])
    assert feed("--print", "--rejects", tmp_path, "--map", JURA, path).returncode == 1
    assert rejects_of(path) == [(2, "", "1 column instead of 10")]

    write_rows(path, rows)
    assert feed("--print", "--rejects", tmp_path, "--map", JURA, path).returncode == 0

    assert not os.path.exists(f"{path}.rejects.csv")


def test_printing_leaves_nothing_beside_the_file(tmp_path):
    path = write_rows(tmp_path / "givers-x.csv", [rows_of(FILES[1])[0], ["x"]])

    done = feed("--print", "--map", JURA, path)

    assert (done.returncode, os.listdir(tmp_path)) == (1, [path.name])


def test_rejects_that_cannot_be_written_are_told_before_anything_is_sent(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("")
    with Gate(tmp_path, take_all) as gate:
        for folder in (tmp_path / "missing", taken):
            done = feed("--to", gate.endpoint, "--rejects", folder, "--map", JURA, FILES[1])

            assert done.returncode == 2
            assert f"{folder}/{FILES[1].name}.rejects.csv: " in done.stderr

    assert gate.requests == []


def expected_counts():
    """Counted from the files by other means than the program's."""
    refused = collections.defaultdict(set)
    with open(DATA / "rejects-2015.csv") as file:
        for row in csv.DictReader(file):
            refused[row["file"]].add(int(row["row"]))
    counts = collections.Counter()
    for path in FILES:
        rows = rows_of(path)
        for number, cells in enumerate(rows[1:], 2):
            if number in refused[path.name]:
                continue
            row = dict(zip(rows[0], cells))
            if path.name.startswith("fsl"):
                if not row["Nature aide"].startswith(("Energie", "Eau")):
                    continue
                counts["fsl.request_filed"] += 1
                counts["fsl.decided"] += row["Décision"] != ""
            elif path.name.startswith("givers"):
                counts["giver.registered"] += 1
                counts["giver.left"] += row["Jusqu'au"] != ""
            elif path.name.startswith("referrals"):
                counts["referral.received"] += 1
            else:
                counts["supplier." + {"courrier": "notice", "limitation": "limited",
                                      "coupure": "cut",
                                      "rétablissement": "restored"}[row["Evénement"]]] += 1
    return counts


def test_rows_become_the_events_they_tell(tmp_path):
    events = events_of(tmp_path, *FILES)

    counts = collections.Counter(event["type"].removeprefix("fr.vigie.") for event in events)
    assert counts == expected_counts()


def test_events_say_what_the_rows_say(tmp_path):
    events = events_of(tmp_path, *FILES)
    by_key = {}
    for event in events:
        data = event["data"]
        key = data.get("form") or data.get("request") or data.get("giver") or event.get("subject")
        by_key[event["type"].removeprefix("fr.vigie."), key] = event

    filed = by_key["fsl.request_filed", "D15000006"]
    assert filed["source"] == "urn:jura:fsl" and filed["subject"] == "2015-00001"
    assert filed["time"] == "2015-01-05T11:00:00Z"
    assert filed["data"] == {"request": "D15000006", "energies": ["gas"],
                             "filed_on": "2015-01-05", "insee": "39415",
                             "person": {"name": "Girod François"}}
    decided = by_key["fsl.decided", "D15000006"]
    assert decided["data"] == {"request": "D15000006", "decided_on": "2015-03-07",
                               "outcome": "partial", "amount_cents": 4197}
    assert by_key["fsl.decided", "D15000001"]["data"]["outcome"] == "postponed"

    referral = by_key["referral.received", "FI20150003"]
    assert "subject" not in referral
    assert referral["data"] == {
        "form": "FI20150003", "giver": "TS055", "insee": "39198",
        "reasons": ["cutoff_notice", "damp"], "energies": ["electricity", "water"],
        "tenure": "private", "vulnerable": ["elderly"], "consent_on": "2015-01-06",
        "person": {"name": "Mathez Yann", "address": "32 rue de l'Église"}}
    quoting = by_key["referral.received", "FI20150001"]
    assert (quoting["subject"], quoting["subjectsource"]) == ("2015-00043", "urn:jura:fsl")

    notice = by_key["supplier.notice", "F201500001"]
    assert notice.get("subjectsource", "urn:jura:fournisseurs") == "urn:jura:fournisseurs"
    assert notice["data"] == {
        "supplier": "Régie C", "energy": "electricity", "step": 2, "issued_on": "2015-05-03",
        "notice_days": 20, "smart_meter": True, "insee": "39153", "debt_cents": 120453,
        "debt_period": "2015-T2"}

    giver = by_key["giver.registered", "TS006"]
    assert giver["data"] == {
        "giver": "TS006", "kind": "department_social_worker",
        "structure": "Département du Jura", "service": "Personnes âgées",
        "cantons": ["3910", "3903"], "since": "2014-05-01", "name": "Sœur-Marie Lançon",
        "email": "ts006@exemple.test"}


def test_events_come_in_order_of_time(tmp_path):
    times = [event["time"] for event in events_of(tmp_path, *FILES)]

    assert times == sorted(times)


def test_from_and_until_cut_the_year(tmp_path):
    events = events_of(tmp_path, *FILES, more=("--from", "2015-02-01", "--until", "2015-02-28"))

    assert events
    assert {event["time"][:7] for event in events} == {"2015-02"}


def test_repeated_rows_have_one_identity(tmp_path):
    events = events_of(tmp_path, FILES[0])
    by_key = collections.defaultdict(set)
    for event in events:
        by_key[event["type"], json.dumps(event["data"])].add(event["id"])

    assert len({event["id"] for event in events}) < len(events)
    assert all(len(ids) == 1 for ids in by_key.values())


def test_ids_do_not_depend_on_the_run_or_the_order_of_columns(tmp_path):
    rows = rows_of(FILES[3])
    turned = write_rows(tmp_path / "supplier-notices-turned.csv", [row[::-1] for row in rows])

    once, again = events_of(tmp_path, FILES[3]), events_of(tmp_path, FILES[3])
    other = events_of(tmp_path, turned)

    assert once == again == other


def test_a_corrected_cell_is_a_new_event_with_the_same_key(tmp_path):
    rows = rows_of(FILES[2])
    at = rows[0].index("Téléphone")
    corrected = [row[:] for row in rows]
    corrected[3][at] = "06 00 00 00 00"
    path = write_rows(tmp_path / "referrals-corrected.csv", corrected)

    before, after = events_of(tmp_path, FILES[2]), events_of(tmp_path, path)

    old = {event["id"]: event for event in before}
    new = [event for event in after if event["id"] not in old]
    assert len(new) == 1 and len(before) == len(after)
    assert new[0]["data"]["form"] == rows[3][0]
    assert new[0]["data"]["person"]["phone"] == "06 00 00 00 00"


def test_reissue_gives_other_ids_to_the_same_content(tmp_path):
    first, other = events_of(tmp_path, FILES[1]), events_of(tmp_path, FILES[1],
                                                            more=("--reissue", "2"))

    assert not {event["id"] for event in first} & {event["id"] for event in other}
    assert [event["data"] for event in first] == [event["data"] for event in other]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_an_encoding_changes_nothing(tmp_path, encoding):
    path = tmp_path / "fsl-export-other.csv"
    path.write_bytes(decoded(FILES[0]).encode(encoding))

    assert events_of(tmp_path, path) == events_of(tmp_path, FILES[0])


# --- files nobody would wish for ---

AWFUL = """
files = ["awful*.csv"];
{top}
events = ( {{
  type = "fsl.request_filed"; source = "urn:x"; subject = "no"; time = "day";
  data = {{ request = "no"; filed_on = "day";
    energies = {{ column = "what"; words = ( ["Élec", "electricity"], ["tout", "gas", "water"], ["rien"] ); split = "+"; }};
    person = {{ name = {{ columns = ["last", "first"]; join = ", "; }}; phone = {{ first_of = ["tel", "mob"]; blank = ["-"]; }};
      persons = {{ column = "n"; }}; }};
  }};
}} );
"""
HEADER = ["no", "day", "what", "last", "first", "tel", "mob", "n"]


def awful(tmp_path, rows, top="", header=HEADER, name="awful.csv", raw=None):
    mapping = tmp_path / "awful.map"
    mapping.write_text(AWFUL.format(top=top))
    path = tmp_path / name
    if raw is not None:
        path.write_bytes(raw)
    else:
        write_rows(path, ([header] if header else []) + rows)
    done = feed("--print", "--rejects", tmp_path, "--map", mapping, path)
    refused = rejects_of(path) if os.path.exists(f"{path}.rejects.csv") else []
    return [json.loads(line) for line in done.stdout.splitlines()], refused, done


def test_cells_are_read_as_a_person_reads_them(tmp_path):
    events, refused, _ = awful(tmp_path, [
        [" 7 ", "03/02/15", "ELEC", "Le\u00a0Goff", "  Anne\n Marie", "", "06", "3"],
        ["8", "2015-02-04", "tout", "Roy", "", "-", "", ""],
        ["9", "05/02/2015", "élec + tout", "", "", "", "", ""],
        ["10", "05/02/2015", "élec", "E\u0301mile", "", "", "", ""],
    ])

    assert refused == []
    assert [event["data"].get("person") for event in events] == [
        {"name": "Le Goff, Anne Marie", "phone": "06", "persons": 3},
        {"name": "Roy"}, None, {"name": "\u00c9mile"}]
    assert [event["data"]["energies"] for event in events] == [
        ["electricity"], ["gas", "water"], ["electricity", "gas", "water"], ["electricity"]]
    assert [event["subject"] for event in events] == ["7", "8", "9", "10"]
    assert [event["data"]["filed_on"] for event in events] == [
        "2015-02-03", "2015-02-04", "2015-02-05", "2015-02-05"]


@pytest.mark.parametrize("row, reason", [
    (["1", "31/02/2015", "élec", "A", "", "", "", ""], "day: no such day"),
    (["1", "3 février", "élec", "A", "", "", "", ""],
     "day: no date of the form DD/MM/YYYY or DD/MM/YY or YYYY-MM-DD"),
    (["1", "", "élec", "A", "", "", "", ""], "day: missing"),
    (["1", "03/02/2015", "soleil", "A", "", "", "", ""], "what: no such word; the mapping has: "),
    (["1", "03/02/2015", "rien", "A", "", "", "", ""], "what: missing"),
    (["1", "03/02/2015", "élec", "", "", "06", "", ""], "last, first: missing"),
    (["1", "03/02/2015", "élec", "A", "", "", "", "trois"], "n: no whole number"),
    (["1", "03/02/2015", "élec", "A", "", "", "", "100"], "n: "),
    (["x" * 65, "03/02/2015", "élec", "A", "", "", "", ""], "no: "),
    (["1", "03/02/2015"], "2 columns instead of 8"),
    (["1", "03/02/2015", "élec", "A", "", "", "", "", "", ""], "10 columns instead of 8"),
])
def test_a_bad_cell_refuses_its_row_alone(tmp_path, row, reason):
    good = ["2", "03/02/2015", "élec", "B", "", "", "", ""]

    events, refused, done = awful(tmp_path, [row, good])

    assert done.returncode == 1
    assert [event["subject"] for event in events] == ["2"]
    assert len(refused) == 1 and refused[0][0] == 2
    assert refused[0][2] == reason or (reason.endswith(": ") and refused[0][2].startswith(reason))


def test_bytes_of_no_encoding_refuse_the_row_that_maps_them(tmp_path):
    raw = (";".join(HEADER) + "\r\n1;03/02/2015;\u00e9lec;\u00e0").encode("cp1252") + b"\x81;;;;\r\n"

    events, refused, _ = awful(tmp_path, [], raw=raw)

    assert events == []
    assert refused == [(2, "last, first",
                        "last, first: bytes that are no text in the file's encoding")]


def test_a_character_cut_at_the_end_of_the_file_is_not_lost_in_silence(tmp_path):
    raw = (";".join(HEADER[:7] + ["n"]) + "\n1;03/02/2015;élec;A;;06;;é").encode()[:-1]

    events, refused, _ = awful(tmp_path, [], top='encoding = "UTF-8";', raw=raw)

    assert events == []
    assert refused == [(2, "n", "n: bytes that are no text in the file's encoding")]


def test_titles_before_the_header_are_skipped(tmp_path):
    rows = [["Export of"], ["2015", "x"], HEADER, ["1", "03/02/2015", "élec", "A", "", "", "", ""]]

    events, refused, done = awful(tmp_path, rows, top="header_row = 3;", header=None)

    assert (len(events), refused, done.returncode) == (1, [], 0)


def test_a_file_without_header_takes_the_mappings_names(tmp_path):
    names = ", ".join(f'"{name}"' for name in HEADER)

    events, _, done = awful(tmp_path, [["1", "03/02/2015", "élec", "A", "", "", "", ""]],
                            top=f"header = [{names}];", header=None)

    assert (len(events), done.returncode) == (1, 0), done.stderr


def test_delimiter_and_quote_can_be_others(tmp_path):
    raw = ("\t".join(HEADER) + "\n1\t03/02/2015\télec\tsaid \"A\"\t\t\t\t\n").encode()

    events, _, done = awful(tmp_path, [], top='delimiter = "\\t"; quote = "";', raw=raw)

    assert [event["data"]["person"]["name"] for event in events] == ['said "A"'], done.stderr


STRAY = "a quote out of place: put quotes around the cell and write the quote in it twice"
OPEN = ("a quote that is not closed: close it, or put quotes around the cell and write the quote in "
        "it twice")
PLAIN_ROWS = ["1;03/02/2015;élec;A;;;;", '2;03/02/2015;élec;"B ""b"" b";;;;', "3;03/02/2015;élec;C;;;;"]


@pytest.mark.parametrize("line, reason", [
    ('9;03/02/2015;élec;Résidence "Les Lilas";;;;', STRAY),
    ('9;03/02/2015;élec;"Les Lilas" bat B;;;;', STRAY),
    ('9;03/02/2015;élec;"Les Lilas;;;;', OPEN),
    ('9;03/02/2015;élec;Les Lilas;;;;"', OPEN),
    ('"', OPEN),
    ("9;" + "x" * 1100000, "a row over 1 MiB"),
], ids=["inside", "after", "open", "at the end", "alone", "long"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("at", [0, 1, 3], ids=["first", "second", "last"])
def test_a_quote_out_of_place_costs_its_own_row_only(tmp_path, line, reason, line_end, at):
    lines = [";".join(HEADER)] + PLAIN_ROWS[:at] + [line] + PLAIN_ROWS[at:]

    for last in ("", line_end):
        events, refused, done = awful(tmp_path, [], raw=(line_end.join(lines) + last).encode())

        assert [event["subject"] for event in events] == ["1", "2", "3"]
        assert (refused, done.returncode) == ([(at + 2, "", reason)], 1)


def test_every_row_after_a_quote_out_of_place_is_read(tmp_path):
    """More than what is read from the file at once, before and after."""
    many = [f"{number};03/02/2015;élec;Name{number};;;;" for number in range(10000)]
    lines = [";".join(HEADER), *many[:5000], '5;03/02/2015;élec;"Les Lilas;;;;', *many[5000:]]

    events, refused, _ = awful(tmp_path, [], raw="\n".join(lines).encode())

    assert len(events) == 10000 and refused == [(5002, "", OPEN)]


def test_a_cell_may_span_lines_that_look_like_rows_of_another_number_of_columns(tmp_path):
    raw = (";".join(HEADER) + '\n1;03/02/2015;élec;"Le;Goff\r\n2;x\n\n""y""";;;;\n' + PLAIN_ROWS[2]).encode()

    events, refused, _ = awful(tmp_path, [], raw=raw)

    assert refused == []
    assert [event["data"]["person"]["name"] for event in events] == ['Le;Goff 2;x "y"', "C"]


def test_an_open_quote_that_a_later_quote_closes_loses_no_row(tmp_path):
    """Read as CSV it would be one row of 4 columns; the next line alone is a row of 8."""
    lines = [";".join(HEADER), '9;03/02/2015;élec;"Les Lilas;;;;', *PLAIN_ROWS[:1], 'x"', PLAIN_ROWS[2]]

    events, refused, _ = awful(tmp_path, [], raw="\n".join(lines).encode())

    assert [event["subject"] for event in events] == ["1", "3"]
    assert refused == [(2, "", OPEN), (4, "", STRAY)]


def test_a_row_of_several_lines_with_too_few_columns_is_one_row(tmp_path):
    lines = [";".join(HEADER), '9;03/02/2015;élec;"Les', 'Lilas"', PLAIN_ROWS[2]]

    events, refused, _ = awful(tmp_path, [], raw="\n".join(lines).encode())

    assert [event["subject"] for event in events] == ["3"]
    assert refused == [(2, "", "4 columns instead of 8")]


def test_a_quote_out_of_place_in_a_title_is_skipped_and_in_the_header_told(tmp_path):
    titled = ['Résidence "Les Lilas"', ";".join(HEADER), *PLAIN_ROWS]

    events, refused, _ = awful(tmp_path, [], top="header_row = 2;", raw="\n".join(titled).encode())
    _, _, done = awful(tmp_path, [], raw="\n".join(titled).encode())

    assert (len(events), refused) == (3, [])
    assert done.returncode == 2 and f"awful.csv: {STRAY}" in done.stderr


def test_a_word_that_no_event_waits_for_is_told(tmp_path):
    rows = rows_of(FILES[3])
    rows[1][rows[0].index("Evénement")] = "relance"
    path = write_rows(tmp_path / "supplier-notices-x.csv", rows)

    events_of(tmp_path, path)

    assert rejects_of(path) == [
        (2, "Evénement", "Evénement: no event and no leave_out for this word")]


@pytest.mark.parametrize("text, cents", [
    ("1 013,56", 101356), ("1\u00a0013,56", 101356), ("1\u202f013,5 €", 101350), ("12", 1200),
    ("12.30", 1230), ("0,05", 5), ("N.C.", None), ("", None),
    ("1.013,56", "no amount"), ("12,345", "no amount"), ("-3", "no amount"), ("abc", "no amount"),
])
def test_amounts_become_cents(tmp_path, text, cents):
    rows = rows_of(FILES[0])
    row = rows[6]
    row[rows[0].index("Montant accordé")] = text
    path = write_rows(tmp_path / "fsl-export-x.csv", [rows[0], row])

    events = events_of(tmp_path, path)

    if isinstance(cents, str):
        assert rejects_of(path) == [(2, "Montant accordé", f"Montant accordé: {cents}")]
    else:
        assert [event["data"].get("amount_cents") for event in events
                if event["type"].endswith("decided")] == [cents]


def test_columns_that_are_not_there_are_all_told(tmp_path):
    rows = [[cell for at, cell in enumerate(row) if at not in (0, 5)] for row in rows_of(FILES[1])]
    rows[0][0] = "Nom"
    path = write_rows(tmp_path / "givers-x.csv", rows)

    done = feed("--check", "--map", JURA / "givers.map", path)

    assert done.returncode == 2
    for sentence in ('no column "Identifiant"', 'no column "Type"'):
        assert sentence in done.stderr
    assert all(line.startswith(f"{JURA}/givers.map:") for line in done.stderr.splitlines())


def test_an_empty_file_and_a_missing_one_and_one_without_mapping_are_mistakes(tmp_path):
    empty = tmp_path / "givers-empty.csv"
    empty.touch()
    stranger = tmp_path / "stranger.csv"
    stranger.write_text("a;b\n")

    done = feed("--check", "--map", JURA, empty, tmp_path / "givers-gone.csv", stranger)

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3
    assert "no header row" in done.stderr and "No such file" in done.stderr
    assert "no mapping takes a file of that name" in done.stderr


def test_ndjson_goes_through_as_it_is_and_bad_lines_are_refused(tmp_path):
    given = events_of(tmp_path, FILES[1])
    lines = [json.dumps(event) for event in given[:3]]
    wrong = dict(given[3], data=dict(given[3]["data"], kind="stranger"))
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join([*lines, json.dumps(wrong), "", "{not json", "[]"]) + "\n")

    events = events_of(tmp_path, path)

    assert events == given[:3]
    refused = rejects_of(path)
    assert [row for row, _, _ in refused] == [4, 6, 7]
    assert refused[0][1] == "data.kind"


def test_the_guides_example_works_as_it_says(tmp_path):
    blocks = (ROOT / "docs/feed.md").read_text().split("```\n")
    table, mapping = (block for block in blocks if block.startswith(("Conseil", "files =")))
    (tmp_path / "demandes-fsl-t1.csv").write_text(table, encoding="cp1252")
    (tmp_path / "fsl.map").write_text(mapping)

    events = events_of(tmp_path, tmp_path / "demandes-fsl-t1.csv", map=tmp_path / "fsl.map")

    assert [event["type"] for event in events] == ["fr.vigie.fsl.request_filed"] * 2 + [
        "fr.vigie.fsl.decided"]
    assert events[2]["data"]["amount_cents"] == 101356


# --- mappings with mistakes ---

GOOD = """files = ["good*.csv"];
encoding = "auto";
delimiter = ";";
dates = ["DD/MM/YYYY"];
words = { energy = ( ["gaz", "gas"],
  ["eau", "water"] ); };
leave_out = ( { column = "a"; is = "b"; } );
events = (
  { type = "supplier.cut";
    source = "urn:x";
    subject = "ref";
    time = "day";
    data = { supplier = "who";
      energy = { column = "what"; words = "energy"; };
      on = "day";
      insee = "code"; };
  } );
"""

MISTAKES = [
    ('encoding = "auto";', 'encoding = "utf-99";', 2, "no such encoding"),
    ('delimiter = ";";', 'delimiter = ";;";', 3, "one character is wanted"),
    ('delimiter = ";";', 'delimiter = "\\"";', 3, "delimiter and quote are the same"),
    ('delimiter = ";";', "delimiter = 3;", 3, "a text between quotes is wanted"),
    ('delimiter = ";";', "header_row = 0;", 3, "without a header row, header names the columns"),
    ('delimiter = ";";', "header_row = -1;", 3, "header_row is the number of a row"),
    ('delimiter = ";";', 'separator = ";";', 3, "unknown setting separator"),
    ('dates = ["DD/MM/YYYY"];', 'dates = ["JJ/MM/AAAA"];', 4, "a form is made of YYYY"),
    ('dates = ["DD/MM/YYYY"];', 'dates = ["DD/MM"];', 4, "a form has one year"),
    ('["eau", "water"]', '["Gaz", "water"]', 6, "is there already"),
    ('["eau", "water"]', '["eau", "watter"]', 6, 'data.energy cannot be "watter": no such word'),
    ('["eau", "water"]', '["eau", "water", "gas"]', 6, "data.energy holds one value"),
    ('["eau", "water"]', '"eau"', 6, "a row of words is"),
    ('is = "b";', 'equals = "b";', 7, "unknown setting equals"),
    ('is = "b";', 'is = "b"; is_not = "c";', 7, "either is or is_not"),
    ('type = "supplier.cut";', 'type = "supplier.cute";', 9, "no sender may send"),
    ('type = "supplier.cut";', 'type = "task.done";', 9, "no sender may send"),
    ('type = "supplier.cut";', "", 9, "an event has a type"),
    ('source = "urn:x";', 'source = "";', 10, "a source of 1 to 128 bytes"),
    ('subject = "ref";', "", 9, "supplier.cut needs a subject"),
    ('subject = "ref";', 'subject = { column = ["a", "b"]; };', 11, "a subject has one column"),
    ('subject = "ref";', 'subject = { column = "a"; source = "x"; };', 11,
     "unknown setting source"),
    ('time = "day";', "", 9, "an event has a time"),
    ('time = "day";', "time = 3;", 12, "a time comes from a column"),
    ('supplier = "who";', "", 13, "data.supplier is missing: the event needs it"),
    ('supplier = "who";', 'suplier = "who"; supplier = "x";', 13, "data has no field suplier"),
    ('supplier = "who";', 'supplier = { value = ""; column = "x"; };', 13,
     "data.supplier comes from one of column"),
    ('words = "energy"', 'words = "energies"', 14, "no table of that name"),
    ('words = "energy"', 'split = ","', 14, "split says nothing for data.energy"),
    ('words = "energy"', 'form = "money"', 14, "form says nothing for data.energy"),
    ('{ column = "what"; words = "energy"; }', '{ value = "steam"; }', 14,
     'data.energy cannot be "steam": no such word; there are: electricity, gas, heat'),
    ('on = "day";', 'on = { value = "2015-13-01"; };', 15, 'data.on cannot be "2015-13-01"'),
    ('on = "day";', 'on = { column = "day"; dates = ["MM/YYYY"]; };', 15, "a form has one year"),
    ('insee = "code";', 'insee = "code"; power_va = 3;', 16, "data has no field power_va"),
    ('insee = "code";', 'insee = ;', 16, "syntax error"),
    ('insee = "code";', 'insee = { value = "3919"; };', 16, "no INSEE code of a commune"),
]


@pytest.mark.parametrize("old, new, line, sentence", MISTAKES,
                         ids=[f"{at}-{case[3][:30]}" for at, case in enumerate(MISTAKES)])
def test_a_mistake_in_a_mapping_is_told_with_its_line(tmp_path, old, new, line, sentence):
    assert GOOD.count(old) == 1
    mapping = tmp_path / "bad.map"
    mapping.write_text(GOOD.replace(old, new))
    data = tmp_path / "good.csv"
    data.write_text("a;ref;day;who;what;code\n")

    done = feed("--check", "--map", mapping, data)

    assert done.returncode == 2
    assert any(told.startswith(f"{mapping}:{line}: ") and sentence in told
               for told in done.stderr.splitlines()), done.stderr


def test_the_words_there_are_are_told_once(tmp_path):
    mapping = tmp_path / "bad.map"
    mapping.write_text(GOOD.replace('["eau", "water"]', '["eau", "watter"]'))

    done = feed("--check", "--map", mapping, mapping)

    assert done.stderr == (f'{mapping}:6: data.energy cannot be "watter": no such word; there are: '
                           "electricity, gas, heat, water, wood, oil, lpg\n")


@pytest.mark.parametrize("option, size, right", [
    ("--id-key", 31, False), ("--id-key", 32, True), ("--id-key", 33, False),
    ("--id-key", 9999, False), ("--secret-key", 39, False), ("--secret-key", 40, True),
    ("--secret-key", 41, False), ("--secret-key", 9999, False)])
def test_a_key_has_its_very_size(tmp_path, option, size, right):
    key = tmp_path / "key"
    key.write_bytes(b"k" * size)
    more = ["--server-key", "k" * 40] if option == "--secret-key" else []

    done = feed("--check", option, key, *more, "--map", JURA, FILES[1])

    assert done.returncode == (0 if right else 2), done.stderr
    assert right or f"{key}: a " in done.stderr


def test_a_secret_key_may_end_its_line(tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"k" * 40 + b"\r\n")

    done = feed("--check", "--secret-key", key, "--server-key", "k" * 40, "--map", JURA, FILES[1])

    assert done.returncode == 0, done.stderr


def test_the_mapping_without_mistakes_is_taken(tmp_path):
    mapping = tmp_path / "good.map"
    mapping.write_text(GOOD)
    data = tmp_path / "good.csv"
    data.write_text("a;ref;day;who;what;code\nx;1;02/01/2015;S;Gaz;39198\n")

    done = feed("--print", "--map", mapping, data)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"] == {"supplier": "S", "energy": "gas",
                                               "on": "2015-01-02", "insee": "39198"}


def test_all_mistakes_are_told_at_once(tmp_path):
    mapping = tmp_path / "bad.map"
    text = GOOD
    for old, new, _, _ in (MISTAKES[0], MISTAKES[7], MISTAKES[10], MISTAKES[25]):
        text = text.replace(old, new)
    mapping.write_text(text)

    done = feed("--check", "--map", mapping, mapping)

    lines = [int(told.split(":")[1]) for told in done.stderr.splitlines()]
    assert sorted(set(lines)) == [2, 4, 6, 13]


@pytest.mark.parametrize("arguments, sentence", [
    ([], "no file"),
    (["--drive", "x.ndjson"], "--drive needs --until DATE"),
    (["--check", "--print", "x"], "one of --check"),
    (["--until", "2015-02-30", "x"], "is no date"),
    (["--timeout", "0", "x"], "a timeout is"),
    (["--from", "2015-03-02", "--until", "2015-03-01", "x"], "--from is later than --until"),
    (["--to", "nonsense", str(FILES[1]), "--map", str(JURA)], "no endpoint"),
])
def test_a_wrong_command_is_told_with_status_2(arguments, sentence):
    done = feed(*arguments)

    assert done.returncode == 2
    assert sentence in done.stderr


# --- a gate that this file plays ---


class Gate(threading.Thread):
    """Answers publish requests as `answer(request_number, events)` says: a list of results, an error
    map for the whole request, or None to say nothing."""

    def __init__(self, folder, answer):
        super().__init__(daemon=True)
        self.path = folder / "intake.sock"
        self.endpoint = f"ipc://{self.path}"
        self.answer = answer
        self.requests = []
        self.sizes = []
        self.peers = set()
        self.stopping = False

    def run(self):
        context = zmq.Context()
        router = context.socket(zmq.ROUTER)
        router.bind(self.endpoint)
        while not self.stopping:
            if not router.poll(50):
                continue
            peer, *frames = router.recv_multipart()
            kind, number, method, params = msgpack.unpackb(frames[-1])
            assert (kind, method) == (0, "publish")
            self.peers.add(peer)
            self.sizes.append(len(frames[-1]))
            self.requests.append(params[0])
            said = self.answer(len(self.requests) - 1, params[0])
            if isinstance(said, dict):
                router.send_multipart([peer, msgpack.packb([1, number, said, None])])
            elif said is not None:
                router.send_multipart([peer, msgpack.packb([1, number, None, said])])
        context.destroy(linger=0)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.join()


def take_all(_, events):
    return [{"seq": at + 1} for at in range(len(events))]


def send(gate, tmp_path, *files, timeout=20):
    return feed("--to", gate.endpoint, "--rejects", tmp_path, "--timeout", timeout, "--map", JURA,
                *files)


def test_events_go_out_in_batches_within_the_limits(tmp_path):
    with Gate(tmp_path, take_all) as gate:
        done = send(gate, tmp_path, *FILES)

    sent = [event for events in gate.requests for event in events]
    assert done.returncode == 1  # the known rejects
    assert len(sent) == sum(expected_counts().values())
    assert max(map(len, gate.requests)) == 500 and len(gate.requests) == 3
    assert max(gate.sizes) <= 1024 * 1024
    assert "all: 1073 rows, 152 left out, 18 rejected, 1285 events: 1285 taken, 0 duplicates, " \
           "0 refused" in done.stderr
    assert sent[0]["specversion"] == "1.0" and sent[0]["type"] == "fr.vigie.fsl.request_filed"


def test_large_events_make_smaller_requests(tmp_path):
    event = {"specversion": "1.0", "source": "urn:x", "type": "fr.vigie.event.retracted",
             "time": "2015-01-01T11:00:00Z",
             "data": {"source": "s" * 128, "id": "i" * 128, "reason": "é" * 100}}
    lines = [json.dumps(dict(event, id="i" * 120 + f"{at:08}")) for at in range(3000)]
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(lines))

    with Gate(tmp_path, take_all) as gate:
        done = send(gate, tmp_path, path)

    assert done.returncode == 0, done.stderr
    assert sum(map(len, gate.requests)) == 3000
    assert max(map(len, gate.requests)) <= 500 and max(gate.sizes) <= 1024 * 1024


def test_duplicates_are_counted_and_are_no_refusal(tmp_path):
    def answer(_, events):
        return [{"seq": 1, "duplicate": True} for _ in events]

    with Gate(tmp_path, answer) as gate:
        done = send(gate, tmp_path, FILES[1])

    assert done.returncode == 0
    assert "0 taken, 69 duplicates, 0 refused" in done.stderr


def test_a_busy_core_is_asked_again_after_the_time_it_says(tmp_path):
    told = []

    def answer(number, events):
        told.append(time.monotonic())
        if number < 2:
            return {"code": "busy", "path": "", "text": "later", "retry_after_ms": 300}
        return take_all(number, events)

    with Gate(tmp_path, answer) as gate:
        done = send(gate, tmp_path, FILES[1])

    assert done.returncode == 0
    assert len(gate.requests) == 3
    assert all(later - earlier >= 0.29 for earlier, later in zip(told, told[1:]))


def test_only_the_events_that_were_busy_go_again(tmp_path):
    def answer(number, events):
        if number > 0:
            return take_all(number, events)
        return [{"error": {"code": "busy", "path": "", "text": "full", "retry_after_ms": 10}}
                if at % 2 else {"seq": at} for at in range(len(events))]

    with Gate(tmp_path, answer) as gate:
        done = send(gate, tmp_path, FILES[1])

    assert done.returncode == 0
    assert [len(events) for events in gate.requests] == [69, 34]
    assert gate.requests[1] == gate.requests[0][1::2]
    assert "69 taken" in done.stderr


def test_a_lost_answer_is_asked_for_again_on_a_new_connection(tmp_path):
    def answer(number, events):
        return None if number == 0 else take_all(number, events)

    with Gate(tmp_path, answer) as gate:
        done = send(gate, tmp_path, FILES[1])

    assert done.returncode == 0, done.stderr
    assert gate.requests[0] == gate.requests[1] and len(gate.requests) == 2
    assert len(gate.peers) == 2


def test_refused_events_go_to_the_rejects_with_code_and_path(tmp_path):
    def answer(number, events):
        results = take_all(number, events)
        results[2] = {"error": {"code": "invalid_event", "path": "data.email", "text": "no"}}
        results[4] = {"error": {"code": "forbidden", "path": "source", "text": "not yours"}}
        return results

    with Gate(tmp_path, answer) as gate:
        done = send(gate, tmp_path, FILES[1])

    assert done.returncode == 1
    assert "67 taken, 0 duplicates, 2 refused" in done.stderr
    refused = rejects_of(tmp_path / FILES[1].name)
    assert [(column, reason) for _, column, reason in refused] == [
        ("data.email", "invalid_event: no"), ("source", "forbidden: not yours")]
    assert [rows_of(FILES[1])[row - 1][0] for row, _, _ in refused] == [
        gate.requests[0][at]["data"]["giver"] for at in (2, 4)]


def test_rejects_are_in_the_order_of_rows_whoever_refused_them(tmp_path):
    def answer(number, events):
        results = take_all(number, events)
        results[0] = {"error": {"code": "erased", "path": "subject", "text": "no"}}
        return results

    with Gate(tmp_path, answer) as gate:
        send(gate, tmp_path, FILES[2])

    rows = [row for row, _, _ in rejects_of(tmp_path / FILES[2].name)]
    assert rows == [2, 55, 84, 127, 131, 137, 168]


def test_a_sender_nobody_knows_is_told_and_stops(tmp_path):
    def answer(_, events):
        return {"code": "unauthenticated", "path": "", "text": "nobody knows this peer"}

    with Gate(tmp_path, answer) as gate:
        done = send(gate, tmp_path, FILES[1])

    assert done.returncode == 1
    assert "unauthenticated: nobody knows this peer" in done.stderr


def test_an_answer_without_a_result_for_each_event_is_not_believed(tmp_path):
    with Gate(tmp_path, lambda number, events: take_all(number, events)[1:]) as gate:
        done = send(gate, tmp_path, FILES[1])

    assert done.returncode == 1
    assert "no result for each event" in done.stderr


@pytest.mark.parametrize("answer", [
    lambda number, events: None,
    lambda number, events: {"code": "draining", "path": "", "text": "the core is stopping"},
    lambda number, events: [{"error": {"code": "storage_full", "path": "", "text": "full"}}
                            for _ in events],
])
def test_a_core_that_is_of_no_use_ends_with_status_3(tmp_path, answer):
    with Gate(tmp_path, answer) as gate:
        done = send(gate, tmp_path, FILES[1], timeout=1)

    assert done.returncode == 3


def test_no_daemon_is_status_3(tmp_path):
    done = feed("--to", f"ipc://{tmp_path}/nobody.sock", "--timeout", 1, "--map", JURA, FILES[1],
                "--rejects", tmp_path)

    assert done.returncode == 3
    assert "nobody answers at" in done.stderr


# --- a rehearsal that this file plays ---


class Control(threading.Thread):
    """control.sock of a rehearsal: its calendar, and what was asked of it, in one list with what the
    gate was sent."""

    def __init__(self, folder, now, log, rehearsal=True, losses=0, ends=0):
        super().__init__(daemon=True)
        self.path = folder / "control.sock"
        self.now, self.log, self.rehearsal = now, log, rehearsal
        self.losses = losses  # so many advances it goes away from
        self.ends = ends      # so many connections are let in and closed
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(self.path))
        self.server.listen()

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client, client.makefile("rw") as stream:
                if self.ends:
                    self.ends -= 1
                    continue
                for line in stream:
                    call = json.loads(line)
                    if call["method"] == "clock.advance" and self.losses:
                        self.losses -= 1
                        break
                    if call["method"] == "clock.advance":
                        assert call["params"]["to"] > self.now
                        self.now = call["params"]["to"]
                        self.log.append(("advance", self.now))
                    result = {"now": self.now, "rehearsal": self.rehearsal}
                    stream.write(json.dumps({"jsonrpc": "2.0", "id": call["id"],
                                             "result": result}) + "\n")
                    stream.flush()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.join()


def drive(tmp_path, gate, control, until, timeout=20):
    return feed("--to", gate.endpoint, "--control", control.path, "--rejects", tmp_path, "--timeout",
                timeout, "--map", JURA, "--drive", "--until", until, *FILES)


def drive_log(tmp_path, now, untils, losses=0):
    log, seen = [], set()

    def answer(_, events):
        results = []
        for event in events:
            log.append(("event", event["time"], event["id"]))
            results.append({"seq": 1, **({"duplicate": True} if event["id"] in seen else {})})
            seen.add(event["id"])
        return results

    with Gate(tmp_path, answer) as gate, Control(tmp_path, now, log, losses=losses) as control:
        for until in untils:
            assert drive(tmp_path, gate, control, until).returncode == 1  # the known rejects
    return log


def test_a_rehearsal_is_moved_to_each_event_before_it_is_published(tmp_path):
    log = drive_log(tmp_path, "2015-01-01T00:00:00Z", ["2015-02-28"])

    now = "2015-01-01T00:00:00Z"
    for what, at, *_ in log:
        if what == "advance":
            now = at
        else:
            assert at <= now
    assert now == "2015-02-28T22:59:59Z"
    expected = events_of(tmp_path, *FILES, more=("--until", "2015-02-28"))
    assert [entry[2] for entry in log if entry[0] == "event"] == [event["id"] for event in expected]


def test_driving_to_where_the_calendar_is_already_is_told(tmp_path):
    with Gate(tmp_path, take_all) as gate, \
            Control(tmp_path, "2015-06-30T12:00:00Z", log := []) as control:
        past = drive(tmp_path, gate, control, "2015-06-29")
        late = drive(tmp_path, gate, control, "2015-06-30")

    assert "the calendar is at 2015-06-30 already: it does not move" in past.stderr
    assert "already" not in late.stderr and log == [("advance", "2015-06-30T21:59:59Z")]
    before = len(events_of(tmp_path, *FILES, more=("--until", "2015-06-29")))
    assert f"{before} events that were taken lie before 2015-06-30, where" in past.stderr


def test_what_was_taken_before_is_not_told_as_late(tmp_path):
    def all_known(_, events):
        return [{"seq": 1, "duplicate": True} for _ in events]

    with Gate(tmp_path, all_known) as gate, \
            Control(tmp_path, "2015-06-30T12:00:00Z", []) as control:
        done = drive(tmp_path, gate, control, "2015-06-30")

    assert "where the calendar was" not in done.stderr


def test_driving_in_steps_loses_nothing(tmp_path):
    log = drive_log(tmp_path, "2015-01-01T00:00:00Z", ["2015-01-31", "2015-02-14", "2015-03-01"])

    expected = {event["id"] for event in events_of(tmp_path, *FILES,
                                                   more=("--until", "2015-03-01"))}
    assert {entry[2] for entry in log if entry[0] == "event"} == expected
    moves = [entry[1] for entry in log if entry[0] == "advance"]
    assert moves == sorted(set(moves)) and moves[-1] == "2015-03-01T22:59:59Z"


def test_an_advance_that_a_core_went_away_from_is_asked_again(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "lost").mkdir()

    plain = drive_log(tmp_path / "plain", "2015-01-01T00:00:00Z", ["2015-02-28"])
    lost = drive_log(tmp_path / "lost", "2015-01-01T00:00:00Z", ["2015-02-28"], losses=5)

    assert lost == plain


def test_a_core_that_lets_in_while_it_ends_is_waited_for(tmp_path):
    with Gate(tmp_path, take_all) as gate, \
            Control(tmp_path, "2015-01-01T00:00:00Z", log := [], ends=2) as control:
        done = drive(tmp_path, gate, control, "2015-02-28")

    assert done.returncode == 1 and log[-1] == ("advance", "2015-02-28T22:59:59Z")


def test_a_core_that_always_goes_away_is_given_up(tmp_path):
    with Gate(tmp_path, take_all) as gate, \
            Control(tmp_path, "2015-01-01T00:00:00Z", log := [], losses=6) as control:
        done = drive(tmp_path, gate, control, "2015-02-28")

    assert done.returncode == 3
    assert "the core went away" in done.stderr and log == []


def test_a_real_journal_is_never_driven(tmp_path):
    with Gate(tmp_path, take_all) as gate, \
            Control(tmp_path, "2015-01-01T00:00:00Z", [], rehearsal=False) as control:
        done = drive(tmp_path, gate, control, "2015-02-01")

    assert done.returncode == 2
    assert "--drive is for rehearsals only" in done.stderr
    assert gate.requests == []


def test_driving_without_a_core_is_status_3(tmp_path):
    done = feed("--control", tmp_path / "nobody.sock", "--timeout", 1, "--map", JURA, "--drive",
                "--until", "2015-02-01", "--rejects", tmp_path, FILES[1])

    assert done.returncode == 3
