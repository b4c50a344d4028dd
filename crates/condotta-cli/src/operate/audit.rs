//! `condotta audit`: what operators did, and when.

use serde_json::Value;

use super::{
    answer::{Answer, table},
    arguments::AuditArguments,
    connection::{Scheduler, now},
    time::relative,
};
use crate::error::Failure;

pub(super) fn run(arguments: &AuditArguments) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let since = arguments.since.map(|secs| (now() - secs).to_string());
    let after = arguments.after.map(|id| id.to_string());
    let limit = arguments.limit.to_string();
    let said = [
        ("limit", Some(limit.as_str())),
        ("by", arguments.by.as_deref()),
        ("operation", arguments.operation.as_deref()),
        ("on", arguments.on.as_deref()),
        ("since", since.as_deref()),
        ("after", after.as_deref()),
    ];
    let said = said.into_iter().filter_map(|(name, it)| Some((name, it?)));
    let query: Vec<(&str, &str)> = said.collect();
    let page = scheduler.get("audit", &query)?;
    let page = page.ok_or_else(|| scheduler.only_ours("notes nothing of what operators do"))?;
    let items = page["items"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = items.map(row).collect();
    let mut text = if rows.is_empty() {
        "nothing was done\n".to_owned()
    } else {
        let headers = ["ID", "WHEN", "WHO", "FROM", "DID", "TO", "DETAILS"];
        table(&headers, &rows)
    };
    if let Some(next) = page["next"].as_u64() {
        text += &format!("\nThere is more: go on with --after {next}\n");
    }
    Ok(Answer { text, json: page })
}

fn row(entry: &Value) -> Vec<String> {
    let text = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let at = entry["at"].as_f64();
    let who = match entry["let_in_by"].as_str() {
        Some("command") => format!("{} (command)", text("by")),
        _ => text("by"),
    };
    let details = entry["details"].as_object().into_iter().flatten();
    let details = details.filter(|(_, value)| !value.is_null());
    let details = details.map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    vec![
        entry["id"].to_string(),
        at.map_or("-".to_owned(), |at| relative(at, now())),
        who,
        text("address"),
        text("operation"),
        text("on"),
        details.collect::<Vec<_>>().join(", "),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_says_who_did_what_to_what() {
        let entry = json!({
            "id": 7, "at": now() - 61.0, "by": "anna", "let_in_by": "token", "address": "10.0.0.1",
            "operation": "set_limit", "on": "gpu", "details": {"before": null, "limit": 3},
        });
        let expected = [
            "7",
            "1m 1s ago",
            "anna",
            "10.0.0.1",
            "set_limit",
            "gpu",
            "limit=3",
        ];
        assert_eq!(row(&entry), expected);
        let nobody = json!({"id": 8, "by": "anybody", "let_in_by": "nothing", "details": {}});
        assert_eq!(row(&nobody)[2], "anybody");
    }
}
