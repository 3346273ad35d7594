"""The `interlock` command: a table of subcommands, and the one place where errors end."""

import gc
import signal
import sys
from types import FrameType

import click

from toolchain.cli.lazy import LazyGroup
from toolchain.cli.streams import guard_streams
from toolchain.errors import EXIT_CODES, InterlockError, SpecError, ToolError

# One line each, so that `--help` imports no command.
_COMMANDS = {
    "init": "Write a commented, working skeleton of a product.",
    "import": "Make a product from packages and migrations that exist.",
    "check": "Check every file of a product and report all problems at once.",
    "build": "Build server and database packages as deb and rpm.",
    "verify": "Prove finished packages: ask real solvers about every pair.",
    "publish": "Publish packages in signed apt and yum repositories.",
    "rehearse": "Measure the windows: try every server on a real PostgreSQL.",
    "capture": "Take a server's statements from a staging database.",
    "show": "Show a product, or one release with its packages and relations.",
    "matrix": "Show which servers may run on which schemas.",
    "explain": "Explain a refusal, a change's life or a rollout's stop.",
    "plan": "Plan the least waves that bring a fleet to a release.",
    "status": "Show the fleet as its shards' ledgers say, now or live.",
    "report": "Write a page that shows what may run with what, and why.",
    "simulate": "Move a fleet by chance: rollouts, mistakes and faults.",
    "schema": "Write the JSON Schema of the specs, for editors.",
    "completion": "Write the completion script of a shell.",
}

# A command makes many objects that stay and few cycles: looking for these every 700 objects, as
# Python does by itself, takes up to a tenth of a command's time.
_OBJECTS_BETWEEN_COLLECTIONS = 100_000

_EPILOG = f"Exit codes: {'; '.join(f'{code} {meaning}' for code, meaning in EXIT_CODES.items())}."


@click.command(
    cls=LazyGroup,
    package="toolchain.cli",
    lines=_COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="interlock-release", prog_name="interlock")
def interlock() -> None:
    """Build paired server and database packages that fit each other, or are refused."""


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    """A polite `kill`, or a closed terminal, ends a build as Ctrl-C does: all cleaned up."""
    raise KeyboardInterrupt


def _report(error: InterlockError) -> None:
    if isinstance(error, SpecError) and error.problems:
        from toolchain.spec.report.text import text_report  # noqa: PLC0415

        click.echo(text_report(error.problems), err=True, nl=False)
        return
    click.echo(f"interlock: {error}", err=True)
    if isinstance(error, ToolError) and "--verbose" in sys.argv and error.output:
        click.echo(error.output.rstrip(), err=True)


def main() -> None:
    """Run the command line and end the process with the documented exit code."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    guard_streams()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP for us
            signal.signal(number, _terminated)
    try:
        if any(not argument or argument.endswith("=") for argument in sys.argv[1:]):
            from toolchain.cli.usage import require_values  # noqa: PLC0415

            require_values(sys.argv[1:])
        code = interlock.main(prog_name="interlock", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = 2
    except click.UsageError as error:
        from toolchain.cli.usage import usage_error  # noqa: PLC0415

        _report(usage_error(error))
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interlock: interrupted; nothing was changed", err=True)
        code = 130
    except InterlockError as error:
        _report(error)
        code = error.exit_code
    except Exception as error:  # noqa: BLE001  (the last border: a user never sees a traceback)
        sentence = f"internal error: {type(error).__name__}: {error}; please report it"
        click.echo(f"interlock: {sentence}", err=True)
        code = 70
    sys.exit(code if isinstance(code, int) else 0)
