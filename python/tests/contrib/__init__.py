"""Tests of the modules in ``luigi.contrib``; a package, so that file names may equal those of the folder above."""
