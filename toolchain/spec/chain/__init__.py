"""What must hold between the releases of a product."""
