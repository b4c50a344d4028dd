"""``python -m luigi`` is the ``luigi`` command."""

from luigi.cmdline import luigi_run

if __name__ == "__main__":
    luigi_run()
