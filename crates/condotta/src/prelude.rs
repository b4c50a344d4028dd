//! What a program of tasks uses: `use condotta::prelude::*;`.

pub use std::process::ExitCode;

pub use condotta_derive::{Config, ParameterEnum, Requires, Task, task};
pub use condotta_targets::{
    DirectoryTarget, Format, LocalTarget, ReadWrite as _, Target, UrlTarget,
};

pub use crate::{
    Error, Result,
    class::ParamError,
    event::EventKind,
    parameter::{Date, DateHour, DateInterval, DateMinute, DateSecond, Month, Year},
    task::{AnyTask, Config as _, Resources, RetryPolicy, Run, Task},
};
