"""The statuses that the scheduler knows for a task."""

PENDING = "PENDING"
FAILED = "FAILED"
DONE = "DONE"
RUNNING = "RUNNING"
BATCH_RUNNING = "BATCH_RUNNING"
#: Sent by old workers only.
SUSPENDED = "SUSPENDED"
UNKNOWN = "UNKNOWN"
DISABLED = "DISABLED"
