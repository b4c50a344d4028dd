"""The native module: the engine as Python sees it."""

def version() -> str:
    """The version of the engine."""
