//! Names of tasks: families, namespaces, clashes.

use condotta::{prelude::*, registry};

mod reports {
    use condotta::prelude::*;

    condotta::namespace!("reports");

    #[derive(Task)]
    pub(crate) struct Daily;

    #[task]
    impl Task for Daily {}

    pub(crate) mod monthly {
        use condotta::prelude::*;

        #[derive(Task)]
        pub(crate) struct Summary;

        #[task]
        impl Task for Summary {}

        #[derive(Task)]
        pub(crate) struct Other;

        #[task(namespace = "own")]
        impl Task for Other {}

        #[derive(Task)]
        pub(crate) struct Bare;

        #[task(namespace = "")]
        impl Task for Bare {}
    }
}

mod reports_of_others {
    use condotta::prelude::*;

    #[derive(Task)]
    pub(crate) struct Weekly;

    #[task]
    impl Task for Weekly {}
}

#[derive(Task)]
struct Named;

#[task]
impl Task for Named {
    fn family() -> String {
        "Called".to_owned() + "ByCode"
    }
}

#[test]
fn a_family_is_a_name_in_the_nearest_namespace() {
    let cases = [
        (reports::Daily.task_id(), "reports.Daily__99914b932b"),
        (
            reports::monthly::Summary.task_id(),
            "reports.Summary__99914b932b",
        ),
        (reports::monthly::Other.task_id(), "own.Other__99914b932b"),
        (reports::monthly::Bare.task_id(), "Bare__99914b932b"),
        (reports_of_others::Weekly.task_id(), "Weekly__99914b932b"),
        (Named.task_id(), "CalledByCode__99914b932b"),
    ];
    for (id, expected) in cases {
        assert_eq!(id, expected);
    }
    assert!(registry::find("reports.Summary").is_ok());
}

#[test]
fn an_unknown_family_is_an_error_with_the_known_ones() {
    let Err(registry::RegistryError::Unknown { family, known }) = registry::find("Summary") else {
        panic!("it is known");
    };
    assert_eq!(family, "Summary");
    assert!(
        known.iter().any(|family| family == "reports.Summary"),
        "{known:?}"
    );
}

mod left {
    use condotta::prelude::*;

    #[derive(Task)]
    pub(crate) struct Ambiguous;

    #[task]
    impl Task for Ambiguous {}
}

mod right {
    use condotta::prelude::*;

    #[derive(Task)]
    pub(crate) struct Ambiguous;

    #[task]
    impl Task for Ambiguous {}
}

#[test]
fn two_tasks_of_one_family_are_an_error_that_names_both() {
    assert_eq!(left::Ambiguous.task_id(), right::Ambiguous.task_id());
    let expected = "it::families::left::Ambiguous and it::families::right::Ambiguous are both tasks of \
                    the family Ambiguous: give one of them another `family` or `namespace`";
    assert_eq!(registry::check().unwrap_err().to_string(), expected);
    assert_eq!(
        registry::find("Ambiguous")
            .map(drop)
            .unwrap_err()
            .to_string(),
        expected
    );
}
