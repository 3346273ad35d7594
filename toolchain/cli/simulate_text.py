"""What a simulation has come to, for people and for programs."""

from typing import Any

import click

from toolchain.simulate.episode import Setting
from toolchain.simulate.run import Result, Story
from toolchain.spec.wording import counted

_DAY = 86_400


def print_result(product: str, setting: Setting, seed: int, result: Result) -> None:
    """The answer first, then what the gates did, then the stories."""
    gates = ", ".join(sorted(gate.value for gate in setting.without))
    lifted = ", ".join(sorted(one.value for one in setting.lifted))
    click.echo(
        f"{product}: {counted(setting.servers, 'server')}, {counted(setting.shards, 'shard')},"
        f" seed {seed}: {counted(result.steps, 'step')} in {counted(result.episodes, 'episode')},"
        f" {result.seconds / _DAY:.1f} days of theirs"
        + (f"; without {gates}" if gates else "")
        + (f"; lifted: {lifted}" if lifted else "")
    )
    for outcome, count in result.outcomes:
        click.echo(f"{count:>9}  {outcome}")
    if result.reached is None:
        click.echo("no illegal state was reached")
    else:
        click.echo(f"an illegal state was reached: {result.reached}")
    if result.illegal is not None:
        _print_story("the shortest way to one", result.illegal)
    if result.late is not None:
        _print_story("an outage instead of a refusal", result.late)


def _print_story(title: str, story: Story) -> None:
    click.echo(f"\n{title} ({counted(story.commands, 'command')}):")
    for number, (second, sentence) in enumerate(story.sentences, start=1):
        click.echo(f"{number:>3}. {_clock(second)}  {sentence}")
    if story.otherwise is not None:
        click.echo(f"with all gates: {story.otherwise}")


def _clock(second: int) -> str:
    return f"{second // 3600}:{second // 60 % 60:02}:{second % 60:02}"


def result_json(product: str, setting: Setting, seed: int, result: Result) -> dict[str, Any]:
    """The answer as JSON; seconds are simulated ones."""
    return {
        "product": product,
        "servers": setting.servers,
        "shards": setting.shards,
        "seed": seed,
        "without": sorted(gate.value for gate in setting.without),
        "lifted": sorted(one.value for one in setting.lifted),
        "steps": result.steps,
        "episodes": result.episodes,
        "seconds": result.seconds,
        "outcomes": dict(result.outcomes),
        "illegal": result.reached,
        "stories": {
            name: None if story is None else _story_json(story)
            for name, story in (("illegal", result.illegal), ("late", result.late))
        },
    }


def _story_json(story: Story) -> dict[str, Any]:
    return {
        "hosts": story.hosts,
        "shards": story.shards,
        "commands": story.commands,
        "sentences": [
            {"second": second, "sentence": sentence} for second, sentence in story.sentences
        ],
        "with_all_gates": story.otherwise,
    }
