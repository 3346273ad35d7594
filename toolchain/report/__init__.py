"""Steps that gather what is known of a product and write it as one page."""
