"""What a step's SQL would do to a service that stays up."""
