"""Whoever applies the cure of a window's problem is rid of it, and has no new one of his own making.

A window that is wrong may hide that another release does not fit either; that is told next.
"""

import re
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.properties.chains import FIRST_DAY, link_lists
from tests.unit.spec.chains import R, chain
from tests.unit.spec.memory import Memory
from toolchain.matrix.chain import Link
from toolchain.spec import Checked, Problem, check_product

KEYS = {
    "compatibility.server.schema": "schemas",
    "compatibility.server.peers": "peers",
    "compatibility.database.servers": "servers",
}
WINDOWS = {"window-too-wide", "window-too-narrow", "window-excludes-itself"}


@st.composite
def products(draw: st.DrawFn) -> dict[str, R]:
    """Releases with some windows declared, truly or not."""
    links = draw(link_lists())
    versions = [str(link.version) for link in links]
    numbers = sorted({link.schema for link in links})

    def window(points: list[str]) -> str | None:
        oldest = draw(st.none() | st.sampled_from(points))
        return None if oldest is None else f">= {oldest}"

    return {
        str(link.version): release(
            link, window([str(number) for number in numbers]), window(versions), window(versions)
        )
        for link in links
    }


def release(link: Link, schemas: str | None, peers: str | None, servers: str | None) -> R:
    return R(
        schema=link.schema,
        steps=tuple(f"{step.phase.value}:{step.change}" for step in link.steps),
        day=(link.date - FIRST_DAY).days,
        forms={change: form.value for change, form in link.forms.items()},
        schemas=schemas,
        peers=peers,
        servers=servers,
    )


def check(releases: dict[str, R], rollout: str, skew: int) -> Checked:
    files = chain(releases, rollout=rollout, skew=skew)
    return check_product(Memory({name: text.encode() for name, text in files.items()}), {})


def repaired(releases: dict[str, R], problem: Problem) -> list[dict[str, R]]:
    """The product after each of the things that the cure proposes.

    A step that has to move to another release is more than a test can do by itself.
    """
    found: list[dict[str, R]] = []
    if ", and begin" in problem.cure:
        return found
    version = Path(problem.origin.file).name.removesuffix(".yaml")
    bound = re.search(r"'>= ([^']+)'", problem.cure)
    if bound and problem.path in KEYS:
        changed = replace(releases[version], **{KEYS[problem.path]: f">= {bound[1]}"})
        found.append({**releases, version: changed})
    forms = re.search(r"server\.forms: \{(.+?)\}", problem.cure)
    user = re.search(r"the server of (\S+) uses only the new form", problem.message)
    if forms and user:
        wanted = dict(item.split(": ") for item in forms[1].split(", "))
        own = releases[user[1]]
        found.append({**releases, user[1]: replace(own, forms={**own.forms, **wanted})})
    return found


def known_by(problem: Problem) -> set[tuple[str, str, str]]:
    """Its place, and what is wrong; a window with two reasons not to be wider stands at one."""
    what, _, _ = problem.message.partition(";")
    return {(problem.origin.file, problem.code.value, word) for word in (problem.path, what)}


def uncovered(problem: Problem, cured: Problem) -> bool:
    """Whether it is told of another release, and names the one whose window is right now."""
    release = Path(cured.origin.file).name.removesuffix(".yaml")
    return problem.origin.file != cured.origin.file and release in problem.message


TWO_REASONS = {
    "1.0.0": R(schema=1),
    "2.0.0": R(schema=2, steps=("expand:c0",), day=10),
    "2.0.1": R(schema=2, steps=("expand:fix",), day=21, forms={"c0": "new", "fix": "new"}),
    "3.0.0": R(schema=2, day=20),
}


# The same examples in each run: a change of the code is what may make it fail, not chance.
@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(products(), st.sampled_from(["database-first", "any-order"]), st.integers(1, 3))
@example(TWO_REASONS, "any-order", 2)
def test_the_cure_of_a_window_cures(releases: dict[str, R], rollout: str, skew: int) -> None:
    checked = check(releases, rollout, skew)
    if any(each.code.value not in WINDOWS for each in checked.problems):
        return  # what is wrong with the changes themselves is told first
    before = {word for problem in checked.problems for word in known_by(problem)}
    for problem in checked.problems:
        for again in repaired(releases, problem):
            after = check(again, rollout, skew)
            assert str(problem) not in {str(each) for each in after.problems}
            new = [each for each in after.problems if not known_by(each) & before]
            own = [str(each) for each in new if not uncovered(each, problem)]
            assert not own, (str(problem), own)
