"""Action units as displacement of face points, and the flow images and stacks that they give."""
