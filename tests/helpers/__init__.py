"""What tests of several files share: clips, trees, runs, small models, and processes beside the own one."""
