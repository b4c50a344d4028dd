"""The version of Luigi whose behaviour this package keeps."""

VERSION = "3.8.1"
