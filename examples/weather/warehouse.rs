//! The database that the result goes to, and the table as people see it.

use condotta::{
    database::{Database, Value},
    prelude::*,
};

use crate::{Weather, in_folder};

/// The database of the settings, or a file of this name in the folder.
pub(crate) fn database(file: &str) -> Result<Database, Error> {
    match &Weather::get()?.database_url {
        Some(url) => Ok(Database::new(url)?),
        None => Ok(Database::sqlite(in_folder(file)?)),
    }
}

/// The wettest months as a table for people.
pub(crate) fn wettest(database: &Database, limit: u32) -> Result<String, Error> {
    let query = format!(
        "SELECT rank, month, rain_days, precipitation, highest, lowest, normal
         FROM monthly_weather ORDER BY rank LIMIT {limit}"
    );
    let mut table = "rank  month    rain days  rain mm  highest  lowest  usual mean\n".to_owned();
    database.query_snapshot(&query).for_each(|row| {
        let [
            Value::Integer(rank),
            Value::Text(month),
            Value::Integer(rain_days),
            Value::Double(precipitation),
            Value::Double(highest),
            Value::Double(lowest),
            Value::Double(normal),
        ] = row
        else {
            return Err(format!("{row:?} is no month").into());
        };
        table += &format!(
            "{rank:>4}  {month}  {rain_days:>9}  {precipitation:>7.1}  {highest:>6.1}°  {lowest:>5.1}°  {normal:>9.1}°\n"
        );
        Ok(())
    })?;
    Ok(table)
}
