"""What a report is made from, small: a product, and a rehearsal that never ran."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.samples import write_product
from toolchain.build.product import OpenProduct, open_product
from toolchain.matrix.measured.differences import differences
from toolchain.matrix.measured.values import Broken, Cell, Failure, Means, Measured, State
from toolchain.model.law import compatible
from toolchain.model.origin import Origin
from toolchain.model.release import Product
from toolchain.model.statement import Statement
from toolchain.model.version import Version
from toolchain.render.rehearsal import rehearsal_json

# What ends an element, an attribute, a style, a script, or a template's text, if nobody escapes it.
HOSTILE = """</script></style><script>window.hacked=1</script>"><img src=x onerror=window.hacked=1> {{ 7*7 }} '&"""

# A summary has 80 characters.
SHORT = "</title><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"

Pair = tuple[str, str]


def open_sample(directory: Path, releases: int = 3) -> OpenProduct:
    """Releases 1.0.0, 1.1.0, …: each server and each database accepts its predecessor's."""
    return open_product(write_product(directory, releases))


def hostile_product(directory: Path) -> OpenProduct:
    """A product in which every text that a spec lets anyone write is hostile."""
    root = write_product(directory, 3)
    quoted = "'" + HOSTILE.replace("'", "''") + "'"
    product = root / "product.yaml"
    product.write_text(
        product.read_text().replace("summary: Demonstration of a pair", f"summary: {SHORT!r}")
    )
    first, last = root / "1.0.0.yaml", root / "1.2.0.yaml"
    first.write_text(first.read_text().replace("- Release 1.0.0.", f"- {quoted}"))
    last.write_text(last.read_text() + f"withdrawn: {quoted}\n")
    return open_product(root)


def failure(product: Product, answer: str) -> Failure:
    statement = Statement(
        name="list-things",
        sql="SELECT 1",
        text="SELECT thing\nFROM demo_1",
        origin=Origin(file="statements/1.0.0.sql", line=3),
    )
    return Failure(means=Means.PREPARE, statement=statement, code="42P01", message=answer)


def rehearsal(
    product: Product,
    answers: Mapping[Pair, bool] = {},
    answer: str = 'relation "demo_1" does not exist',
    untried: tuple[str, ...] = (),
    broken: tuple[Broken, ...] = (),
) -> Measured:
    """A rehearsal that agrees with the windows but for some pairs of server and release."""
    states = tuple(
        State(release=one.version, action="the end", shard=one.shard_handshake, ends=True)
        for one in product.releases
    )
    cells = []
    for server in product.releases:
        for state in states:
            declared = compatible(server.server_handshake, state.shard)
            works = answers.get((str(server.version), str(state.release)), declared)
            failures = () if works else (failure(product, answer),)
            cells.append(
                Cell(
                    server=server.version,
                    state=state,
                    declared=declared,
                    failures=None if str(server.version) in untried else failures,
                )
            )
    return Measured(
        postgresql="15.0",
        source="nowhere",
        states=states,
        cells=tuple(cells),
        comparisons=(),
        broken=broken,
    )


def write_rehearsal(path: Path, product: Product, measured: Measured) -> Path:
    """The file that `interlock rehearse --json` would write."""
    found = differences(product, measured)
    path.write_text(json.dumps(rehearsal_json(product.name, measured, found)))
    return path


def version(text: str) -> Version:
    return Version.parse(text)
