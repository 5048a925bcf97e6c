"""Drawn clips as folders and sheets of the data sets that they imitate."""
