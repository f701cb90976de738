"""vigie-sim scenario: the Jura's four years and small scenarios of one thing each."""

import json
import re
import subprocess
import xml.etree.ElementTree

import pytest

from conftest import ROOT, program

JURA = ROOT / "config" / "jura"
POLICY = JURA / "policy.conf"
VARIANTS = sorted(JURA.glob("policy-2017-*.conf"))


def sim(*arguments):
    return subprocess.run([program("vigie-sim"), *map(str, arguments)], capture_output=True,
                          text=True, timeout=300)


def live(scenario, *policies, years=1, seeds=2, first_seed=1, more=()):
    named = [word for policy in policies or [POLICY] for word in ("--policy", policy)]
    done = sim("scenario", *named, scenario, "--years", years, "--seeds", seeds, "--first-seed",
               first_seed, "--json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def figures(answer, policy=0, year=2014, sector="all", kind="all"):
    """{figure: mean} of one row."""
    for row in answer["policies"][policy]["rows"]:
        if (row["year"], row["sector"], row["kind"]) == (year, sector, kind):
            return {name: value and value["mean"] for name, value in row.items()
                    if value is None or isinstance(value, dict)}
    return None


@pytest.fixture
def write(tmp_path):
    def write_scenario(text, name="scenario.conf"):
        path = tmp_path / name
        path.write_text('name = "Essai"; from = "2014-01-01";\n' + text)
        return path

    return write_scenario


STREAM = 'arrivals = ( { kind = "workshop"; a_year = %d; %s } );\n'
CERTAIN = "households = { withdraws_a_week = 0; %s };\nvisits = { no_show = 0; declined = 0; " \
          "moved_away = 0; unsafe = 0; second_visit = 0; };\n"


# --- chance ---------------------------------------------------------------------------------------

def test_a_seed_is_the_same_life_again():
    first = live(JURA / "scenario.conf", years=3)
    again = live(JURA / "scenario.conf", years=3)

    assert first == again


def test_another_seed_is_another_life():
    answer = live(JURA / "scenario.conf", years=3, seeds=3)
    digests = answer["policies"][0]["digests"]
    second = live(JURA / "scenario.conf", years=3, seeds=1, first_seed=2)

    assert len(set(digests)) == 3
    assert second["policies"][0]["digests"] == [digests[1]]


def test_all_policies_meet_the_same_arrivals():
    answer = live(JURA / "scenario.conf", *VARIANTS, years=4, seeds=3)

    def arrivals(policy):
        """Sent or not: a policy that closes a sector keeps some from being sent."""
        found = {}
        for row in answer["policies"][policy]["rows"]:
            sent, kept = row["referrals"]["mean"], row["not_sent"]["mean"]
            found[row["year"], row["sector"], row["kind"]] = round(3 * (sent + kept))
        return {key: count for key, count in found.items() if count}

    assert len(VARIANTS) == 4
    assert all(arrivals(policy) == arrivals(0) for policy in range(4))
    assert figures(answer, 0, 2017) != figures(answer, 1, 2017)


def test_the_past_before_a_policy_is_shared():
    answer = live(JURA / "scenario.conf", *VARIANTS, years=4, seeds=2)
    weeks = [[week for week in policy["wait"] if week["day"] < "2016-09-01"]
             for policy in answer["policies"]]

    assert len(weeks[0]) > 130 and all(week == weeks[0] for week in weeks)
    assert answer["policies"][0]["wait"] != answer["policies"][1]["wait"]


# --- what is simulated ----------------------------------------------------------------------------

def test_about_as_many_come_as_are_said_from_where_they_are_said(write):
    answer = live(write(STREAM % (100, 'sectors = [ "dole" ];') + 'wake_weeks = 0;'), seeds=20)

    assert 95 < figures(answer)["referrals"] < 105
    assert figures(answer)["referrals"] == figures(answer, sector="dole")["referrals"]
    assert figures(answer, sector="champagnole") is None
    assert figures(answer, kind="workshop")["referrals"] == figures(answer)["referrals"]
    assert figures(answer, kind="household") is None


def test_a_season_says_when(write):
    text = 'seasons = ( { name = "winter"; april = 0; may = 0; june = 0; july = 0; august = 0; ' \
           'september = 0; } );\nwake_weeks = 0;\n'
    winter = live(write(text + STREAM % (80, 'season = "winter";')), seeds=10)
    waits = winter["policies"][0]["wait"]
    summer = [week["forecast_weeks"]["max"] for week in waits if "2014-06" < week["day"] < "2014-10"]

    assert 72 < figures(winter)["referrals"] < 88  # the year's sum stays what it is
    assert max(summer) == 0 and max(week["forecast_weeks"]["max"] for week in waits) > 1


def test_a_burst_comes_at_once(write):
    answer = live(write('bursts = ( { on = "2014-03-03"; count = 37; sectors = [ "dole" ]; } );\n'
                        + CERTAIN % ""))
    waits = {week["day"]: week["forecast_weeks"]["mean"] for week in answer["policies"][0]["wait"]}

    assert figures(answer, sector="dole", kind="workshop")["referrals"] == 37
    assert figures(answer)["visits"] == 37
    assert waits["2014-03-03"] == 0
    assert waits["2014-03-10"] == 9  # 34 or 33 left after a week, by four


def test_a_pair_that_is_away_visits_nobody(write):
    away = 'absences = ( { pair = "binome-1"; from = "2014-01-01"; to = "2014-12-31"; }, ' \
           '{ pair = "nobody"; from = "2014-01-01"; to = "2014-12-31"; } );\n'
    answer = live(write(STREAM % (50, "") + away))

    assert figures(answer)["referrals"] > 30 and figures(answer)["visits"] == 0
    assert figures(answer)["days_to_visit_median"] is None


def test_nobody_opens(write):
    answer = live(write(STREAM % (50, "") + "households = { withdraws_a_week = 0; };\n"
                        "visits = { no_show = 1000; declined = 0; moved_away = 0; unsafe = 0; };\n"))

    assert figures(answer)["visits"] == 0
    # Twice each, then they are given up; but for the last ones of the year.
    assert figures(answer)["no_shows"] > 1.8 * figures(answer)["referrals"] - 10
    assert figures(answer)["no_shows"] <= 2 * figures(answer)["referrals"]


def test_who_is_put_off_is_asked_again(write):
    """Referred while Lons-le-Saunier is closed in 2015: when it opens in 2016 nobody wants a visit."""
    text = STREAM % (40, 'sectors = [ "lons-le-saunier" ]; from = "2015-01-01"; to = "2015-12-31";')
    answer = live(write(text + CERTAIN % "notice = 0; lost_after_deferral = 1000;"), years=3)
    everyone = live(write(text + CERTAIN % "notice = 0; lost_after_deferral = 0;"), years=3)

    assert figures(answer, year=2015)["deferred"] > 20
    assert figures(answer, year=2015)["lost_after_deferral"] == figures(answer, year=2015)["deferred"]
    assert figures(everyone, year=2015)["lost_after_deferral"] == 0
    assert figures(everyone, year=2015)["visited_after_deferral"] \
        == figures(everyone, year=2015)["referrals"]


def test_nothing_is_sent_while_closed_or_suspended_when_so_said(write):
    text = STREAM % (60, 'sectors = [ "lons-le-saunier" ]; while_closed = 0;')
    answer = live(write(text), years=2)

    assert figures(answer, year=2015)["referrals"] == 0
    assert figures(answer, year=2015)["not_sent"] > 40
    assert figures(answer, year=2015, sector="lons-le-saunier")["not_sent"] \
        == figures(answer, year=2015)["not_sent"]


def test_too_many_suspend_outreach(write):
    calm = live(write(STREAM % (100, "") + "households = { notice = 0; };"))
    flood = live(write(STREAM % (600, "while_suspended = 0;") + "households = { notice = 0; };"))

    assert figures(calm)["suspended_weeks"] == 0
    assert figures(flood)["suspended_weeks"] > 10
    assert figures(flood)["suspended_weeks"] == figures(flood, sector="dole")["suspended_weeks"]
    assert figures(flood)["not_sent"] > 100
    assert max(week["forecast_weeks"]["max"] for week in flood["policies"][0]["wait"]) < 20


def test_households_tire_of_waiting(write):
    away = 'absences = ( { from = "2014-01-01"; to = "2014-12-31"; } );\n'
    answer = live(write(STREAM % (100, "") + away + "households = { withdraws_a_week = 500; };"))

    assert figures(answer)["withdrawn"] > 0.9 * figures(answer)["referrals"]


# --- what is printed ------------------------------------------------------------------------------

def test_the_table_names_every_policy_and_sector():
    done = sim("scenario", "--policy", VARIANTS[0], "--policy", VARIANTS[1], JURA / "scenario.conf",
               "--seeds", 1)

    def has(year, policy, rest):
        return re.search(rf"^{year}  {policy.stem}  {rest}", done.stdout, re.M)

    for sector in ("dole", "champagnole", "lons-le-saunier", "saint-claude", "all"):
        assert all(has(year, VARIANTS[0], sector + " ") for year in range(2014, 2018))
        assert has(2017, VARIANTS[1], sector + " ")
    assert has(2014, VARIANTS[1], f"as {VARIANTS[0].stem}$")  # nothing differs yet
    assert "2014 referrals by kind: department_social_worker" in done.stdout


def test_the_picture_is_well_formed_and_names_its_lines(tmp_path, write):
    odd = tmp_path / "R&D <2>.conf"
    odd.write_text(POLICY.read_text().replace('"communes.csv"', f'"{JURA}/communes.csv"'))
    live(JURA / "scenario.conf", POLICY, odd, years=3, more=("--svg", tmp_path / "wait.svg"))

    picture = xml.etree.ElementTree.parse(tmp_path / "wait.svg").getroot()
    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    lines = [path for path in picture.iter("{http://www.w3.org/2000/svg}path")
             if path.get("class") == "line"]

    assert {"policy", "R&D <2>", "Attente annoncée (semaines)", "janv. 2016"} <= set(texts)
    assert len({line.get("stroke") for line in lines}) == 2
    assert len({line.get("stroke-dasharray") for line in lines}) == 2


def test_a_picture_that_cannot_be_written_is_told(tmp_path):
    done = sim("scenario", "--policy", POLICY, JURA / "scenario.conf", "--years", 3, "--seeds", 1,
               "--svg", tmp_path / "none" / "wait.svg")

    assert done.returncode == 2 and "wait.svg: No such file" in done.stderr


# --- mistakes -------------------------------------------------------------------------------------

MISTAKES = [  # the file's second line on, what is told of which line
    ("wake_weeks = 53;", 2, "wake_weeks: is 53; must be a whole number from 0 to 52"),
    ("weak_weeks = 3;", 2, "weak_weeks: no option has this name here"),
    ('arrivals = (\n { kind = "workshop"; } );', 3, "arrivals[0].a_year: is missing"),
    ('arrivals = (\n { a_year = 3;\n kind = "mayor"; } );', 4, "arrivals[0].kind: is \"mayor\""),
    (STREAM % (3, '\nsectors = [ "dole",\n "paris" ];'), 4,
     "arrivals[0].sectors[1]: the first policy has no such sector"),
    (STREAM % (3, '\nseason = "winter";'), 3, "arrivals[0].season: there is no such season"),
    (STREAM % (3, '\nfrom = "2015-01-02";\nto = "2015-01-01";'), 4,
     "arrivals[0].to: lies before from"),
    (STREAM % (3, '\nwhile_closed = 1001;'), 3, "arrivals[0].while_closed: is 1001"),
    ('seasons = ( { name = "a"; },\n { name = "a"; } );', 3,
     "seasons[1].name: another season has this name"),
    ('bursts = ( { on = "2015-02-29";\n count = 3; } );', 2, "bursts[0].on: is \"2015-02-29\""),
    ('absences = ( { from = "2015-02-02";\n to = "2015-02-01"; } );', 3,
     "absences[0].to: lies before from"),
    ("visits = {\n no_show = 600; declined = 500; };", 2, "visits: no_show, declined"),
    ('before = "policy.conf";', 2, "before: stands alone"),
    ('policies_from = "2013-01-01";', 2, "policies_from: must lie after from"),
    ("households = { ill = 2L000; };", 2, "syntax error"),
]


@pytest.mark.parametrize("text, line, told", MISTAKES, ids=[row[2][:40] for row in MISTAKES])
def test_a_mistake_is_told_with_its_line(write, text, line, told):
    path = write(text)
    done = sim("scenario", "--policy", POLICY, path)

    assert done.returncode == 2 and done.stdout == ""
    assert f"{path}:{line}: {told}" in done.stderr, done.stderr


def test_all_mistakes_are_told_at_once(write):
    path = write("wake_weeks = 53;\n" + STREAM % (3, 'season = "winter";') + "oops = 1;\n")
    done = sim("scenario", "--policy", POLICY, path)

    assert len(done.stderr.splitlines()) == 3


def test_a_season_without_any_month_is_refused(write):
    months = "".join(f"{month} = 0; " for month in (
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december"))
    done = sim("scenario", "--policy", POLICY, write('seasons = ( { name = "never"; %s } );' % months))

    assert done.returncode == 2 and "seasons[0].name: nothing comes" in done.stderr


def test_a_policy_that_would_come_after_the_end_is_refused():
    done = sim("scenario", "--policy", POLICY, JURA / "scenario.conf", "--years", 2)

    assert done.returncode == 2 and "policies_from lies after the last day" in done.stderr


@pytest.mark.parametrize("arguments, told", [
    (["scenario"], "scenario needs --policy and a scenario FILE"),
    (["scenario", "--policy", POLICY], "scenario needs --policy and a scenario FILE"),
    (["scenario", "--years", "0", "x"], "--years: a whole number from 1 to 50 is expected"),
    (["scenario", "--seeds", "x", "x"], "--seeds: a whole number from 1 to 10000 is expected"),
    (["scenario", "a", "b"], "one argument too many"),
    (["scenario", "x", *(9 * ["--policy", POLICY])], "--policy: at most 8"),
    (["rehearse"], "no such command"), ([], "a command is expected"),
    (["replay", "--policy", POLICY, "--events", "-", "--until", "2015-01-01", "--seeds", "3"],
     "--seeds says nothing to replay"),
    (["scenario", "--policy", POLICY, "x", "--until", "2015-01-01"],
     "--until says nothing to scenario"),
    (["scenario-sample", "--json"], "--json says nothing to scenario-sample"),
    (["replay", "--policy", POLICY], "replay needs --policy, --events and --until")])
def test_a_wrong_command_line_is_told(arguments, told):
    done = sim(*arguments)

    assert done.returncode == 2 and told in done.stderr


def test_a_replay_without_any_case_says_so(tmp_path):
    events = tmp_path / "none.ndjson"
    events.write_text("")
    command = ["replay", "--policy", POLICY, "--events", events, "--until", "2014-01-01"]

    assert sim(*command).stdout == "no case is open at the end of 2014-01-01\n"
    assert json.loads(sim(*command, "--json").stdout)["cases"] == []


def test_the_sample_is_what_the_table_says():
    assert sim("scenario-sample").stdout == (ROOT / "config" / "scenario.sample.conf").read_text()
