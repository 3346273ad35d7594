"""What people and engines are told: the waves and their reasons, or why there are none."""
