"""Where in a video a face moves as fast and as little as a micro-expression: spotting without training."""
