"""Relations between two packages become windows, and names tell which is which."""

import pytest

from toolchain.edge.package_files import deb_relations
from toolchain.errors import UsageError
from toolchain.importer.facts import Facts
from toolchain.importer.pairing import Pair, paired
from toolchain.importer.versions import release_named
from toolchain.importer.windows import windows_of
from toolchain.model.carried import Field
from toolchain.model.version import Version

OWN = Version(4, 1, 0)
SCHEMAS = {Version(3, 0, 0): 10, Version(4, 0, 0): 11, OWN: 12, Version(5, 0, 0): 13}


def package(name: str, field: Field = Field.DEPENDS, relation: str = "") -> Facts:
    relations = tuple(deb_relations(field, relation))
    return Facts(where=f"{name}.deb", name=name, version=OWN, relations=relations)


@pytest.mark.parametrize(
    ("field", "relation", "schema"),
    [
        (Field.DEPENDS, "db (>= 4.0.0)", ">= 11"),
        (Field.DEPENDS, "db (>= 4.0.5-1)", ">= 12"),
        (Field.REQUIRES, "db (>> 4.0.0)", ">= 12"),
        (Field.DEPENDS, "db (= 4.1.0-1)", ">= 12, < 13"),
        (Field.BREAKS, "db (<< 4.0.0)", ">= 11"),
        (Field.CONFLICTS, "db (<= 4.0.9)", ">= 12"),
        (Field.CONFLICTS, "db (>= 5.0.0)", ">= 12, < 13"),
        (Field.DEPENDS, "db (>= 1.0.0)", ">= 10"),
        (Field.DEPENDS, "db", None),
        (Field.DEPENDS, "db (>= 4.0.0) | other", None),
        (Field.RECOMMENDS, "db (>= 4.0.0)", None),
        (Field.DEPENDS, "other (>= 4.0.0)", None),
    ],
)
def test_what_a_server_says_is_its_window_of_schemas(field, relation, schema):
    pair = Pair(version=OWN, servers=(package("app", field, relation),), databases=())
    found = windows_of(pair, "app", "db", SCHEMAS).schema
    assert (found.window if found else None) == schema


@pytest.mark.parametrize(
    ("field", "relation", "servers"),
    [
        (Field.CONFLICTS, "app (<< 4.0.0)", ">= 4.0.0"),
        (Field.BREAKS, "app (<< 1:4.0.0~rc1-1), app (>= 6)", ">= 4.0.0-rc1, < 6.0.0"),
        (Field.CONFLICTS, "app (<< 5.0.0), app (>= 4.0.0)", None),
    ],
)
def test_what_a_database_says_is_its_window_of_servers(field, relation, servers):
    pair = Pair(version=OWN, servers=(), databases=(package("db", field, relation),))
    found = windows_of(pair, "app", "db", SCHEMAS).servers
    assert (found.window if found else None) == servers


@pytest.mark.parametrize(
    ("names", "server", "database"),
    [
        (("shop-server", "shop-database"), "shop-server", "shop-database"),
        (("shop", "shop-db"), "shop", "shop-db"),
        (("shop-web", "shop-migrations", "other"), "shop-web", "shop-migrations"),
        (("zabbix",), "zabbix", ""),
    ],
)
def test_names_tell_the_sides(names, server, database):
    pairs = paired([package(name) for name in names], None, None)
    assert (pairs.server, pairs.database) == (server, database)


def test_names_that_tell_nothing_are_asked():
    with pytest.raises(UsageError, match="don't say which package is the server"):
        paired([package("a"), package("b")], None, None)
    with pytest.raises(UsageError, match="no package is named c"):
        paired([package("a")], "c", None)
    assert (
        paired([package("icinga2-bin"), package("icinga2-ido")], "icinga2-bin", "icinga2-ido").stem
        == "icinga2"
    )


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("1:4.1.0~rc1-2", "4.1.0-rc1"), ("v1.2", "1.2.0"), ("1.6.5+dfsg-1+deb12u13", "1.6.5"),
        ("2.0b2", "2.0.0-b2"), ("1.1.1a", None), ("1.1.1n-0", None), ("1.x", None),
        ("4.1.0-1.el9", "4.1.0"), ("1.2.3.4", None), ("nightly", None), ("1.2.0-5-gabc", None),
    ],
)  # fmt: skip
def test_versions_of_packages_and_tags_become_releases(text, release):
    assert str(release_named(text)) == str(release)
