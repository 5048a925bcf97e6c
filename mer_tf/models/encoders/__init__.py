"""What turns one frame into a vector or a map: face networks, their parts and their weights."""
