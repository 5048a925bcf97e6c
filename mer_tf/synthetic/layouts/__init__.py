"""Folders and sheets alone, in the published names and numbers: every frame is the same tiny image."""
