"""From a product's directory to packages: short steps that join plans to the tools."""
