//! Load: puts the result into a database, all of it or nothing.

use std::{fmt, io, path::PathBuf};

use condotta::{class::ParamError, prelude::*, target::TargetError};

use crate::{in_folder, ranking::PreprocessWithLegacyTool, warehouse};

/// Loads the ranked months into the table `monthly_weather`.
#[derive(Task, Default)]
pub(crate) struct IngestToDatabase {
    /// Where the report is; by default on a file server that this program starts.
    #[param(significant = false)]
    report_url: Option<String>,
}

#[task]
impl Task for IngestToDatabase {
    fn requires(&self) -> Result<PreprocessWithLegacyTool, ParamError> {
        self.clone_as()
    }

    fn output(&self) -> Result<TableUpdate, ParamError> {
        Ok(TableUpdate {
            database: database()?,
            update_id: self.task_id(),
        })
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let update = run.output();
        let count = warehouse::load(&update.database, run.input().path(), &update.update_id)?;
        run.set_status_message(format!("{count} rows"));
        Ok(())
    }
}

/// A row of the table `table_updates`: it exists when the load of this id has been committed.
pub(crate) struct TableUpdate {
    database: PathBuf,
    update_id: String,
}

impl Target for TableUpdate {
    fn exists(&self) -> Result<bool, TargetError> {
        warehouse::is_marked(&self.database, &self.update_id).map_err(|error| TargetError::Io {
            action: "look for",
            target: self.to_string(),
            source: io::Error::other(error),
        })
    }
}

impl fmt::Display for TableUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}#table_updates/{}",
            self.database.display(),
            self.update_id
        )
    }
}

fn database() -> Result<PathBuf, ParamError> {
    Ok(in_folder("warehouse.sqlite")?.path().to_owned())
}

/// The wettest months as a table for people, if they have been loaded.
pub(crate) fn table() -> Result<Option<String>> {
    let update = IngestToDatabase::default().output()?;
    if !update.exists()? {
        return Ok(None);
    }
    warehouse::wettest(&update.database, 12).map(Some)
}
