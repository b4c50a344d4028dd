//! What a command answers: text for people, or JSON for programs.

use std::io::{self, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

use super::harmless::harmless;
use crate::error::{Failure, Kind};

/// An answer in both forms.
pub(crate) struct Answer {
    /// Lines, each with its end.
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    /// Prints one of the forms.
    pub(crate) fn print(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            let text = serde_json::to_string_pretty(&self.json);
            print(&format!("{}\n", text.unwrap_or_default()))?;
        } else {
            print(&self.text)?;
        }
        Ok(())
    }
}

/// Prints to standard output; whether anybody still reads that.
pub(crate) fn print(text: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match done {
        Ok(()) => Ok(true),
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let text = format!("cannot write to standard output: {error}");
            Err(Failure::new(Kind::Other, text))
        }
    }
}

/// Rows under headers, within the terminal's width. The last column takes what room is left.
pub(crate) fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headers);
    for row in rows {
        table.add_row(row.iter().map(|cell| harmless(cell)));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        let mut cells = rows.iter().filter_map(|row| row.get(at));
        if cells.all(|cell| cell.parse::<f64>().is_ok()) && !rows.is_empty() {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if let Some((terminal_size::Width(width), _)) = terminal_size::terminal_size() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `name: value` lines, the values in one column.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = facts.iter().map(|(name, value)| {
        let name = format!("{name}:");
        format!("{name:<0$} {value}\n", width + 1, value = harmless(value))
    });
    lines.collect()
}
