"""What a package holds and relates to, decided before any format or file is touched."""
