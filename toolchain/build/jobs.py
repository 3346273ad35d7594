"""The pieces of work of a build: which packages are made by one run of a tool."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from toolchain.build.rpm import Pair
from toolchain.build.targets import Planned, architectures_last
from toolchain.model.release import Architecture, Format

# rpmbuild's start costs about 20 ms; a handful of specs in one run share it, and the progress
# still moves.
_SPECS_PER_RUN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Deb:
    """One package for dpkg-deb."""

    package: Planned

    @property
    def packages(self) -> tuple[Planned, ...]:
        """The package that this work makes."""
        return (self.package,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rpms:
    """Specs of one architecture for one rpmbuild."""

    pairs: tuple[Pair, ...]

    @property
    def packages(self) -> tuple[Planned, ...]:
        """The packages that this work makes."""
        return tuple(planned for pair in self.pairs for planned in pair.packages)


Job = Deb | Rpms


def jobs_of(packages: Sequence[Planned], *, workers: int) -> list[Job]:
    """The work that makes these packages; the rpms first, of which a run makes several."""
    debs = (Deb(package=planned) for planned in packages if planned.format is Format.DEB)
    rpms = [planned for planned in packages if planned.format is Format.RPM]
    return [*_rpms(list(_pairs(rpms)), workers), *debs]


def _rpms(pairs: Sequence[Pair], workers: int) -> Iterator[Rpms]:
    def architecture(pair: Pair) -> str:
        return pair.packages[0].rpm_architecture

    size = max(1, min(_SPECS_PER_RUN, len(pairs) // workers))
    for _, group in groupby(sorted(pairs, key=architecture), architecture):
        same = tuple(group)
        for start in range(0, len(same), size):
            yield Rpms(pairs=same[start : start + size])


def _pairs(packages: Iterable[Planned]) -> Iterator[Pair]:
    """One spec for each release and machine; the noarch database rides with the first."""

    def release(planned: Planned) -> str:
        return str(planned.release.version)

    for _, group in groupby(packages, release):
        ordered = sorted(group, key=architectures_last)
        machines = [p for p in ordered if p.package.architecture is not Architecture.ALL]
        others = tuple(p for p in ordered if p.package.architecture is Architecture.ALL)
        if not machines:
            yield Pair(packages=others)
        for number, planned in enumerate(machines):
            yield Pair(packages=(planned, *(others if number == 0 else ())))
