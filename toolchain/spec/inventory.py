"""inventory.yaml to a fleet: which host runs what, checked against the releases that there are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from toolchain.model.law import ShardHandshake
from toolchain.model.origin import Origin
from toolchain.model.version import Version
from toolchain.model.window import version_window
from toolchain.plan.rollout.facts import Chain
from toolchain.plan.rollout.inventory import Fleet, Server, Shard
from toolchain.plan.rollout.shard import ShardState, Stage, state_at
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.gather import gathered
from toolchain.spec.located.node import Items, Path, Table
from toolchain.spec.located.read_yaml import read_yaml
from toolchain.spec.located.text import decode
from toolchain.spec.problem import Complaint, Problem, Related
from toolchain.spec.shape.schema import SpecKind
from toolchain.spec.shape.structure import check_structure
from toolchain.spec.wording import show

# A fleet of a hundred thousand hosts, five values each.
NODE_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedInventory:
    """The fleet when nothing is wrong, or the problems by line."""

    fleet: Fleet | None
    problems: tuple[Problem, ...]


def check_inventory(shown: str, data: bytes, product: str, chain: Chain) -> CheckedInventory:
    """The fleet that an inventory describes, or every problem of it; raises nothing of its own.

    `shown` is the file as the user named it; `chain` holds the releases that hosts may run.
    """
    text = decode(shown, data)
    if isinstance(text, Problem):
        return CheckedInventory(fleet=None, problems=(text,))
    root, problems = read_yaml(shown, text, limit=NODE_LIMIT)
    document = Document(shown, shown, root, problems)
    check_structure(document, SpecKind.INVENTORY)
    reader = _Reader(document, chain)
    reader.check_product(product)
    fleet = Fleet(tuple(reader.servers()), tuple(reader.shards()))
    if document.sound() and not (fleet.servers or fleet.shards):
        document.complain(
            Complaint(
                Code.MISSING_KEY, "the fleet has neither servers nor shards", "add servers, shards"
            ),
            (),
        )
    if document.problems:
        return CheckedInventory(fleet=None, problems=gathered(document.problems, {shown: text}))
    return CheckedInventory(fleet=fleet, problems=())


class _Reader:
    """Reads what is sound and complains about what fits no release."""

    def __init__(self, document: Document, chain: Chain) -> None:
        self._document = document
        self._chain = chain
        self._names: dict[tuple[str, str], Origin] = {}

    def check_product(self, product: str) -> None:
        """An inventory of one product says nothing about another."""
        if self._document.sound(("product",)):
            named = self._document.top.text("product")
            if named != product:
                self._complain(
                    Code.WRONG_VALUE,
                    f"this is an inventory of {named}, and the product is {product}",
                    f"write {product}, or name the directory of {named}",
                    ("product",),
                )

    def servers(self) -> Iterator[Server]:
        """Every server whose entry is sound."""
        for at, entry in self._entries("servers"):
            path: Path = ("servers", at)
            if entry.has("host") == entry.has("hosts"):
                self._complain(
                    Code.MISSING_KEY,
                    "the entry has both host and hosts"
                    if entry.has("host")
                    else "the entry names no host",
                    "write one of the two, host: web1 or hosts: [web1, web2]",
                    path,
                )
                continue
            version = self._version(entry, "version", (*path, "version"))
            names = [(entry.scalar("host"), (*path, "host"))] if entry.has("host") else []
            names += [
                (name, (*path, "hosts", index)) for index, name in enumerate(entry.scalars("hosts"))
            ]
            for name, place in names:
                if self._first("host", name.text, name.origin, place) and version is not None:
                    yield Server(host=name.text, version=version, origin=name.origin)

    def shards(self) -> Iterator[Shard]:
        """Every shard whose entry is sound."""
        for at, entry in self._entries("shards"):
            path: Path = ("shards", at)
            name = entry.scalar("name")
            first = self._first("shard", name.text, name.origin, (*path, "name"))
            state = self._state(entry, path)
            if first and state is not None:
                yield Shard(name=name.text, state=state, origin=name.origin)

    def _entries(self, key: str) -> Iterator[tuple[int, Table]]:
        entries = self._document.top.nodes.get(key)
        for at, entry in enumerate(entries.nodes if isinstance(entries, Items) else ()):
            if isinstance(entry, Table) and self._document.sound((key, at)):
                yield at, entry

    def _first(self, kind: str, name: str, origin: Origin, path: Path) -> bool:
        known = self._names.setdefault((kind, name), origin)
        if known is origin:
            return True
        self._document.complain(
            Complaint(
                Code.DUPLICATE_NAME,
                f"the {kind} {show(name)} stands here and on line {known.line}",
                "keep one of the two",
            ),
            path,
            Related(origin=known, message=f"the same {kind}"),
        )
        return False

    def _version(self, entry: Table, key: str, path: Path) -> Version | None:
        version = Version.parse(entry.text(key))
        if version in self._chain.places:
            return version
        known = [str(facts.version) for facts in self._chain.releases]
        near = get_close_matches(str(version), known, n=1)
        self._complain(
            Code.WRONG_VALUE,
            f"there is no release {version} of the product",
            f"did you mean {near[0]}?" if near else f"the releases are {', '.join(known[-10:])}",
            path,
        )
        return None

    def _state(self, entry: Table, path: Path) -> ShardState | None:
        chain = self._chain
        if entry.has("release"):
            version = self._version(entry, "release", (*path, "release"))
            place = None if version is None else chain.places[version]
        elif entry.has("schema"):
            place = self._of_schema(entry.number("schema"), (*path, "schema"))
        else:
            self._complain(
                Code.MISSING_KEY,
                "the entry tells neither release nor schema",
                f"add the shard's release, for example release: {chain.releases[-1].version}",
                path,
            )
            return None
        if place is None:
            return None
        contracted = entry.flag("contracted", default=True)
        state = state_at(chain, place, Stage.CLOSED if contracted else Stage.READY)
        if state is None:
            self._complain(
                Code.WRONG_VALUE,
                f"no shard can stand at {chain[place].version}: no database package leads there",
                "name the release whose phases have run in the shard",
                path,
            )
            return None
        handshake = state.handshake
        servers = version_window(entry.text("servers")) if entry.has("servers") else None
        return replace(
            state,
            handshake=ShardHandshake(
                schema=entry.number("schema", handshake.schema),
                servers=servers or handshake.servers,
            ),
            ahead=frozenset(item.text for item in entry.scalars("steps")),
        )

    def _of_schema(self, schema: int, path: Path) -> int | None:
        """The first release with a schema: the ones after it have no steps."""
        chain = self._chain
        found = [
            at
            for at, facts in enumerate(chain.releases)
            if facts.packaged and facts.shard.schema == schema
        ]
        if not found:
            known = sorted({facts.shard.schema for facts in chain.releases})
            self._complain(
                Code.WRONG_VALUE,
                f"no release has schema {schema}",
                f"the schemas are {', '.join(map(str, known[-10:]))}",
                path,
            )
            return None
        brought = [at for at in found if chain[at].steps] or found[:1]
        if len(brought) > 1:
            versions = " and ".join(str(chain[at].version) for at in brought)
            self._complain(
                Code.WRONG_VALUE,
                f"schema {schema} is that of {versions}, which have other steps",
                "write the release instead of the schema",
                path,
            )
            return None
        return brought[0]

    def _complain(self, code: Code, message: str, cure: str, path: Path) -> None:
        self._document.complain(Complaint(code, message, cure), path)
