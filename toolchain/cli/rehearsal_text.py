"""A rehearsal for people at a terminal: the measured matrix, then each difference."""

from typing import TYPE_CHECKING

import click

from toolchain.cli.options import wide_console
from toolchain.spec.wording import counted

if TYPE_CHECKING:
    from toolchain.matrix.measured.differences import Differences
    from toolchain.matrix.measured.values import Measured

_STYLES = {"fits": "green", "false": "bold red", "wider": "yellow", "no": "dim"}


def print_rehearsal(name: str, measured: "Measured", found: "Differences") -> None:
    """Print the matrix and every difference."""
    _table(name, measured)
    for line in _lines(found):
        click.echo(line)
    click.echo(_summary(measured, found))


def _table(name: str, measured: "Measured") -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from toolchain.matrix.measured.differences import by_release, releases_of, servers_of  # noqa: PLC0415
    from toolchain.matrix.measured.verdict import Verdict, overall  # noqa: PLC0415

    columns = releases_of(measured)
    cells = by_release(measured)
    schemas = {state.release: state.shard.schema for state in measured.states}
    grid = Table()
    grid.add_column("server")
    for release in columns:
        grid.add_column(f"{release}\nschema {schemas[release]}", justify="center")
    used = set()
    for server in servers_of(measured):
        verdicts = [overall(cells.get((server, release), ())) for release in columns]
        used.update(verdicts)
        words = [Text(each.value, style=_STYLES.get(each.value, "")) for each in verdicts]
        grid.add_row(str(server), *words)
    if measured.cells:
        click.echo(f"{name}: which servers run on which shards, measured")
        wide_console().print(grid)
    for each in Verdict:
        if each in used:
            click.echo(f"{each.value}: {each.meaning}")


def _lines(found: "Differences") -> list[str]:
    from toolchain.matrix.measured import sentences  # noqa: PLC0415

    lines = []
    for promise in found.promises:
        lines += [
            f"error: {sentences.promise_sentence(promise)}",
            f"  {sentences.answer_sentence(promise.failure, varies=promise.varies)}",
            f"  {sentences.windows_sentence(promise)}",
        ]
        if promise.failure.statement is not None:
            lines += [f"    {line}" for line in promise.failure.statement.text.splitlines()]
    lines += [f"error: {sentences.broken_sentence(broken)}" for broken in found.broken]
    for comparison in found.schemas:
        lines.append(f"error: {sentences.schemas_sentence(comparison)}")
        for difference in comparison.differences:
            lines += [
                f"  {difference.name}",
                f"    upgraded: {sentences.definition(difference.upgraded)}",
                f"    fresh: {sentences.definition(difference.fresh)}",
            ]
    lines += [f"hint: {sentences.wider_sentence(wider)}" for wider in found.wider]
    lines += [f"hint: {sentences.order_sentence(order)}" for order in found.orders]
    if found.unmeasured:
        lines.append(f"hint: {sentences.unmeasured_sentence(found.unmeasured)}")
    return lines


def _summary(measured: "Measured", found: "Differences") -> str:
    states, cells = len(measured.states), len(measured.cells)
    half_way = sum(not state.ends for state in measured.states)
    wrong = len(found.promises) + len(found.schemas) + len(found.broken)
    if wrong:
        verdict = counted(wrong, "difference")
    elif any(cell.failures is not None for cell in measured.cells):
        verdict = "measured and declared agree"
    else:
        verdict = "no server could be measured"
    return (
        f"{verdict}: {counted(states, 'state')}, {half_way} of them half-way,"
        f" {counted(cells, 'pair')},"
        f" on PostgreSQL {measured.postgresql} ({measured.source})"
    )
