"""From a package plan to the bytes of each format; text comes from `packaging/`."""
