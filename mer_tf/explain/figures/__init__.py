"""Maps and weights as pictures."""
