"""Commands that pages show without running them there are run by another test, which is named here.

They need hosts, a live fleet, an hour or a network. A new one on any page fails until it is bound.
"""

import re

import pytest

from tests.conftest import REPOSITORY
from tests.docs.pages import DOCS
from tests.hosts.upgrade_tools import chef_apt, chef_dnf

_FENCED = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(
    r"^ {4,}((?:interlock|ansible-playbook|apt|apt-get|dnf|puppet|scripts/\S+|fleetdesk-\S+) .*)$",
    re.MULTILINE,
)
_PLAYBOOK = "ansible-playbook -i inventory.yml rollout.yml"

# The command's beginning, and the test that runs it with each of its options.
ELSEWHERE = {
    f"{_PLAYBOOK} -e": "hosts/test_fleet_rollout.py",
    _PLAYBOOK: "hosts/test_fleet_rollout.py",
    "apt-get -q": "hosts/upgrade_tools.py",
    "dnf -y": "hosts/upgrade_tools.py",
    "interlock capture": "postgres/test_capture.py",
    "interlock import": "real/test_import.py",
    "interlock plan release-specs/fleetdesk --shards": "postgres/test_plan_ledgers.py",
    "interlock rehearse release-specs/fleetdesk --json": "postgres/test_rehearse.py",
    "interlock simulate release-specs/fleetdesk": "unit/simulate/test_simulate.py",
    "scripts/fetch-procrastinate": "unit/test_fetch_procrastinate.py",
    "interlock build build/procrastinate": "hosts/products.py",
}


def shown() -> list[str]:
    """Every command that stands in a block without being run where it stands."""
    pages = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    written = DOCS / "reference/commands.md"
    found: set[str] = set()
    for page in pages:
        if page != written:
            text = _FENCED.sub("", page.read_text()).replace("\\\n", " ")
            found.update(" ".join(line.split()) for line in _COMMAND.findall(text))
    return sorted(found)


@pytest.mark.parametrize("command", shown())
def test_what_is_shown_is_run_elsewhere(command: str):
    bound = [start for start in ELSEWHERE if command.startswith(start)]
    assert bound, f"no test runs {command}: make it a ```console block, or bind it here"
    name = ELSEWHERE[max(bound, key=len)]
    test = (REPOSITORY / "tests" / name).read_text()
    for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", command):
        assert f'"{option}"' in test, f"{name} runs nothing with {option}"


def test_chefs_commands_are_those_of_the_page():
    package, version = "fleetdesk-server", "4.1.0-1"
    for words in (chef_apt(package, version), chef_dnf(package, version)):
        assert " ".join(words) in shown()
