"""What the publisher remembers of a package, so that no later run has to read it again."""

import base64
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from toolchain.model.carried import Carried, Clause, Field, PackageFile
from toolchain.model.relation import Operator
from toolchain.model.release import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A package that is published, or was.

    `file` is the package as customers have it, signed, its path relative to the repository;
    `built` is the SHA-256 of what was handed in. `release` is the product's release that it
    belongs to, None for packages of other names. `gone` says since when it is out of the pool, in
    seconds since 1970.
    """

    id: int
    file: PackageFile
    built: str
    release: str | None
    stanza: str
    gone: int | None = None

    def within(self, repository: Path) -> PackageFile:
        """The package with the path at which it can be read."""
        return replace(self.file, path=str(repository / self.file.path))

    @property
    def name(self) -> str:
        """Name and version, for sentences."""
        return f"{self.file.name} {self.file.version}"


def packed(file: PackageFile) -> str:
    """A package's own words as JSON."""
    return json.dumps(
        {
            "path": file.path,
            "format": file.format.value,
            "name": file.name,
            "version": file.version,
            "architecture": file.architecture,
            "relations": [_relation(one) for one in file.relations],
            "protected": file.protected,
            "sha256": file.sha256,
            "size": file.size,
            "handshake": None
            if file.handshake is None
            else base64.b64encode(file.handshake).decode(),
            "control": file.control,
        }
    )


def _relation(relation: Carried) -> list[Any]:
    clauses = [
        [one.name, None if one.operator is None else one.operator.value, one.version]
        for one in relation.clauses
    ]
    return [relation.field.value, clauses]


# One publication asks for the packages of a channel again and again: to prove, for each index, for
# the page.
@lru_cache(maxsize=1 << 14)
def unpacked(text: str) -> PackageFile:
    """The package that `packed` wrote."""
    row = json.loads(text)
    handshake = row["handshake"]
    return PackageFile(
        path=row["path"],
        format=Format(row["format"]),
        name=row["name"],
        version=row["version"],
        architecture=row["architecture"],
        relations=tuple(
            Carried(
                field=Field(field),
                clauses=tuple(
                    Clause(
                        name=name,
                        operator=None if operator is None else Operator(operator),
                        version=version,
                    )
                    for name, operator, version in clauses
                ),
            )
            for field, clauses in row["relations"]
        ),
        protected=row["protected"],
        sha256=row["sha256"],
        size=row["size"],
        handshake=None if handshake is None else base64.b64decode(handshake),
        control=row["control"],
    )
