//! The list of operations on the page about the API is the one of the OpenAPI document.

use std::{collections::BTreeMap, env, fs, path::Path};

use condotta_server::api::document;
use serde_json::Value;

/// Where the list stands on the page.
const BEGIN: &str = "<!-- operations: begin -->\n";
const END: &str = "<!-- operations: end -->\n";
/// Set, the list is written anew.
const WRITE: &str = "CONDOTTA_WRITE_DOCS";

/// The operations by path.
fn list(document: &Value) -> String {
    let paths = document["paths"].as_object().expect("paths");
    let mut text = "| Operation | What it does | Query |\n| --- | --- | --- |\n".to_owned();
    let paths: BTreeMap<_, _> = paths.iter().collect();
    for (path, verbs) in paths {
        for (verb, operation) in verbs.as_object().expect("verbs") {
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(
                !summary.is_empty(),
                "{verb} {path} does not say what it does"
            );
            let summary = summary.replace('\n', " ").replace('|', "\\|");
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|parameter| parameter["in"] == "query");
            let names = in_query.map(|parameter| {
                let name = parameter["name"].as_str().unwrap_or_default();
                format!("`{name}`")
            });
            let names = names.collect::<Vec<_>>().join(", ");
            let row = format!("| `{} {path}` | {summary} | {names}", verb.to_uppercase());
            text += &format!("{} |\n", row.trim_end());
        }
    }
    text
}

#[test]
fn the_page_lists_what_there_is() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    let page = fs::read_to_string(&place).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the list has a beginning");
    let (listed, after) = rest.split_once(END).expect("the list has an end");
    let list = list(&document());
    if env::var_os(WRITE).is_some() {
        let page = format!("{before}{BEGIN}{list}{END}{after}");
        fs::write(&place, page).expect("the page can be written");
        return;
    }
    assert!(
        listed == list,
        "docs/api.md does not list the operations as they are: run \
         `{WRITE}=1 cargo test -p condotta-server --test api_reference`, and look at what changed"
    );
}
