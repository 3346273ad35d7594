"""`python -m toolchain` is the command `interlock`."""

from toolchain.cli import main

main()
