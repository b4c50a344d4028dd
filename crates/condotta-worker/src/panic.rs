//! Turns a panic of a task's code into an error with its message and place.

use std::{
    cell::{Cell, RefCell},
    fmt,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    sync::Once,
};

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static LAST: RefCell<Option<TaskPanic>> = const { RefCell::new(None) };
}

/// Code panicked that the worker called.
#[derive(Debug)]
pub(crate) struct TaskPanic {
    message: String,
    location: Option<String>,
}

impl fmt::Display for TaskPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.message)?;
        match &self.location {
            Some(location) => write!(f, " (at {location})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TaskPanic {}

/// Calls `code` and catches its panic, which is then not printed: it is the caller's to report.
pub(crate) fn guard<T>(code: impl FnOnce() -> T) -> Result<T, TaskPanic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(install_hook);
    DEPTH.set(DEPTH.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(code));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        LAST.take().unwrap_or_else(|| TaskPanic {
            message: payload_text(&*payload),
            location: None,
        })
    })
}

/// The place of a panic is known to the hook alone.
fn install_hook() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if DEPTH.get() > 0 {
            LAST.set(Some(describe(info)));
        } else {
            previous(info);
        }
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> TaskPanic {
    TaskPanic {
        message: payload_text(info.payload()),
        location: info.location().map(ToString::to_string),
    }
}

fn payload_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_message_and_place() {
        let error = guard(|| panic!("no {}", "luck")).expect_err("it panics");
        let text = error.to_string();
        assert!(text.starts_with("panicked: no luck (at "), "{text}");
        assert!(text.contains("panic.rs:"), "{text}");
    }

    #[test]
    fn what_does_not_panic_returns() {
        assert_eq!(guard(|| 7).expect("no panic"), 7);
    }
}
