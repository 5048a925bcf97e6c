"""What a model is fed: clips with labels, features of a frozen encoder, images, flow images, key frames, blocks."""
