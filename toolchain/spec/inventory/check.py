"""inventory.yaml to a fleet: which host runs what, checked against the releases that there are."""

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.model.origin import Origin
from toolchain.model.version import Version
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.gather import gathered
from toolchain.spec.inventory.server import SoundServers
from toolchain.spec.inventory.shard import ShardReader, read_version
from toolchain.spec.located.node import Items, Path, Table
from toolchain.spec.located.read_yaml import Words, read_yaml
from toolchain.spec.located.text import decode
from toolchain.spec.problem import Complaint, Problem, Related
from toolchain.spec.shape.schema import SpecKind
from toolchain.spec.shape.structure import check_structure
from toolchain.spec.wording import show

# A fleet of a hundred thousand hosts, five values each.
NODE_LIMIT = 1_000_000

_WORDS = Words(
    empty="write the product, its servers and its shards",
    control="take it out: no name of a host or shard holds it",
)


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
    root, problems = read_yaml(shown, text, limit=NODE_LIMIT, words=_WORDS)
    document = Document(shown, shown, root, problems)
    check_structure(document, SpecKind.INVENTORY, SoundServers())
    reader = _Reader(document, chain)
    reader.check_product(product)
    fleet = Fleet(tuple(reader.servers()), tuple(reader.shards()))
    if document.sound() and not (fleet.servers or fleet.shards):
        document.complain(
            Complaint(
                Code.MISSING_KEY,
                "the fleet has neither servers nor shards",
                "add servers or shards",
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
        self._versions: dict[str, Version] = {}
        self._states = ShardReader(document, chain)

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
            version = self._version(entry.text("version"), (*path, "version"))
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
            state = self._states.read(entry, path)
            if first and state is not None:
                host = entry.text("host") if entry.has("host") else None
                yield Shard(name=name.text, state=state, host=host, origin=name.origin)

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

    def _version(self, text: str, path: Path) -> Version | None:
        # Thousands of hosts run a handful of versions.
        if text not in self._versions:
            version = read_version(self._document, self._chain, text, path)
            if version is None:
                return None
            self._versions[text] = version
        return self._versions[text]

    def _complain(self, code: Code, message: str, cure: str, path: Path) -> None:
        self._document.complain(Complaint(code, message, cure), path)
