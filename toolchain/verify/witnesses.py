"""Which witnesses there are on this machine, and which were demanded."""

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from toolchain.edge.process import Processes
from toolchain.errors import ToolError, UsageError
from toolchain.model.release import Format
from toolchain.verify.apt import Apt, find_apt
from toolchain.verify.dnf import find_dnf
from toolchain.verify.dose import find_dose
from toolchain.verify.witness import Witness

_INSTALL = {
    "apt": "install apt, or name a Debian tree with --apt-root",
    "dose": "install dose-distcheck (Debian)",
    "dnf": "install dnf and its Python module (Debian: dnf; Fedora: python3-dnf)",
}


def find_witnesses(
    formats: Collection[Format],
    demanded: Sequence[str],
    apt_roots: Sequence[Path],
    processes: Processes,
    work: Path,
    *,
    every: bool,
) -> tuple[Witness, ...]:
    """Those that are installed and understand a format that is here.

    Raises ToolError where a demanded one is missing, with what to install.
    """
    found: list[Witness] = []

    def room(name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=work))

    def look(name: str) -> None:
        match name:
            case "apt":
                roots: Sequence[Path | None] = (None, *apt_roots)
                for root in roots:
                    try:
                        programs = find_apt(processes, root)
                    except ToolError:
                        if root is not None or not apt_roots:
                            raise
                        continue
                    for program in programs:
                        place = room("apt")
                        found.append(
                            Apt(program=program, processes=processes, work=place, every=every)
                        )
            case "dose":
                found.append(find_dose(processes, room("dose")))
            case "dnf":
                found.append(find_dnf(processes, room("dnf"), every=every))

    understood = {"apt": Format.DEB, "dose": Format.DEB, "dnf": Format.RPM}
    for name, format_ in understood.items():
        if format_ not in formats:
            if name in demanded:
                raise UsageError(
                    f"--witness {name} has nothing to do: no {format_.value} is here",
                    f"name {format_.value} packages too",
                )
            continue
        try:
            look(name)
        except ToolError as error:
            if name in demanded or (name == "apt" and apt_roots):
                raise ToolError(error.message, _INSTALL[name], error.output) from error
    return tuple(found)
