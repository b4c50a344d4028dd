//! Task classes for the tests of the command line.

use condotta_scheduler::Visibility;

use crate::class::{FlagKind, ParamSpec, TaskClass};

/// A parameter of that name.
pub(super) fn param(name: &'static str, flag: FlagKind, default: Option<&str>) -> ParamSpec {
    ParamSpec {
        name,
        description: format!("About {name}."),
        flag,
        form: "",
        default: default.map(str::to_owned),
        significant: true,
        visibility: Visibility::Public,
        positional: true,
        batchable: false,
        always_in_help: false,
        choices: Vec::new(),
        config: None,
    }
}

/// A task with a parameter of each kind, and one that is named like a flag of the core.
pub(super) static ALPHA: TaskClass = TaskClass {
    family: || "Alpha".to_owned(),
    type_name: || "tests::Alpha",
    description: "The first.",
    params: || {
        vec![
            param("date_hour", FlagKind::Value, None),
            param("text", FlagKind::Value, Some("")),
            param("loud", FlagKind::Switch, Some("False")),
            param("sure", FlagKind::OptionalBool, Some("False")),
            param("workers", FlagKind::Value, Some("7")),
        ]
    },
    build: Some(|_| unreachable!("these tests build no tasks")),
};

/// A task in a namespace.
pub(super) static BETA: TaskClass = TaskClass {
    family: || "deep.Beta".to_owned(),
    type_name: || "tests::Beta",
    description: "The second.\nWith more to say.",
    params: || vec![param("text", FlagKind::Value, None)],
    build: Some(|_| unreachable!("these tests build no tasks")),
};

/// A config section.
pub(super) static SECTION: TaskClass = TaskClass {
    family: || "storage".to_owned(),
    type_name: || "tests::Storage",
    description: "Where things are kept.",
    params: || vec![param("root_folder", FlagKind::Value, Some("/data"))],
    build: None,
};

pub(super) static CLASSES: [&TaskClass; 3] = [&ALPHA, &BETA, &SECTION];
