//! The page that shows how things stand: tasks by status, workers, resources. Plain HTML without scripts.
//!
//! Whatever a worker or task said is put in as text, never as markup.

use std::fmt::Write;

use condotta_protocol::{Json, Object};
use serde_json::Value;

use crate::driver::{CallError, Handle, Reply};

const STATUSES: [&str; 7] = [
    "PENDING",
    "RUNNING",
    "BATCH_RUNNING",
    "DONE",
    "FAILED",
    "DISABLED",
    "UNKNOWN",
];
/// Rows of a table; more would make the page slow to read for people and browsers.
const MOST_ROWS: usize = 500;

/// The page as it is now.
pub(super) async fn page(handle: &Handle) -> Result<String, CallError> {
    let paused = ask(handle, "is_paused", Object::default()).await?;
    let mut page = String::from(HEAD);
    if paused["paused"] == true {
        page.push_str("<p class=\"paused\">Paused: no task is handed out.</p>\n");
    }
    page.push_str("<h2>Tasks</h2>\n");
    table(&mut page, &["Status", "Tasks"], counts(handle).await?);
    page.push_str("<h2>Workers</h2>\n");
    table(
        &mut page,
        &["Worker", "Host", "State", "First task"],
        workers(handle).await?,
    );
    page.push_str("<h2>Resources</h2>\n");
    table(
        &mut page,
        &["Resource", "In use", "Limit"],
        resources(handle).await?,
    );
    page.push_str("</body>\n</html>\n");
    Ok(page)
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"UTF-8\">
<title>Scheduler</title>
<link rel=\"stylesheet\" href=\"status.css\">
</head>
<body>
<h1>Scheduler</h1>
";

async fn ask(handle: &Handle, method: &str, arguments: Object) -> Result<Value, CallError> {
    match handle.call(method, arguments).await? {
        Reply::Value(value) => Ok(value),
        read @ Reply::Read(_) => {
            let mut text = Vec::new();
            read.write(&mut text);
            serde_json::from_slice(&text).map_err(|error| {
                CallError::Failed(format!("its answer to {method} is no JSON: {error}"))
            })
        }
    }
}

/// How many tasks have each status. A list that may show one task says how many there are when
/// there are more.
async fn counts(handle: &Handle) -> Result<Vec<Vec<Cell>>, CallError> {
    let mut rows = Vec::new();
    for status in STATUSES {
        let arguments = [
            ("status", Json::Text(status.to_owned())),
            ("max_shown_tasks", Json::Int(1)),
        ];
        let arguments = arguments.map(|(name, value)| (name.to_owned(), value));
        let list = ask(handle, "task_list", Object::from_iter(arguments)).await?;
        let count = list["num_tasks"].as_u64();
        let count = count.unwrap_or(list.as_object().map_or(0, |tasks| tasks.len() as u64));
        rows.push(vec![Cell::Text(status.to_owned()), Cell::Number(count)]);
    }
    Ok(rows)
}

async fn workers(handle: &Handle) -> Result<Vec<Vec<Cell>>, CallError> {
    let no_load = ("include_running".to_owned(), Json::Bool(false));
    let list = ask(handle, "worker_list", Object::from_iter([no_load])).await?;
    let columns = ["name", "host", "state", "first_task_display_name"];
    let row = |worker: &Value| columns.map(|column| text(&worker[column])).into();
    Ok(rows(&list, row))
}

async fn resources(handle: &Handle) -> Result<Vec<Vec<Cell>>, CallError> {
    let list = ask(handle, "resource_list", Object::default()).await?;
    let number = |value: &Value| Cell::Number(value.as_u64().unwrap_or_default());
    Ok(rows(&list, |resource| {
        vec![
            text(&resource["name"]),
            number(&resource["num_used"]),
            number(&resource["num_total"]),
        ]
    }))
}

fn rows(list: &Value, row: impl FnMut(&Value) -> Vec<Cell>) -> Vec<Vec<Cell>> {
    list.as_array().into_iter().flatten().map(row).collect()
}

fn text(value: &Value) -> Cell {
    Cell::Text(match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

enum Cell {
    Text(String),
    Number(u64),
}

fn table(page: &mut String, columns: &[&str], rows: Vec<Vec<Cell>>) {
    if rows.is_empty() {
        page.push_str("<p>None.</p>\n");
        return;
    }
    page.push_str("<table>\n<tr>");
    for column in columns {
        let _ = write!(page, "<th>{column}</th>");
    }
    page.push_str("</tr>\n");
    for row in rows.iter().take(MOST_ROWS) {
        page.push_str("<tr>");
        for cell in row {
            match cell {
                Cell::Text(text) => {
                    page.push_str("<td>");
                    escape(text, page);
                }
                Cell::Number(number) => {
                    let _ = write!(page, "<td class=\"number\">{number}");
                }
            }
            page.push_str("</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n");
    if rows.len() > MOST_ROWS {
        let _ = writeln!(page, "<p>And {} more.</p>", rows.len() - MOST_ROWS);
    }
}

/// Appends `text` so that a browser takes none of it for markup.
fn escape(text: &str, page: &mut String) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            plain => page.push(plain),
        }
    }
}
