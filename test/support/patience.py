"""How long a test waits before it says that something hangs, and a node that is as patient."""

PATIENCE_S = 480.0  # a computer may be busy for minutes; pyproject.toml's timeout is longer

# Its last words wait until a client that is held up has heard them.
_PATIENT_AT_THE_END = """
from actseg_ros import segmentation_node
from actseg_ros.find import finder, server
segmentation_node.LAST_WORD_TIMEOUT_S = finder.LAST_RESULTS_S = 60.0
server.ARRIVAL_S = 1.0
raise SystemExit(segmentation_node.main())
"""
_LIMITS = {"stale_after_s": 60.0, "max_gap_s": 60.0, "max_age_s": 60.0}
# Arguments of Python: the segmentation node, for which a busy computer, or a camera that it holds
# up, is no fault. Parameters of a test's own may follow, and those win.
PATIENT_NODE = (
    *("-c", _PATIENT_AT_THE_END, "--ros-args"),
    *(word for name, value in _LIMITS.items() for word in ("-p", f"stream.{name}:={value}")),
)
