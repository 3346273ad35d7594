"""The packages that set clients up: made anew when what they hold is new, offered like others."""

import hashlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from toolchain.edge.package_files import read_package
from toolchain.edge.process import Processes
from toolchain.errors import UsageError
from toolchain.model.release import Format
from toolchain.plan.client import ClientSetup
from toolchain.publish.about import About
from toolchain.publish.arrivals import Arrival
from toolchain.publish.channel import Indexes
from toolchain.publish.client import build_client_packages, client_content
from toolchain.publish.keys import former_keys
from toolchain.publish.pool import Report, admit

_SERIAL = "client.serial"
_CONTENT = "client.content"


def client_setup(indexes: Indexes, channels: tuple[str, ...]) -> ClientSetup:
    """What clients have to know now; its serial is that of the last one. Raises UsageError."""
    about = About.remembered(indexes.state, indexes.product, indexes.url)
    enabled = "stable" if "stable" in channels else channels[0]
    try:
        return ClientSetup(
            product=indexes.product,
            summary=about.summary,
            url=indexes.url,
            channels=channels,
            enabled=(enabled,),
            keys=indexes.signer.described_keys(),
            former=former_keys(indexes),
            maintainer=about.maintainer,
            homepage=about.homepage,
            licence=about.licence,
            copyright=about.copyright,
            serial=max(1, int(indexes.state.settings.get(_SERIAL) or 1)),
            date=datetime.fromtimestamp(indexes.now, UTC).date(),
        )
    except ValueError as error:
        raise UsageError(f"no client can be set up: {error}") from error


def admit_client(
    indexes: Indexes, setup: ClientSetup, processes: Processes, report: Report
) -> ClientSetup:
    """Offer the set-up in all channels, unless it is what clients have already.

    Its serial tells, which comes back with it. Only in the formats that the repository has.
    """
    state = indexes.state
    formats = state.packages.formats()
    content = _content(setup, formats)
    if state.settings.get(_CONTENT) == content:
        return setup
    setup = replace(setup, serial=int(state.settings.get(_SERIAL) or 0) + 1)
    state.settings.set(_CONTENT, content)
    state.settings.set(_SERIAL, str(setup.serial))
    with tempfile.TemporaryDirectory(prefix="interlock-") as directory:
        paths = build_client_packages(setup, Path(directory), processes)
        files = [read_package(path, processes) for path in paths]
        new = [
            Arrival(file=file, release=None, known=None) for file in files if file.format in formats
        ]
        for record in admit(indexes, new, report, processes):
            for channel in setup.channels:
                state.channels.join(channel, record, indexes.now)
    return setup


def _content(setup: ClientSetup, formats: Iterable[Format]) -> str:
    """The digest of all that the packages hold, but for their number and day."""
    same = replace(setup, serial=1, date=date(1970, 1, 1))
    held = {one.value: client_content(same, one) for one in formats}
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()
