"""The parts of Fleetdesk's servers that are the same in every release.

What a release says to its database is in `fleetdesk_release.store`, what its servers say to each
other in `fleetdesk_release.messages`.
"""
