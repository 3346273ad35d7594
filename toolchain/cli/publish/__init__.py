"""`interlock publish`: signed apt and yum repositories, a command for each thing to do."""

from pathlib import Path

import click

from toolchain.cli.lazy import LazyGroup
from toolchain.errors import UsageError

_DEEDS = {
    "add": "Offer packages in channels.",
    "promote": "Offer in other channels what one offers, byte for byte.",
    "withdraw": "Take a release out of channels at once.",
    "prune": "Take out what a rule does not keep.",
    "refresh": "Sign the indexes anew, and trust a former key no more.",
}
_MISPLACED = {
    "--promote": "promote RELEASE",
    "--withdraw": "withdraw RELEASE",
    "--prune": "prune",
    "--refresh": "refresh",
}


class _Deeds(LazyGroup):
    """A group that tells who begins with packages or options what to begin with."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*_DEEDS, *ctx.help_option_names) and _is_no_word(args[0]):
            words = {word.partition("=")[0] for word in args}
            begin = next((new for old, new in _MISPLACED.items() if old in words), "add PACKAGE...")
            raise UsageError(
                f"'interlock publish' begins with what to do, not with {args[0]}",
                f"write 'interlock publish {begin}' with the options behind it",
            )
        return super().parse_args(ctx, args)


def _is_no_word(text: str) -> bool:
    """Whether it is an option or a path, and no command that is spelt wrongly."""
    return text.startswith("-") or text.endswith((".deb", ".rpm")) or Path(text).exists()


@click.command("publish", cls=_Deeds, package="toolchain.cli.publish", lines=_DEEDS)
def command() -> None:
    """Publish packages in an apt and a yum repository, and change what its channels offer.

    Customers see the old indexes or the new ones, never a mixture. What is published stays as it
    is: the same version with other bytes is refused.
    """
