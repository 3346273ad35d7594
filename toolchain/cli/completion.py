"""`interlock completion`: the script that a shell sources."""

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Write the completion script of SHELL.

    For bash: interlock completion bash > ~/.local/share/bash-completion/completions/interlock
    """
    from toolchain.cli.main import interlock  # noqa: PLC0415  (it imports this module)

    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"click has no completion for {shell}")
    click.echo(completion(interlock, {}, "interlock", "_INTERLOCK_COMPLETE").source())
