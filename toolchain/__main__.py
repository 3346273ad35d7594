"""The command `interlock`, which is also `python -m toolchain`."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while Python still reads it ends it as later on."""
    try:
        from toolchain.cli import main as run  # noqa: PLC0415
    except KeyboardInterrupt:
        print("interlock: interrupted; nothing was changed", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
