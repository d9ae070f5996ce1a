"""What ids of plans, nodes, roles and rules look like."""

import re
from typing import Final

NODE_ID: Final = re.compile(r"[a-z0-9-]{1,64}")
RULE_ID: Final = re.compile(r"[a-z0-9_-]{1,40}")
JOB_ROLE: Final = RULE_ID
