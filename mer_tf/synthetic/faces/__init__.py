"""How a drawn face looks and moves: portraits, skin and light, head motion, one clip."""
