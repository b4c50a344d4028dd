//! Pipelines to read and run: each example is a program of its own beside this file.
