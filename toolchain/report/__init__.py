"""The report: specs, derivation, measurements and packages gathered for one page."""
