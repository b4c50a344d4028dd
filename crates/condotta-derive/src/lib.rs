//! Derive macros of condotta.
