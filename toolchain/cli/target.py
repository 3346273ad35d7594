"""The release that a fleet is to come to, as a command line names it."""

from typing import TYPE_CHECKING

from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.model.release import Product
    from toolchain.model.version import Version
    from toolchain.plan.rollout.world.facts import Chain


def wanted_release(product: "Product", chain: "Chain", text: str | None) -> "Version":
    """The release that is asked for; raises UsageError where nobody should go there."""
    from toolchain.model.version import Version  # noqa: PLC0415

    final = [facts.version for facts in chain.releases if facts.recommended]
    known = ", ".join(map(str, final))
    if text is None:
        if not final:
            raise UsageError(
                f"{product.name} has no final release that is not withdrawn", "name one with --to"
            )
        return final[-1]
    try:
        facts = chain.at(Version.parse(text))
    except ValueError as error:
        raise UsageError(str(error), f"{product.name} has {known}") from error
    except KeyError as error:
        raise UsageError(f"{product.name} has no release {text}", f"it has {known}") from error
    if facts.withdrawn is not None:
        why = facts.withdrawn.rstrip(".")
        raise UsageError(f"{text} is withdrawn: {why}", f"choose among {known}")
    return facts.version
