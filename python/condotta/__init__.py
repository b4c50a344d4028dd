"""The engine under the package ``luigi``. Pipelines import ``luigi``; what is here is for that package."""

from condotta._engine import version
from condotta.installation import warn_of_stock_luigi

__all__ = ["version"]

# Also said by ``import luigi``, unless stock Luigi came later: then its ``luigi`` is in the place of ours.
warn_of_stock_luigi(__file__)
