"""Whole hosts, booted for tests: real systemd, apt, dnf, PostgreSQL and network links."""
