"""The parameter classes, by what their values are. They are used as :mod:`luigi.parameter`."""
