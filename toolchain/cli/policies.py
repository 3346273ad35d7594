"""How `interlock check --policy` shows what each rollout policy costs."""

from typing import TYPE_CHECKING, Any

import click

from toolchain.cli.options import echo_json, table_console

if TYPE_CHECKING:
    from toolchain.matrix.policies import ChangeCost, DualCode
    from toolchain.model.release import Product


def show_policies(product: "Product", *, as_json: bool) -> None:
    """Print the comparison of the policies for a product without problems."""
    from toolchain.matrix.policies import compare_policies  # noqa: PLC0415

    costs = compare_policies(product)
    if as_json:
        echo_json(
            {
                "product": product.name,
                "rollout": product.rollout.value,
                "skew": product.skew,
                "changes": [_change_json(cost) for cost in costs],
            }
        )
        return
    _print(product, costs)


def _change_json(cost: "ChangeCost") -> dict[str, Any]:
    return {
        "change": cost.change,
        "ready": _text(cost.ready),
        "contracted": _text(cost.contracted),
        "declared_both": [str(version) for version in cost.declared],
        "policies": {
            policy.value: {
                "both_forms": [str(version) for version in dual.releases],
                "since": dual.since.isoformat() if dual.since else None,
                "single_form": _text(dual.single),
                "until": dual.until.isoformat() if dual.until else None,
                "days": dual.days,
            }
            for policy, dual in cost.costs
        },
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _print(product: "Product", costs: "tuple[ChangeCost, ...]") -> None:
    from rich.table import Table  # noqa: PLC0415

    from toolchain.model.release import RolloutPolicy  # noqa: PLC0415

    table = Table(title=f"{product.name}: servers that must work with two forms")
    table.add_column("change", overflow="fold")
    table.add_column("ready")
    table.add_column("contracted")
    for policy in RolloutPolicy:
        own = " (its own)" if policy is product.rollout else ""
        table.add_column(policy.value + own, overflow="fold")
    for cost in costs:
        cells = [_cell(cost.cost(policy)) for policy in RolloutPolicy]
        table.add_row(
            cost.change, _text(cost.ready) or "not yet", _text(cost.contracted) or "not yet", *cells
        )
    table_console().print(table)
    for policy in RolloutPolicy:
        click.echo(f"{policy.value}: {_summary([cost.cost(policy) for cost in costs])}")
    for cost in costs:
        if cost.declared:
            servers = ", ".join(map(str, cost.declared))
            click.echo(f"{cost.change}: both forms under either policy by its specs, in {servers}")


def _cell(dual: "DualCode") -> str:
    if not dual.releases:
        return "none"
    first, last = dual.releases[0], dual.releases[-1]
    span = f"{first}" if first == last else f"{first} to {last}"
    if dual.single is None:
        return f"{span}, since {dual.since} and until a later release"
    return f"{span}, {dual.days} days until {dual.single}"


def _summary(duals: "list[DualCode]") -> str:
    costly = [dual for dual in duals if dual.releases]
    if not costly:
        return "no server carries two forms; every shard is upgraded before the first server"
    releases = {version for dual in costly for version in dual.releases}
    changes = "1 change" if len(costly) == 1 else f"{len(costly)} changes"
    servers = "1 release" if len(releases) == 1 else f"{len(releases)} releases"
    days = sum(dual.days or 0 for dual in costly)
    open_ = sum(dual.days is None for dual in costly)
    more = f", {open_} of them not over yet" if open_ else ""
    return f"{changes} in two forms in the servers of {servers}, {days} days in all{more}"
