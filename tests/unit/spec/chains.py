"""Small chains of releases, as specs with nothing in them but what a test is about."""

from dataclasses import dataclass, field
from datetime import date, timedelta

PRODUCT = """\
product: demo
summary: A demonstration
description: Releases that a test is about.
maintainer: Demo <demo@example.com>
homepage: https://example.com
licence: MIT
copyright: Demo
rollout: {rollout}
skew: {skew}
targets:
  deb: {{architectures: [all]}}
"""
FIRST_DAY = date(2026, 1, 1)


@dataclass(frozen=True, kw_only=True)
class R:
    """One release; `steps` are `expand:name`, `day` is when it came out, counted from the first."""

    schema: int
    steps: tuple[str, ...] = ()
    day: int | None = None
    forms: dict[str, str] = field(default_factory=dict)
    schemas: str | None = None
    peers: str | None = None
    servers: str | None = None
    package: bool = True
    withdrawn: str | None = None

    def text(self, version: str, day: int) -> str:
        """The spec; the release's line is 1, `version:` of the schema stands in line 6."""
        born = FIRST_DAY + timedelta(days=day if self.day is None else self.day)
        lines = [
            f"release: {version}", f"date: {born}", "changelog: [News.]",
            f"withdrawn: {self.withdrawn}" if self.withdrawn else "# not withdrawn",
            "schema:", f"  version: {self.schema}",
        ]  # fmt: skip
        lines += [] if self.package else ["  package: false"]
        for phase in ("expand", "migrate", "contract"):
            names = [step.split(":")[1] for step in self.steps if step.startswith(phase)]
            if names:
                lines.append(f"  {phase}:")
                lines += [
                    f"    - {{change: {name}, sql: sql/{name}.{phase}.sql}}" for name in names
                ]
        lines += ["server:", "  binaries: [{source: web, target: /usr/bin/demo}]"]
        if self.forms:
            lines.append("  forms:")
            lines += [f"    {change}: {form}" for change, form in self.forms.items()]
        server = [("schema", self.schemas), ("peers", self.peers)]
        declared = [f'{key}: "{window}"' for key, window in server if window]
        windows = [f"  server: {{{', '.join(declared)}}}"] if declared else []
        windows += [f'  database: {{servers: "{self.servers}"}}'] if self.servers else []
        lines += ["compatibility:", *windows] if windows else []
        return "\n".join(lines) + "\n"


def chain(
    releases: dict[str, R], *, rollout: str = "database-first", skew: int = 1
) -> dict[str, str]:
    """The files of a product with these releases, which came out a month after each other."""
    files = {"product.yaml": PRODUCT.format(rollout=rollout, skew=skew), "web": "#!/bin/sh\n"}
    for at, (version, release) in enumerate(releases.items()):
        files[f"{version}.yaml"] = release.text(version, 30 * at)
        for step in release.steps:
            phase, name = step.split(":")
            files[f"sql/{name}.{phase}.sql"] = "SELECT 1;\n"
    return files
