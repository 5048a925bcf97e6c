"""Every fold of a small network trained in one program, since all folds see the same images."""
