"""The command line: parse, call, print. Commands are imported when they are used."""

from toolchain.cli.main import main

__all__ = ["main"]
