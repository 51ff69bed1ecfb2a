"""The training command: recipes by name, one loop, checkpoints that go on bit by bit."""
