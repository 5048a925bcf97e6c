"""Print requirements of setup.cfg and of the named extras: all but TensorFlow, or each at its lowest version.

python .ci/requirements.py without-tensorflow|lowest [EXTRA ...]
"""

import configparser
import re
import sys

how, *extras = sys.argv[1:]
setup = configparser.ConfigParser()
setup.read("setup.cfg")
wanted = [setup["options"]["install_requires"], *(setup["options.extras_require"][extra] for extra in extras)]
for requirement in "\n".join(wanted).split():
    if how == "lowest":
        print(re.sub(r">=([^,]+).*", r"==\1", requirement))
    elif not requirement.startswith("tensorflow"):
        print(requirement)
