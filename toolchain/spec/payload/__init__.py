"""The server half of a release: the files it installs and what it makes of them."""
