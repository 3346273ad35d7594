"""Compatibility of a product's servers and schemas: computed from the law, and explained."""
