"""The bill of materials of one package, as CycloneDX 1.6 JSON.

Every regular file in the package is a component with its SHA-256, however many there are; those
of the runner stand inside the runner's. Declared dependencies have no version: which one a host
has is settled there. The bounds stand beside them as properties.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from toolchain.model.relation import Relation, RelationKind
from toolchain.plan.attestation import PURL, json_lines
from toolchain.render.described import Described, dependency_url, own_url

_SUPPLIER = re.compile(r"(.*?)\s*<([^<>]+)>")
_RELATION = "interlock:relation"
_RUNNER = "interlock-runner"


def sbom(described: Described) -> bytes:
    """The document's bytes; equal packages have equal ones."""
    package = described.package
    own, tool = own_url(described), f"{PURL}@{described.tool}"
    runner = f"{tool}#toolchain/runner"
    inside = f"/usr/lib/{package.name}/runner/"
    runners = [file for file in described.contents if file[0].startswith(inside)]
    others = [file for file in described.contents if not file[0].startswith(inside)]
    relations = package.all_relations(described.format)
    needs = sorted({each.name for each in relations if each.kind is RelationKind.DEPENDS})
    dependencies = {name: dependency_url(described, name) for name in needs}
    components = [
        *([_runner(described, runner, runners)] if runners else []),
        *(_dependency(name, url, relations) for name, url in dependencies.items()),
        *map(_file, others),
    ]
    inner = [runner] if runners else []
    leaves = [{"ref": ref} for ref in (*inner, *dependencies.values())]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, f"{own}#sha256={described.sha256}").urn,
        "version": 1,
        "metadata": {
            # The release's date: the only time that a build knows.
            "timestamp": datetime.fromtimestamp(package.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {
                "components": [
                    {"type": "application", "name": "interlock", "version": described.tool}
                ]
            },
            "component": _main(described, own, relations),
            "manufacturer": _organisation(package.maintainer, package.homepage),
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [*inner, *dependencies.values()]}, *leaves],
    }
    return json_lines(document)


def _main(described: Described, own: str, relations: Iterable[Relation]) -> dict[str, Any]:
    package = described.package
    return {
        "type": "application",
        "bom-ref": own,
        "supplier": _organisation(package.maintainer, package.homepage),
        "name": package.name,
        "version": package.full_version,
        "description": package.summary,
        "hashes": [_hash(described.sha256)],
        "licenses": [{"expression": package.licence}],
        "copyright": package.copyright,
        "purl": own,
        "properties": [
            {"name": "interlock:file", "value": described.file},
            *({"name": _RELATION, "value": str(each)} for each in relations),
        ],
    }


def _organisation(maintainer: str, homepage: str) -> dict[str, Any]:
    match = _SUPPLIER.fullmatch(maintainer)
    if match is None:
        return {"name": maintainer, "url": [homepage]}
    name, email = match.groups()
    return {"name": name, "url": [homepage], "contact": [{"name": name, "email": email}]}


def _hash(sha256: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": sha256}


def _file(file: tuple[str, str]) -> dict[str, Any]:
    path, sha256 = file
    return {"type": "file", "name": path, "hashes": [_hash(sha256)]}


def _runner(described: Described, url: str, files: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": url,
        "name": _RUNNER,
        "version": described.tool,
        "licenses": [{"expression": "Apache-2.0"}],
        "purl": url,
        "components": [_file(file) for file in files],
    }


def _dependency(name: str, url: str, relations: Iterable[Relation]) -> dict[str, Any]:
    bounds = [
        {"name": _RELATION, "value": str(each)}
        for each in relations
        if each.kind is RelationKind.DEPENDS and each.name == name
    ]
    return {
        "type": "library",
        "bom-ref": url,
        "name": name,
        "scope": "required",
        "purl": url,
        "properties": bounds,
    }
