"""The connection between the referee and the confined worker."""
