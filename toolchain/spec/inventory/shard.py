"""One shard of an inventory to its state: what is said must be what its release makes true."""

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property

from toolchain.model.change import Phase
from toolchain.model.law import ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window, version_window
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.possible import Possible
from toolchain.plan.rollout.world.shard import ShardState, Stage, state_at
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Path, Table
from toolchain.spec.problem import Complaint
from toolchain.spec.wording import show


def read_version(document: Document, chain: Chain, text: str, path: Path) -> Version | None:
    """A release of the chain; None, after a complaint, where there is no such release."""
    version = Version.parse(text)
    if version in chain.places:
        return version
    known = [str(facts.version) for facts in chain.releases]
    near = get_close_matches(text, known, n=1)
    document.complain(
        Complaint(
            Code.WRONG_VALUE,
            f"there is no release {version} of the product",
            f"did you mean {near[0]}?" if near else f"the releases are {', '.join(known[-10:])}",
        ),
        path,
    )
    return None


class ShardReader:
    """Reads the entries of shards whose shape is sound."""

    def __init__(self, document: Document, chain: Chain) -> None:
        self._document = document
        self._chain = chain
        self._possible = Possible(chain)

    def read(self, entry: Table, path: Path) -> ShardState | None:
        """The state of a shard; None, after a complaint, where the entry is not true of any."""
        place = self._place(entry, path)
        if place is None:
            return None
        contracted = entry.flag("contracted", default=True)
        state = state_at(self._chain, place, Stage.CLOSED if contracted else Stage.READY)
        if state is None:
            self._complain(
                Code.WRONG_VALUE,
                f"no shard can stand at {self._chain[place].version}: no database package leads"
                " there",
                "name the release whose phases have run in the shard",
                path,
            )
            return None
        if not contracted and state.stage is Stage.CLOSED:
            # A contract may have something to do only for shards that came another way.
            waiting = self._possible.handshakes(self._chain.places[state.release], Stage.READY)
            if not waiting:
                self._complain(
                    Code.WRONG_VALUE,
                    f"{state.release} has nothing to contract, so nothing of it can wait",
                    "delete contracted",
                    (*path, "contracted"),
                )
                return None
            state = replace(state, stage=Stage.READY, handshake=waiting[0])
        if entry.has("schema") or entry.has("servers"):
            handshake = self._handshake(entry, state, path)
            if handshake is None:
                return None
            state = replace(state, handshake=handshake)
        ahead = frozenset(self._ahead(entry, state, path))
        return replace(state, ahead=ahead) if ahead else state

    def _place(self, entry: Table, path: Path) -> int | None:
        if entry.has("release"):
            version = read_version(
                self._document, self._chain, entry.text("release"), (*path, "release")
            )
            return None if version is None else self._chain.places[version]
        if entry.has("schema"):
            return self._of_schema(entry.number("schema"), (*path, "schema"))
        self._complain(
            Code.MISSING_KEY,
            "the entry tells neither release nor schema",
            f"add the shard's release, for example release: {self._chain.releases[-1].version}",
            path,
        )
        return None

    def _handshake(self, entry: Table, state: ShardState, path: Path) -> ShardHandshake | None:
        """What the shard says of itself, where a shard in this state can say it."""
        at = self._chain.places[state.release]
        possible = self._possible.handshakes(at, state.stage)
        schema = entry.number("schema", state.handshake.schema)
        of_schema = [one for one in possible if one.schema == schema]
        if not of_schema:
            right = " or ".join(str(number) for number in sorted({one.schema for one in possible}))
            self._complain(
                Code.WRONG_VALUE,
                f"a shard at {state.release} has schema {right}, not {schema}",
                f"leave schema out, or write {self._other_release(schema)}",
                (*path, "schema"),
            )
            return None
        if not entry.has("servers"):
            known = state.handshake
            return known if known.schema == schema else of_schema[0]
        said = ShardHandshake(schema=schema, servers=version_window(entry.text("servers")))
        if self._possible.explains(at, state.stage, said):
            return said
        self._complain(
            Code.WRONG_VALUE,
            f"a shard at {_standing(state)} accepts servers"
            f" {' or '.join(_windows(of_schema))}, not {said.servers}",
            self._other_stage(at, state.stage, said),
            (*path, "servers"),
        )
        return None

    def _other_release(self, schema: int) -> str:
        fitting = [facts for facts in self._chain.releases if facts.shard.schema == schema]
        brought = [
            facts.version for facts in sorted(fitting, key=lambda each: each.withdrawn is not None)
        ]
        return f"release: {brought[0]}, which has {schema}" if brought else "the shard's release"

    def _other_stage(self, at: int, stage: Stage, said: ShardHandshake) -> str:
        other = Stage.READY if stage is Stage.CLOSED else Stage.CLOSED
        if self._possible.explains(at, other, said):
            waits = str(other is Stage.CLOSED).lower()
            return f"write contracted: {waits}, with which that is true"
        return "leave servers out, or write the release that the shard is at"

    def _ahead(self, entry: Table, state: ShardState, path: Path) -> Iterator[str]:
        """The steps that have run beyond the shard's release."""
        if not entry.has("steps"):
            return
        chain = self._chain
        past = chain.history(chain.places[state.release])
        run = {step.id for place in past for step in chain[place].steps}
        for index, item in enumerate(entry.scalars("steps")):
            place = (*path, "steps", index)
            known = self._steps.get(item.text)
            if known is None:
                near = get_close_matches(item.text, sorted(self._steps), n=1)
                self._complain(
                    Code.WRONG_VALUE,
                    f"no release of the product has the step {show(item.text)}",
                    f"did you mean {near[0]}?" if near else "name a step of a release's spec",
                    place,
                )
            elif item.text in run:
                self._complain(
                    Code.WRONG_VALUE,
                    f"{item.text} is no further step: it belongs to {state.release} already",
                    "delete it; steps are those of other releases",
                    place,
                )
            elif known[1] is Phase.CONTRACT and known[0] > state.release:
                self._complain(
                    Code.WRONG_VALUE,
                    f"{item.text} runs only in a shard that is at {known[0]}",
                    f"delete it, or write release: {known[0]} and contracted: false",
                    place,
                )
            else:
                yield item.text

    @cached_property
    def _steps(self) -> dict[str, tuple[Version, Phase]]:
        """Every step of the product, with the first release that has it."""
        found: dict[str, tuple[Version, Phase]] = {}
        for facts in self._chain.releases:
            for step in facts.steps:
                found.setdefault(step.id, (facts.version, step.phase))
        return found

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


def _windows(handshakes: list[ShardHandshake]) -> list[str]:
    windows: dict[Window[Version], None] = dict.fromkeys(one.servers for one in handshakes)
    return [str(window) for window in windows]


def _standing(state: ShardState) -> str:
    before = " before its contract" if state.stage is Stage.READY else ""
    return f"{state.release}{before}"
