"""The shard agent: keeps one local package for each shard at what the shard says of itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.config import NoShards, Shard, read_shards
from ..core.errors import Busy, ConfigurationError, RunnerError, UsageError, as_failure
from ..core.fleet import Outcome, Report
from ..core.law import Handshake
from ..packages.package_tools import Installed, PackageFailure, PackageTool, package_tool
from ..packages.shard_package import InstalledServer, ShardPackage, packaged, prefix, shard_package
from .agent_state import PAUSE, AgentFolder, AgentState, ShardState
from .handshakes import Told
from .registration import Applicant, refusal
from .release_file import ServerRelease

# Seconds that a sync by hand gives another one.
PATIENCE = 60.0

Read = Callable[[Sequence[Shard]], Mapping[str, Told]]


@dataclass(frozen=True)
class Agent:
    """Who keeps the packages: for which server, from which file, by which tool."""

    release: ServerRelease
    config: Path
    folder: AgentFolder
    read: Read
    tool: PackageTool

    def sync(self, *, background: bool) -> tuple[Outcome, ...]:
        """Read all shards and bring their packages to what they say.

        In the background a pause is kept. A shard that does not answer keeps its package.
        """
        state = self.folder.read()
        if background and state.rest(time.time()):
            return ()
        try:
            shards = read_shards(self.config)
        except NoShards:
            # A file that was emptied by mistake takes no gate down.
            return ()
        found = self.tool.installed(self.release.package, f"{prefix(self.release.product)}*")
        server = self._server(found)
        told = self.read(shards)
        outcomes, states = [], {}
        for shard in shards:
            before = state.shards.get(shard.name, ShardState(None, 0, 0))
            answer = told[shard.name]
            now = int(time.time())
            after = replace(before, tried=now, problem="")
            if answer.handshake is not None:
                after = replace(after, handshake=answer.handshake, read=now)
            outcome = self._bring(shard.name, answer, server, found)
            problem = "" if outcome.error is None else str(outcome.error)
            outcomes.append(outcome)
            states[shard.name] = replace(after, problem=problem)
        outcomes += self._remove_others(found, shards)
        self.folder.write(AgentState(states))
        return tuple(outcomes)

    def remove(self) -> tuple[Outcome, ...]:
        """Remove the packages of all shards, and let the timer rest for an hour."""
        found = self.tool.installed(f"{prefix(self.release.product)}*")
        outcomes = self._remove_others(found, ())
        if all(outcome.error is None for outcome in outcomes):
            self.folder.write(replace(self.folder.read(), paused_until=int(time.time()) + PAUSE))
        return outcomes

    def _server(self, found: Sequence[Installed]) -> InstalledServer:
        """The server that is installed, wholly, and whose release file was read."""
        # A dnf that was killed leaves two in rpm's database: the files are those of one of them.
        start = f"{packaged(self.release.server.version)}-"
        for one in found:
            if one.name == self.release.package and one.whole and one.version.startswith(start):
                return InstalledServer(self.release.server, one.version)
        raise Busy(
            f"{self.release.package} is being installed, or that broke off",
            "the next sync tries again; 'dpkg --configure -a' or 'dnf reinstall' mends it",
        )

    def _bring(
        self, shard: str, told: Told, server: InstalledServer, found: Sequence[Installed]
    ) -> Outcome:
        if told.handshake is None:
            return Outcome(shard, None, told.error)
        try:
            package = shard_package(self.release.product, shard, told.handshake, server)
            changed = self._install(package, found)
        except Exception as error:  # noqa: BLE001 - one shard's fault leaves the others alone
            return Outcome(shard, None, as_failure(error))
        line = f"{package.name} {package.version} is {'installed' if changed else 'there already'}"
        report = Report(
            (f"{line}: {package.handshake}",),
            {"package": package.name, "version": package.version, "changed": changed},
        )
        return Outcome(shard, report, self._misfit(shard, told.handshake))

    def _misfit(self, shard: str, handshake: Handshake) -> RunnerError | None:
        """Why the installed server may not work on the shard, whose package spares it."""
        return refusal(Applicant(self.release, "", ""), shard, handshake)

    def _install(self, package: ShardPackage, found: Sequence[Installed]) -> bool:
        there = [one for one in found if one.name == package.name]
        for one in there:
            if not one.is_shard_of(package.product):
                raise PackageFailure(
                    f"there is a {one.name} {one.version} that is no package of a shard",
                    "give the shard another name",
                )
        good = [one.version for one in there if one.whole and one.wanted]
        if good == [package.version] and len(there) == 1:
            return False
        with self.folder.work() as place:
            self.tool.install(package, place)
        return True

    def _remove_others(
        self, found: Sequence[Installed], shards: Sequence[Shard]
    ) -> tuple[Outcome, ...]:
        """Remove the packages of shards that are not among these."""
        product = self.release.product
        kept = {f"{prefix(product)}{shard.name}" for shard in shards}
        gone = [one for one in found if one.is_shard_of(product) and one.name not in kept]
        if not gone:
            return ()
        names = [one.name for one in gone]
        failure = None
        try:
            self.tool.remove(names)
        except RunnerError as error:
            failure = error
        return tuple(
            Outcome(
                one.name[len(prefix(product)) :],
                None
                if failure
                else Report(
                    (f"{one.name} {one.version} is removed",),
                    {"package": one.name, "version": None, "changed": True},
                ),
                failure,
            )
            for one in gone
        )


def installed_tool(package: str) -> PackageTool:
    """The tool that the server package was installed with; only root may use it.

    Raises UsageError and ConfigurationError.
    """
    if os.geteuid() != 0:
        raise UsageError("sync installs packages, which only root may", "run it as root")
    tool = package_tool(package)
    if tool is None:
        raise ConfigurationError(
            f"neither dpkg nor rpm knows {package}", "install it as a package of this host"
        )
    return tool
