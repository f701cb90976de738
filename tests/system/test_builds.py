"""One story, one digest: whichever compiler, at whatever optimisation, with sanitizers or without.

The short form compares the build under test with one by the other compiler, unoptimised and with
sanitizers; VIGIE_BUILDS=all (tests/campaign/builds) makes every one of them. Builds are kept beside the
build under test.
"""
import json
import os
import shutil
import subprocess

import pytest
from conftest import BUILD, PROGRAMS, ROOT, program
from test_story import FILES, JURA, MAPS

SANITIZED = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
BUILDS = {
    "clang-O0-sanitized": ("clang", ["-Doptimization=0", *SANITIZED]),
    "gcc-O0": ("gcc", ["-Doptimization=0"]),
    "gcc-O2": ("gcc", ["-Doptimization=2"]),
    "clang-O0": ("clang", ["-Doptimization=0"]),
    "clang-O2": ("clang", ["-Doptimization=2"]),
    "gcc-O2-sanitized": ("gcc", ["-Doptimization=2", *SANITIZED]),
}
CHOSEN = list(BUILDS) if os.environ.get("VIGIE_BUILDS") == "all" else list(BUILDS)[:1]


def build(name):
    """Path of this build's vigie-sim; only what changed is compiled again."""
    compiler, options = BUILDS[name]
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    folder = BUILD / "others" / name
    if not (folder / "build.ninja").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["meson", "setup", folder, ROOT, "-Dwerror=false", *options], check=True,
                       capture_output=True,
                       env={**os.environ, "CC": compiler, "CXX": {"gcc": "g++"}.get(compiler, "clang++")})
    done = subprocess.run(["ninja", "-C", folder, PROGRAMS["vigie-sim"]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    return folder / PROGRAMS["vigie-sim"]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    path = tmp_path_factory.mktemp("story") / "year.ndjson"
    with open(path, "w") as file:
        subprocess.run([program("vigie-feed"), "--print", "--rejects", str(path.parent), *MAPS,
                        *map(str, FILES)], stdout=file, stderr=subprocess.DEVNULL)
    return path


def replay(sim, story):
    done = subprocess.run([sim, "replay", "--policy", JURA / "policy.conf", "--events", story,
                           "--until", "2016-06-30", "--json"], capture_output=True, text=True,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1",
                               "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# the same program twice: nothing random, no address, no hash order is in the state
def test_same_story_gives_the_same_digest(story):
    assert replay(program("vigie-sim"), story) == replay(program("vigie-sim"), story)


# another compiler, another optimisation, sanitizers: the same digest, and every line of the answer
@pytest.mark.parametrize("name", CHOSEN)
def test_every_build_gives_the_same_digest(story, name):
    expected = replay(program("vigie-sim"), story)
    told = replay(build(name), story)

    assert json.loads(told)["digest"] == json.loads(expected)["digest"]
    assert told == expected


# chance is no exception: the same seeds give the same lives
@pytest.mark.parametrize("name", CHOSEN)
def test_every_build_lives_the_same_scenario(name):
    def live(sim):
        done = subprocess.run([sim, "scenario", "--policy", JURA / "policy.conf", JURA / "scenario.conf",
                               "--years", "3", "--seeds", "2", "--json"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    assert live(program("vigie-sim")) == live(build(name))


# a story that differs in one word gives another digest: the digest looks
def test_another_story_gives_another_digest(story, tmp_path):
    lines = story.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if '"cold"' in line)
    other = tmp_path / "other.ndjson"
    other.write_text("\n".join(line.replace('"cold"', '"damp"') if i == at else line
                               for i, line in enumerate(lines)) + "\n")

    assert json.loads(replay(program("vigie-sim"), story))["digest"] != \
        json.loads(replay(program("vigie-sim"), other))["digest"]
