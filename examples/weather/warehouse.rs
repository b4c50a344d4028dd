//! The database that the result goes to: the table, the marker that says what is in it, and the
//! table as people see it.

use std::path::Path;

use condotta::Error;
use rusqlite::Connection;

/// The table of the result.
pub(crate) const TABLE: &str = "monthly_weather";

/// Replaces the table's rows by those of a file and marks that `update_id` did it: both or neither,
/// for they are one transaction.
pub(crate) fn load(database: &Path, rows: &Path, update_id: &str) -> Result<u32, Error> {
    let mut database = Connection::open(database)?;
    let transaction = database.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS table_updates (
             update_id TEXT PRIMARY KEY, target_table TEXT NOT NULL, inserted TEXT NOT NULL);
         CREATE TABLE IF NOT EXISTS monthly_weather (
             rank INTEGER PRIMARY KEY, month TEXT NOT NULL, rain_days INTEGER NOT NULL,
             precipitation REAL NOT NULL, highest REAL NOT NULL, lowest REAL NOT NULL,
             normal REAL NOT NULL);
         DELETE FROM monthly_weather;",
    )?;
    let mut count = 0_u32;
    {
        let mut insert =
            transaction.prepare("INSERT INTO monthly_weather VALUES (?, ?, ?, ?, ?, ?, ?)")?;
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_path(rows)?;
        for row in rows.deserialize() {
            let (month, rain_days, precipitation, highest, lowest, normal): Row = row?;
            count += 1;
            insert.execute((
                count,
                month,
                rain_days,
                precipitation,
                highest,
                lowest,
                normal,
            ))?;
        }
    }
    transaction.execute(
        "INSERT OR REPLACE INTO table_updates VALUES (?, ?, datetime('now'))",
        (update_id, TABLE),
    )?;
    transaction.commit()?;
    Ok(count)
}

/// Month, rain days, precipitation, highest, lowest, normal.
type Row = (String, u32, f64, f64, f64, f64);

/// Whether the marker of this update is there. A database that is not there has no marker, and is
/// not made by looking.
pub(crate) fn is_marked(database: &Path, update_id: &str) -> Result<bool, Error> {
    if !database.exists() {
        return Ok(false);
    }
    let database = Connection::open(database)?;
    if !database.table_exists(None, "table_updates")? {
        return Ok(false);
    }
    let sql = "SELECT count(*) FROM table_updates WHERE update_id = ? AND target_table = ?";
    let count: u32 = database.query_row(sql, (update_id, TABLE), |row| row.get(0))?;
    Ok(count > 0)
}

/// The wettest months as a table for people.
pub(crate) fn wettest(database: &Path, limit: u32) -> Result<String, Error> {
    let database = Connection::open(database)?;
    let mut query = database.prepare(
        "SELECT rank, month, rain_days, precipitation, highest, lowest, normal
         FROM monthly_weather ORDER BY rank LIMIT ?",
    )?;
    let mut table = "rank  month    rain days  rain mm  highest  lowest  usual mean\n".to_owned();
    let mut rows = query.query([limit])?;
    while let Some(row) = rows.next()? {
        let (rank, month, rain_days): (u32, String, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let numbers: [f64; 4] = [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
        let [precipitation, highest, lowest, normal] = numbers;
        table += &format!(
            "{rank:>4}  {month}  {rain_days:>9}  {precipitation:>7.1}  {highest:>6.1}°  {lowest:>5.1}°  {normal:>9.1}°\n"
        );
    }
    Ok(table)
}
