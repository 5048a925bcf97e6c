"""One file a data set: its folders and its annotation sheet -> rows of a manifest, and what is wrong with them."""
