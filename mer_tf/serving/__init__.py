"""A trained model at work: predictions of new clips, bundles that go from hand to hand, and the Python calls."""
