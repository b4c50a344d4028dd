"""Servers on loopback that the tests of the storage modules talk to."""
