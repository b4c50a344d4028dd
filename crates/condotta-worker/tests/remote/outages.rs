//! Servers that go and come back, and answers that are lost on the way.

use crate::Test;

pub const TESTS: &[(&str, Test)] = &[];
