//! Luigi's remote procedure calls as JSON, to and from the scheduler's own types.
