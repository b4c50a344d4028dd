"""Notices stock Luigi in the same folder of packages: both bring the package ``luigi``, and files of one lie on the
other's. Reads the names in one folder and nothing else, for it runs at every import of ``luigi``.
"""

import os
import warnings

_ADVICE = (
    "Stock Luigi is installed beside condotta in {folder}, and both bring the package 'luigi', so that files of one "
    "have replaced the other's. Keep one: 'pip uninstall -y luigi condotta', twice where pip is old, then "
    "'pip install condotta' or 'pip install luigi'."
)


def stock_luigi_in(folder: str) -> bool:
    """Whether the metadata that pip keeps of stock Luigi are in this folder of packages."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(name.startswith("luigi-") and name.endswith(".dist-info") for name in names)


def warn_of_stock_luigi(package_file: str) -> None:
    """Warns once if stock Luigi shares the folder of packages with the package whose ``__init__`` file this is."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(package_file)))
    if stock_luigi_in(folder):
        warnings.warn(_ADVICE.format(folder=folder), stacklevel=3)
