//! A log file that begins anew each day, with the old ones beside it under their dates.
//!
//! As Python's `TimedRotatingFileHandler` does it for Luigi's server, but at midnight rather than
//! a day after the start: the file `x.log` becomes `x.log.2026-05-17`, and a week's are kept.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// How many old files are kept.
const KEPT: usize = 7;

/// A file of today's lines.
#[derive(Debug)]
pub(crate) struct RotatingFile {
    path: PathBuf,
    file: File,
    /// The day of what is in the file.
    day: Date,
}

impl RotatingFile {
    /// Opens the file, whose lines are of the day on which it was last written.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = append(path)?;
        let metadata = file.metadata()?;
        let written =
            Timestamp::try_from(metadata.modified()?).unwrap_or_else(|_| Timestamp::now());
        Ok(Self {
            path: path.to_owned(),
            file,
            day: day(written),
        })
    }

    /// Writes a line that was said at `time`.
    pub(crate) fn write(&mut self, line: &str, time: Timestamp) -> io::Result<()> {
        let today = day(time);
        if today > self.day {
            // A file that cannot be renamed is written on: lines are worth more than order.
            let _ = self.rotate();
            self.day = today;
        }
        self.file.write_all(line.as_bytes())
    }

    fn rotate(&mut self) -> io::Result<()> {
        if self.file.metadata()?.len() > 0 {
            fs::rename(&self.path, dated(&self.path, &self.day.to_string()))?;
            self.file = append(&self.path)?;
        }
        let mut old = self.old_files()?;
        old.sort();
        for path in old.iter().take(old.len().saturating_sub(KEPT)) {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    /// The files of earlier days.
    fn old_files(&self) -> io::Result<Vec<PathBuf>> {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let date = name
                .to_str()
                .and_then(|name| name.rsplit_once('.'))
                .filter(|(_, date)| date.parse::<Date>().is_ok());
            if let Some((_, date)) = date
                && dated(&self.path, date).file_name() == Some(&name)
            {
                found.push(folder.join(name));
            }
        }
        Ok(found)
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn day(time: Timestamp) -> Date {
    time.to_zoned_datetime(TimeZone::system()).date()
}

fn dated(path: &Path, date: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(date);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn each_day_has_its_file_and_a_week_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        fs::write(folder.path().join("server.log.old"), "not a day").unwrap();
        let mut log = RotatingFile::open(&path).unwrap();
        let start = Timestamp::now();
        for days in 0..10 {
            for line in ["first", "second"] {
                let time = start + (24 * days).hours();
                log.write(&format!("{line} of {days}\n"), time).unwrap();
            }
        }
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names().len(), 1 + 7 + 1, "{:?}", names());
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "first of 9\nsecond of 9\n"
        );
        let yesterday = dated(&path, &day(start + (24 * 8).hours()).to_string());
        assert_eq!(
            fs::read_to_string(yesterday).unwrap(),
            "first of 8\nsecond of 8\n"
        );
        assert!(names().contains(&"server.log.old".to_owned()));
    }

    #[test]
    fn a_file_of_today_is_written_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        fs::write(&path, "before\n").unwrap();
        let mut log = RotatingFile::open(&path).unwrap();
        log.write("after\n", Timestamp::now()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before\nafter\n");
    }
}
