"""The engine under the package ``luigi``. Pipelines import ``luigi``; what is here is for that package."""

from condotta._engine import version

__all__ = ["version"]
