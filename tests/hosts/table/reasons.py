"""Recognises, in what a package manager printed, a true reason why a server is kept out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.model.law import compatible
from toolchain.model.version import Version

from ..products import Packaged
from .rows import Speaker
from .shards import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a server does not fit a shard: as solvers say it with the shard's name, and without."""

    shard: str
    named: tuple[str, ...]
    unnamed: tuple[str, ...]

    def is_given(self, output: str) -> bool:
        """Whether the output has the reason and the shard's name."""
        return any(re.search(pattern, output, re.MULTILINE) for pattern in self.named)

    def is_hinted(self, output: str) -> bool:
        """Whether the output has the reason at least."""
        hinted = any(re.search(pattern, output, re.MULTILINE) for pattern in self.unnamed)
        return hinted or self.is_given(output)


def reasons(packaged: Packaged, situation: Situation, target: Version) -> tuple[Reason, ...]:
    """Every reason that stands between a server and the shards."""
    product, found = packaged.product, []
    server, handshake = product.server_package, product.release(target).server_handshake
    # What python-apt raises: it has no more to say of any conflict.
    apt = (
        r"pkgProblemResolver::Resolve generated breaks",
        rf"Reverse conflicts early remove for package '{server}[:']",
    )
    for name, state in situation.shards:
        shard = f"{product.name}-shard-{name}"
        if handshake.version not in state.handshake.servers:
            oldest = re.escape(state.handshake.servers.oldest.packaged)
            named: tuple[str, ...] = (
                # apt writes "(< 12)" where the package says "(<< 12)".
                rf"^ {shard} : Conflicts: {server} \(< {oldest}\)",
                rf"package {shard}-\S+ conflicts with {server} < {oldest} provided by {server}-",
                rf"^\t{server} < {oldest} conflicts with (\(installed\) )?{shard}-",
                rf"^ {shard} conflicts with {server} \(<< {oldest}\)",
            )
            found.append(Reason(shard=name, named=named, unnamed=apt))
        if state.handshake.schema not in handshake.schemas:
            schema, oldest = state.handshake.schema, str(handshake.schemas.oldest)
            needed = f"{server}-oldest-schema"
            named = (
                rf"^ {shard} : Conflicts: {needed} \(> {schema}\)",
                rf"package {shard}-\S+ conflicts with {needed} > {schema} provided by {server}-",
                rf"package {server}-\S+ conflicts with {product.schema_package} < {oldest} provided by {shard}-",
                rf"^\t{needed} > {schema} conflicts with (\(installed\) )?{shard}-",
                rf"^ {shard} conflicts with {needed} \(>> {schema}\)",
            )
            # rpm names who has the relation, and not who provides what it is about.
            rpm = rf"^\t{product.schema_package} < {oldest} conflicts with {server}-"
            found.append(Reason(shard=name, named=named, unnamed=(*apt, rpm)))
    return tuple(found)


def unfit(situation: Situation, packaged: Packaged, target: Version) -> tuple[str, ...]:
    """The shards that a server does not fit."""
    server = packaged.product.release(target).server_handshake
    shards = situation.shards
    return tuple(name for name, state in shards if not compatible(server, state.handshake))


def speaker(output: str, reasons: Sequence[Reason]) -> Speaker:
    """Who of the gates gave its reason in a command's output."""
    if re.search(r"is not installed: it does not fit|stays: \S+ \S+ does not fit", output):
        return Speaker.SCRIPT
    if any(reason.is_given(output) for reason in reasons):
        return Speaker.SOLVER
    if re.search(r"goes as far as its shards let it: .* held back by \S+-shard-", output):
        return Speaker.PLUGIN
    if re.search(r"does not fit shard", output):
        return Speaker.HOOK
    if re.search(r"ssential packages were removed|protected package", output):
        return Speaker.PROTECTION
    return Speaker.NOBODY


def sentence(output: str) -> str:
    """The line of the output that gives the reason."""
    wanted = r"does not fit|held back by|onflicts|protected|ssential packages were|kept back|Nothing to do"
    lines = [line.strip() for line in output.splitlines() if re.search(wanted, line)]
    return lines[0] if lines else output.strip().splitlines()[-1] if output.strip() else ""


def names_shard(output: str, name: str) -> bool:
    """Whether the output has the shard's name, in a sentence or in its package's name."""
    return bool(re.search(rf"(shard |-shard-){re.escape(name)}\b", output))
