"""Targets, tasks and clients for other systems; each module needs its own client library."""
