"""A payload must not bring a file that Interlock puts into the package itself."""

import pytest

from tests.conftest import REPOSITORY
from toolchain.build.product import open_product
from toolchain.build.targets import plan_packages
from toolchain.edge.resources import runner_files
from toolchain.errors import SpecError
from toolchain.model.release import Format
from toolchain.plan.entry import Directory, Entry, File, Link, Payload
from toolchain.plan.once import require_once
from toolchain.plan.package import Role
from toolchain.render.deb import render_deb
from toolchain.render.rpm import render_rpm
from toolchain.render.templates import Templates
from toolchain.spec.payload.collisions import is_own
from toolchain.spec.problem import Complaint
from toolchain.spec.values import targets

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"


def test_check_knows_each_of_them():
    opened = open_product(FLEETDESK)
    release = opened.release("4.1.0")
    paths = set()
    for planned in plan_packages(opened.product, [release], opened.listing(), opened.sql()):
        arguments = Templates(opened.templates), opened.licence_text, runner_files()
        package = planned.package
        if package.role is not Role.SERVER:
            continue
        if planned.format is Format.DEB:
            entries = render_deb(package, *arguments).entries
        else:
            entries = render_rpm((package,), *arguments).images[0].entries
        own = (each for each in entries if isinstance(each, File))
        paths |= {each.path for each in own if not isinstance(each.content, Payload)}
    units = {
        f"/usr/lib/systemd/system/{service.name}{kind}.service"
        for service in release.server.services
        for kind in ("", "-registration")
    }
    assert len(paths - units) > 20
    assert {path for path in paths - units if not refused(path)} == set()


def refused(path: str) -> bool:
    try:
        (targets.config if path.startswith("/etc/") else targets.file)(path)
    except Complaint:
        return True
    return is_own("fleetdesk", path)


@pytest.mark.parametrize(
    ("second", "origin"),
    [
        (File(path="/usr/bin/demo", content=b""), "Interlock itself"),
        (File(path="/usr/bin/demo", content=Payload("other")), "the payload's other"),
        (Link(path="/usr/bin/demo", to="x"), "a directory of the payload"),
    ],
)
def test_the_build_finds_what_a_directory_brings(second: Entry, origin: str):
    first = File(path="/usr/bin/demo", content=Payload("web"))
    with pytest.raises(SpecError, match="another target") as refused:
        require_once([first, second])
    assert (
        refused.value.message
        == f"/usr/bin/demo would come from the payload's web and from {origin}"
    )


def test_a_directory_may_come_twice():
    require_once([Directory(path="/usr/lib/demo"), Directory(path="/usr/lib/demo")])
