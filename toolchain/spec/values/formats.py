"""The names that the schemas give to checks of single values."""

from collections.abc import Callable, Mapping

from toolchain.spec.values import lines, names, packages, paths, targets, versions

FORMATS: Mapping[str, Callable[[str], None]] = {
    "binary-target": targets.program,
    "change-name": names.change,
    "column-name": names.column,
    "compression": packages.compression,
    "config-target": targets.config,
    "deb-relation": packages.deb_relation,
    "distribution": names.distribution,
    "environment-name": names.environment,
    "file-target": targets.file,
    "home-path": paths.home,
    "homepage": lines.homepage,
    "licence": lines.licence,
    "line": lines.line,
    "maintainer": lines.maintainer,
    "manual": paths.manual,
    "mode": packages.mode,
    "owner-name": names.owner,
    "product-name": names.product,
    "product-path": paths.inside_product,
    "release-date": versions.release_date,
    "rpm-relation": packages.rpm_relation,
    "schema-window": versions.schemas,
    "service-name": names.service,
    "state-path": paths.state,
    "summary": lines.summary,
    "table-name": names.table,
    "text": lines.paragraphs,
    "unit-line": lines.unit_line,
    "unit-name": names.unit,
    "user-description": lines.user_description,
    "user-name": names.user,
    "value": lines.value,
    "variable-name": names.variable,
    "version": versions.version,
    "version-window": versions.releases,
}
