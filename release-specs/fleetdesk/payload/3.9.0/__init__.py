"""What sets this release of Fleetdesk apart from the others."""

VERSION = "3.9.0"
