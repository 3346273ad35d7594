"""What makes every package of a build: the tools, Interlock itself, templates and licence."""

import hashlib
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from toolchain.edge.process import Command, Processes
from toolchain.edge.resources import (
    TemplateFiles,
    own_digest,
    own_sources,
    own_version,
    runner_files,
)
from toolchain.model.release import Format

_TOOLS = {Format.DEB: "dpkg-deb", Format.RPM: "rpmbuild"}
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9A-Za-z~+-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """`digest` stands for all of it; `code`, in hex too, for Interlock alone.

    `version` is Interlock's own, `tools` holds versions by name for each format, `shared` the
    files of the product that every package of a format is made with.
    """

    digest: str
    version: str
    code: str
    tools: Mapping[Format, Mapping[str, str]]
    shared: Mapping[Format, tuple[str, ...]]


def open_workshop(
    formats: Iterable[Format],
    templates: TemplateFiles,
    licence_text: str,
    licence_file: str | None,
    processes: Processes,
) -> Workshop:
    """Ask the tools of these formats for their versions; raises ToolError when one is missing."""
    ordered = sorted(formats, key=lambda item: item.value)
    lines = {
        format_: processes.run(Command(argv=(_TOOLS[format_], "--version"))).splitlines()[0]
        for format_ in ordered
    }
    library = zlib.ZLIB_RUNTIME_VERSION
    texts = (templates.digest_of_all(), licence_text, runner_files(), own_sources())
    state = repr(([*lines.values(), f"zlib {library}"], texts))
    licence = () if licence_file is None else (licence_file,)
    return Workshop(
        digest=hashlib.sha256(state.encode()).hexdigest(),
        version=own_version(),
        code=own_digest(),
        tools={
            format_: {_TOOLS[format_]: _number(line), "zlib": library}
            for format_, line in lines.items()
        },
        shared={
            format_: (
                *licence,
                *(
                    f"packaging/{name}"
                    for name in templates.overlay()
                    if name.startswith((f"{format_.value}/", "common/"))
                ),
            )
            for format_ in ordered
        },
    )


def _number(line: str) -> str:
    """The version in what a tool prints: `RPM version 4.18.0`."""
    match = _NUMBER.search(line)
    return match[0] if match else line
