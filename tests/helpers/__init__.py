"""What tests of several files share: clips, trees, runs, small models, and processes beside the own one."""

import pytest

pytest.register_assert_rewrite("helpers.run_checks", "helpers.still_face")
