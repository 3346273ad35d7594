"""YAML text to the model: a product's directory in, the product or every problem of it out."""

from toolchain.spec.load import Checked, check_product, load_product
from toolchain.spec.problem import Problem

__all__ = ["Checked", "Problem", "check_product", "load_product"]
