"""Why a server may, or may not, run on a shard: the chain of reasons as facts.

The facts carry their origins; whoever shows them writes the prose.
"""

from dataclasses import dataclass

from toolchain.matrix.chain import FormChain, product_chain
from toolchain.matrix.compatibility import (
    ShardState,
    fitting_servers,
    fitting_states,
    shard_states,
)
from toolchain.model.change import Form, Phase
from toolchain.model.history import history
from toolchain.model.law import compatible
from toolchain.model.origin import Origin
from toolchain.model.release import Product, Release
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One sentence of the chain, the line of the spec that says so, and whether it allows."""

    sentence: str
    allows: bool
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The verdict on one pair with its reasons, and what would fit instead."""

    server: Version
    schema: int
    database: Version
    fits: bool
    reasons: tuple[Reason, ...]
    servers_that_fit: tuple[Version, ...]
    schemas_that_fit: tuple[int, ...]


def states_of(product: Product, schema: int) -> tuple[ShardState, ...]:
    """The states in which a shard has that schema version, in order: their windows differ."""
    return tuple(state for state in shard_states(product) if state.handshake.schema == schema)


def explain(product: Product, server: Release, state: ShardState) -> Explanation:
    """Both halves of the law for one server and one shard state, with what lies behind them."""
    database = product.release(state.releases[0])
    schema = state.handshake.schema
    chain = product_chain(product)
    here, there = product.releases.index(server), product.releases.index(database)
    reasons = [_database_side(server, database), *_contracts(chain, here, there)]
    reasons += [_server_side(server, schema), *_needs(chain, here, there)]
    return Explanation(
        server=server.version,
        schema=schema,
        database=database.version,
        fits=compatible(server.server_handshake, state.handshake),
        reasons=tuple(reasons),
        servers_that_fit=tuple(release.version for release in fitting_servers(product, state)),
        schemas_that_fit=_wholly(product, server),
    )


def _wholly(product: Product, server: Release) -> tuple[int, ...]:
    """The schemas on which a server runs whatever release has left a shard there."""
    states, fitting = shard_states(product), fitting_states(product, server)
    partly = {state.handshake.schema for state in states if state not in fitting}
    return tuple(sorted({state.handshake.schema for state in states} - partly))


def _database_side(server: Release, database: Release) -> Reason:
    window = database.database.servers
    allows = server.version in window
    return Reason(
        sentence=f"database {database.version} (schema {database.database.schema}) accepts "
        f"servers {window}, and server {server.version} is "
        f"{'among them' if allows else 'not among them'}",
        allows=allows,
        origin=database.database.servers_origin,
    )


def _contracts(chain: FormChain, server: int, database: int) -> list[Reason]:
    """The contracts that took away an old form which the server cannot do without."""
    return [
        Reason(
            sentence=f"release {link.version} contracts '{step.change}': its old form, which"
            f" server {chain.links[server].version} uses alone, is gone from the shard",
            allows=False,
            origin=step.origin,
        )
        for link in history(chain.links, chain.links[database])
        for step in link.steps
        if step.phase is Phase.CONTRACT and chain.form(server, step.change) is Form.OLD
    ]


def _needs(chain: FormChain, server: int, database: int) -> list[Reason]:
    """The new forms that the server cannot do without and the shard has not got ready.

    The step that makes a change ready stands for it, the latest first: that one decides.
    """
    lacking = {
        change
        for change, form in chain.forms[server].items()
        if form is Form.NEW and change not in chain.held[database].ready
    }
    steps = {
        step.change: (link, step)
        for link in history(chain.links, chain.links[server])
        for step in link.steps
        if step.change in lacking and step.phase is not Phase.CONTRACT
    }
    return [
        Reason(
            sentence=f"release {link.version} {step.phase.value}s '{step.change}', of which server"
            f" {chain.links[server].version} uses the new form alone",
            allows=False,
            origin=step.origin,
        )
        for link, step in reversed(steps.values())
    ]


def _server_side(server: Release, schema: int) -> Reason:
    window = server.server.schemas
    allows = schema in window
    return Reason(
        sentence=f"server {server.version} runs on schemas {window}, and {schema} is "
        f"{'among them' if allows else 'not among them'}",
        allows=allows,
        origin=server.server.schemas_origin,
    )
