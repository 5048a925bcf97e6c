"""The recogniser that ships with the package: how it was trained on drawn flow alone, and its use."""
