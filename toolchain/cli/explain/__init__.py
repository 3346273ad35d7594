"""`interlock explain`: reasons in sentences, each with the line of the spec that says so."""

import click

from toolchain.cli.lazy import LazyGroup

_QUESTIONS = {
    "pair": "Say why a server may, or may not, run on a schema.",
    "change": "Say who uses which form of a change, and when the old one may go.",
    "stop": "Say why a rollout has to stop at a release, or why it need not.",
}


@click.command("explain", cls=LazyGroup, package="toolchain.cli.explain", lines=_QUESTIONS)
def command() -> None:
    """Explain a refusal, a change's life or a rollout's stop, with the lines of the specs."""
