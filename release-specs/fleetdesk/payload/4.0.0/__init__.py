"""What sets this release of Fleetdesk apart from the others."""

VERSION = "4.0.0"
