"""What database and server packages carry to run phases and to check at start: an island.

Python 3.9, the standard library and psycopg2 only; it works from wherever it is copied to. Both
packages carry `core`. A database package adds `database` with `phases` and `ledger`, a server
package `server` with `packages`; neither half knows the other.
"""
