"""Every form of the law says what the pure function says: Debian's relations and rpm's."""

import functools
from datetime import date

import solv
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.chains import chains, pairs
from tests.properties.strategies import servers, shards, versions
from toolchain.matrix.chain import FormChain
from toolchain.model.law import ServerHandshake, ShardHandshake, compatible, peers_compatible
from toolchain.model.origin import Origin
from toolchain.model.relation import Operator, Relation
from toolchain.model.release import DatabaseSpec, Product, Release, RolloutPolicy, ServerSpec
from toolchain.plan.relations import database_relations, server_relations

HERE = Origin(file="generated")


def release(server: ServerHandshake, shard: ShardHandshake) -> Release:
    return Release(
        version=server.version,
        date=date(2026, 1, 1),
        revision=1,
        changelog=("Generated.",),
        server=ServerSpec(
            schemas=server.schemas,
            peers=server.peers,
            binaries=(),
            origin=HERE,
            schemas_origin=HERE,
            peers_origin=HERE,
        ),
        database=DatabaseSpec(
            schema=shard.schema, servers=shard.servers, origin=HERE, servers_origin=HERE
        ),
        origin=HERE,
    )


def product(*releases: Release) -> Product:
    return Product(
        name="demo",
        summary="Demo",
        description="Demo.",
        maintainer="Demo <demo@example.com>",
        homepage="https://example.com",
        licence="MIT",
        copyright="Demo",
        rollout=RolloutPolicy.DATABASE_FIRST,
        skew=0,
        protect=True,
        targets=(),
        releases=releases,
        origin=HERE,
    )


@functools.cache
def distribution(name: str) -> int:
    return int(getattr(solv.Pool, f"DISTTYPE_{name}"))


def installable(name: str, server: ServerHandshake, shard: ShardHandshake) -> bool:
    """Whether libsolv, in Debian's or rpm's manner, lets both packages stand on one host."""
    pool = solv.Pool()
    pool.setdisttype(distribution(name))
    pool.setarch("x86_64")
    repository = pool.add_repo("dist")
    demo = release(server, shard)
    operators = {
        Operator.EARLIER: solv.REL_LT,
        Operator.LATER_OR_EQUAL: solv.REL_GT | solv.REL_EQ,
        Operator.EQUAL: solv.REL_EQ,
    }

    def relation_id(relation: Relation) -> int:
        base = pool.str2id(relation.name)
        assert relation.operator is not None
        version = pool.str2id(str(relation.version))
        return int(pool.rel2id(base, version, operators[relation.operator]))

    def add(package: str, version: str, relations: tuple[Relation, ...]) -> object:
        solvable = repository.add_solvable()
        solvable.name, solvable.evr, solvable.arch = package, f"{version}-1", "noarch"
        own = pool.rel2id(pool.str2id(package), pool.str2id(f"{version}-1"), solv.REL_EQ)
        solvable.add_deparray(solv.SOLVABLE_PROVIDES, own)
        for relation in relations:
            fields = {"provides": solv.SOLVABLE_PROVIDES, "conflicts": solv.SOLVABLE_CONFLICTS}
            solvable.add_deparray(fields[relation.kind.value], relation_id(relation))
        return solvable

    demo_product = product(demo)
    both = [
        add("demo-server", demo.version.packaged, server_relations(demo_product, demo)),
        # The database's own version plays no part in the law.
        add("demo-database", "1.0.0", database_relations(demo_product, demo)),
    ]
    pool.createwhatprovides()
    jobs = [
        pool.Job(solv.Job.SOLVER_INSTALL | solv.Job.SOLVER_SOLVABLE, solvable.id)  # type: ignore[attr-defined]
        for solvable in both
    ]
    return not pool.Solver().solve(jobs)


@settings(max_examples=15, deadline=None)
@given(chains)
def test_libsolv_agrees_with_the_law_on_derived_chains(chain: FormChain):
    for server, shard in pairs(chain):
        law = compatible(server, shard)
        assert installable("DEB", server, shard) == law
        assert installable("RPM", server, shard) == law


@settings(max_examples=250, deadline=None)
@given(servers, shards)
def test_libsolv_agrees_with_the_law_on_debian_relations(
    server: ServerHandshake, shard: ShardHandshake
):
    assert installable("DEB", server, shard) == compatible(server, shard)


@settings(max_examples=250, deadline=None)
@given(servers, shards)
def test_libsolv_agrees_with_the_law_on_rpm_relations(
    server: ServerHandshake, shard: ShardHandshake
):
    assert installable("RPM", server, shard) == compatible(server, shard)


@given(servers, servers)
def test_peers_are_symmetric_and_the_newer_decides(one: ServerHandshake, other: ServerHandshake):
    assert peers_compatible(one, other) == peers_compatible(other, one)
    if one.version > other.version:
        assert peers_compatible(one, other) == (other.version in one.peers)


@given(servers, shards, versions(), st.integers(0, 30))
def test_a_raised_bound_never_lets_more_in(server, shard, version, schema):  # type: ignore[no-untyped-def]
    """Newer knows older: whatever a shard raises can only refuse more servers."""
    stricter = ShardHandshake(
        schema=shard.schema,
        servers=type(shard.servers)(max(shard.servers.oldest, version)),
    )
    open_shard = ShardHandshake(
        schema=shard.schema, servers=type(shard.servers)(shard.servers.oldest)
    )
    if compatible(server, stricter):
        assert compatible(server, open_shard)
