//! Pipelines to read and run: each example is a program of its own beside this file.
//!
//! This library has tasks for a program in another crate, and the book: the code in its pages is compiled, and
//! run where it can be, as documentation tests.

pub mod library;

#[cfg(doctest)]
mod book {
    macro_rules! pages {
        ($($name:ident = $path:literal;)*) => {$(
            #[doc = include_str!(concat!("../", $path))]
            mod $name {}
        )*};
    }

    pages! {
        readme = "README.md";
        tutorial = "docs/tutorial.md";
        parameters = "docs/how-to/parameters.md";
        dependencies = "docs/how-to/dependencies.md";
        targets = "docs/how-to/targets.md";
        databases = "docs/how-to/databases.md";
        programs = "docs/how-to/programs.md";
        spark = "docs/how-to/spark.md";
        hadoop = "docs/how-to/hadoop.md";
        slurm = "docs/how-to/slurm.md";
        dynamic_dependencies = "docs/how-to/dynamic-dependencies.md";
        batching = "docs/how-to/batching.md";
        resources_priority_retry = "docs/how-to/resources-priority-retry.md";
        external_tasks = "docs/how-to/external-tasks.md";
        two_languages = "docs/how-to/two-languages.md";
        time_outs = "docs/how-to/time-outs.md";
        testing = "docs/how-to/testing.md";
        configuration = "docs/how-to/configuration.md";
        coming_from_luigi = "docs/coming-from-luigi.md";
    }

    #[cfg(feature = "storage")]
    pages! { storage = "docs/how-to/storage.md"; }
}
