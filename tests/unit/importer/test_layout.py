"""A package's files as entries of a spec: nothing that it had is lost without a word."""

from datetime import date

import pytest

from toolchain.importer.drafts import ReleaseDraft
from toolchain.importer.facts import Facts, Installed, Kind
from toolchain.importer.layout import Layout, layout_of
from toolchain.importer.release_text import Written, release_text
from toolchain.importer.windows import Windows
from toolchain.model.version import Version

UNITS = "/lib/systemd/system/"
SERVICE = "[Service]\nExecStart=/usr/bin/shop\nUser=shop\n"


def laid_out(*installed: Installed, **units: str) -> Layout:
    facts = Facts(
        where="shop.deb",
        name="shop-server",
        version=Version(1, 0, 0),
        installed=installed,
        units={UNITS + name.replace("_at_", "@").replace("_", "."): units[name] for name in units},
    )
    return layout_of(facts)


def told(layout: Layout) -> str:
    return "; ".join(note.text for note in layout.notes if note.decide)


@pytest.mark.parametrize(
    ("unit", "text", "why"),
    [
        ("shop.timer", "", "is no service"),
        ("shop@.service", SERVICE, "is a template of services"),
        ("shop.service", "[Service]\n", "starts no programs"),
        ("shop.service", SERVICE + "ExecStart=/usr/bin/b\n", "starts 2 programs"),
        ("shop.service", "[Service]\nExecStart=shop 'x\n", "by its full path"),
    ],
)
def test_a_unit_that_no_spec_says_stays_a_file(unit: str, text: str, why: str):
    name = unit.replace("@", "_at_").replace(".", "_")
    layout = laid_out(Installed(path=UNITS + unit), **{name: text})
    assert [entry.target for entry in layout.files] == [f"/usr{UNITS}{unit}"]
    assert why in told(layout)


def test_a_second_unit_of_a_program_stays_a_file():
    layout = laid_out(
        Installed(path="/usr/bin/shop"),
        Installed(path=UNITS + "a.service"),
        Installed(path=UNITS + "b.service"),
        a_service=SERVICE,
        b_service=SERVICE,
    )
    (program,) = layout.binaries
    assert program.service is not None
    assert program.service.name == "a"
    assert [entry.target for entry in layout.files] == [f"/usr{UNITS}b.service"]
    assert "b.service starts /usr/bin/shop as another one does" in told(layout)


def test_all_settings_without_a_word_are_told():
    more = "".join(f"Limit{letter}=1\n" for letter in "ABCDEFGHIJKL")
    layout = laid_out(Installed(path="/usr/bin/shop"), shop_service=SERVICE + more)
    assert all(f"Limit{letter}=1" in told(layout) for letter in "ABCDEFGHIJKL")


def test_one_place_has_one_file():
    layout = laid_out(Installed(path="/bin/shop"), Installed(path="/usr/bin/shop"))
    assert [entry.target for entry in layout.binaries] == ["/usr/bin/shop"]
    assert "/usr/bin/shop is there twice" in told(layout)


def test_what_is_below_usr_local_goes_below_usr():
    path = "/usr/local/bin/shop"
    layout = laid_out(Installed(path=path), shop_service=f"[Service]\nExecStart={path}\n")
    (program,) = layout.binaries
    assert (program.target, program.service is not None) == ("/usr/bin/shop", True)
    assert layout.sources == {"usr/bin/shop": path}
    assert f"below /usr, as /usr/local is the administrator's: {path}" in told(layout)


def test_a_unit_that_nobody_can_read_stays_a_file_and_is_told():
    layout = laid_out(Installed(path=f"{UNITS}shop.service"), Installed(path=f"{UNITS}shop.timer"))
    assert [entry.target for entry in layout.files] == [
        f"/usr{UNITS}shop.service",
        f"/usr{UNITS}shop.timer",
    ]
    assert f"the unit /usr{UNITS}shop.service is not here to be read" in told(layout)


def test_owners_that_a_spec_does_not_know_are_told():
    config = Installed(path="/etc/shop.ini", kind=Kind.CONFIG, group="shop")
    layout = laid_out(config, Installed(path="/usr/share/shop.dat", owner="games", group="games"))
    assert [entry.group for entry in layout.config] == ["shop"]
    assert told(layout) == "what belonged to games:games is root's now: /usr/share/shop.dat"


def test_a_configuration_keeps_the_group_of_its_service():
    written = Written(
        draft=ReleaseDraft(version=Version(1, 0, 0)),
        day=date(2026, 1, 2),
        pair=None,
        layout=laid_out(
            Installed(path="/usr/bin/shop"),
            Installed(path="/etc/a.ini", kind=Kind.CONFIG, group="shop"),
            Installed(path="/etc/b.ini", kind=Kind.CONFIG, group="games"),
            shop_service=SERVICE,
        ),
        windows=Windows(),
        own=frozenset(),
        product="shop",
        by_hand={},
    )
    text, notes = release_text(written)
    assert "{source: etc/a.ini, target: /etc/a.ini, group: shop}" in text
    assert "{source: etc/b.ini, target: /etc/b.ini}" in text
    assert [str(note) for note in notes] == [
        "/etc/b.ini: it belonged to games; declare that user, or it is root's"
    ]
