"""From a training run to a model that plays in the daemon."""
