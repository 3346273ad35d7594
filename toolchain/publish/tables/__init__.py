"""What the publisher remembers, a file for each idea; `publish.state` holds them together."""
