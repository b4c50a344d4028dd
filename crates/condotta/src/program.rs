//! The name of this program, by which a scheduler knows which assistants can run its tasks.

use std::sync::LazyLock;

static MODULE: LazyLock<String> = LazyLock::new(|| {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("rust:{name}")
});

/// What its tasks give as their module.
pub(crate) fn module() -> &'static str {
    &MODULE
}

/// The name of its executable.
pub(crate) fn name() -> &'static str {
    module().trim_start_matches("rust:")
}
