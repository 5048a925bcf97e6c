"""pictures/ of a finished run: what its model can show of itself."""
