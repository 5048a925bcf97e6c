"""Other people's numbers: their predictions and logs scored as ours are, and their printed figures audited."""
