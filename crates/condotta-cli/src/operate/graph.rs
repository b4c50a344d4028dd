//! `condotta graph`: what a task depends on, or what depends on it, as a tree.
//!
//! A task that several others depend on is drawn in whole once, and named where it comes again. No
//! recursion follows the graph.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    answer::Answer, arguments::GraphArguments, connection::Scheduler, find, harmless::harmless,
};
use crate::error::Failure;

pub(super) fn run(arguments: &GraphArguments) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    let root = find::task(&scheduler, &arguments.task)?;
    if !arguments.common.json
        && arguments.limit > 0
        && let Some(near) = near(&scheduler, &root.id, arguments)?
    {
        return Ok(near);
    }
    let method = if arguments.inverse {
        "inverse_dep_graph"
    } else {
        "dep_graph"
    };
    let query = json!({ "task_id": root.id, "include_done": !arguments.hide_done });
    let graph = scheduler.call(method, &query)?;
    let nodes = graph.as_object().into_iter().flatten();
    let nodes: Vec<Value> = nodes
        .map(|(id, node)| {
            json!({
                "task_id": id,
                "family": node["name"],
                "params": node["params"],
                "status": node["status"],
                "next": node["deps"],
            })
        })
        .collect();
    let json = json!({ "root": root.id, "inverse": arguments.inverse, "tasks": nodes });
    let text = draw(&graph, &root.id, arguments.limit);
    Ok(Answer { text, json })
}

/// What is near the task, drawn, of a scheduler that need not be asked for all; `None` of another.
fn near(
    scheduler: &Scheduler,
    root: &str,
    arguments: &GraphArguments,
) -> Result<Option<Answer>, Failure> {
    // One more than are drawn, to know whether that is all.
    let limit = arguments
        .limit
        .saturating_add(1)
        .min(MOST_NODES)
        .to_string();
    let direction = if arguments.inverse { "down" } else { "up" };
    let mut query = vec![("task", root), ("direction", direction), ("limit", &limit)];
    query.extend(arguments.hide_done.then_some(("hide_done", "true")));
    let Some(found) = scheduler.get("graph", &query)? else {
        return Ok(None);
    };
    let nodes = found["nodes"].as_array().map(Vec::as_slice);
    let nodes = nodes.unwrap_or_default();
    let id = |at: &Value| {
        let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
        let node = at.and_then(|at| nodes.get(at));
        node.and_then(|node| node["id"].as_str())
            .unwrap_or_default()
    };
    let mut graph = json!({});
    for node in nodes {
        let shown = json!({ "status": node["status"], "deps": [] });
        graph[node["id"].as_str().unwrap_or_default()] = shown;
    }
    for edge in found["edges"].as_array().into_iter().flatten() {
        let (mut from, mut to) = (id(&edge[0]), id(&edge[1]));
        if arguments.inverse {
            std::mem::swap(&mut from, &mut to);
        }
        if let Some(next) = graph[from]["deps"].as_array_mut() {
            next.push(to.into());
        }
    }
    let mut text = draw(&graph, root, arguments.limit);
    if found["cut"] == true && !text.ends_with(MORE) {
        text += MORE;
    }
    Ok(Some(Answer {
        text,
        json: Value::Null,
    }))
}

/// A line to be drawn.
struct Line<'a> {
    id: &'a str,
    /// How many tasks are between it and the root; the root has none.
    depth: Option<usize>,
    /// Whether the levels above go on, of the deepest ones.
    goes_on: Vec<bool>,
    is_last: bool,
}

/// What stands below a graph that is not whole.
const MORE: &str = "… and more: see them with --limit, or all of them with --json\n";
/// The most tasks that are asked for at once.
const MOST_NODES: usize = 10_000;

/// The deepest level that is drawn further to the right than the one above.
const DEEPEST: usize = 40;

fn draw(graph: &Value, root: &str, limit: usize) -> String {
    let most = if limit == 0 { usize::MAX } else { limit };
    let mut out = String::new();
    let mut seen = HashSet::new();
    let mut lines = 0_usize;
    let mut stack = vec![Line {
        id: root,
        depth: None,
        goes_on: Vec::new(),
        is_last: true,
    }];
    while let Some(line) = stack.pop() {
        if lines == most {
            return out + MORE;
        }
        lines += 1;
        let node = &graph[line.id];
        let next = node["deps"].as_array().map(Vec::as_slice);
        let next = next.unwrap_or_default();
        let is_new = seen.insert(line.id);
        let again = if is_new || next.is_empty() {
            ""
        } else {
            " (see above)"
        };
        let status = node["status"].as_str().unwrap_or("UNKNOWN");
        out += &format!("{}{status} {}{again}\n", lead(&line), harmless(line.id));
        if !is_new {
            continue;
        }
        let mut goes_on = line.goes_on.clone();
        if line.depth.is_some() {
            goes_on.push(!line.is_last);
        }
        if goes_on.len() > DEEPEST {
            goes_on.remove(0);
        }
        let depth = Some(line.depth.map_or(0, |depth| depth + 1));
        // Luigi's order is that of a Python set.
        let mut ids: Vec<&str> = next.iter().filter_map(Value::as_str).collect();
        ids.sort_unstable();
        for (at, id) in ids.iter().enumerate().rev() {
            stack.push(Line {
                id,
                depth,
                goes_on: goes_on.clone(),
                is_last: at + 1 == ids.len(),
            });
        }
    }
    out
}

fn lead(line: &Line<'_>) -> String {
    // The root has nothing before it.
    let Some(depth) = line.depth else {
        return String::new();
    };
    let mut lead = String::new();
    if depth > DEEPEST {
        lead += &format!("[{depth}] ");
    }
    let goes_on = line.goes_on.iter();
    lead.extend(goes_on.map(|goes_on| if *goes_on { "│  " } else { "   " }));
    lead + if line.is_last { "└─ " } else { "├─ " }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_named_and_the_rest_is_drawn() {
        let graph = json!({
            "A": {"status": "PENDING", "deps": ["B", "C"]},
            "B": {"status": "DONE", "deps": ["D"]},
            "C": {"status": "FAILED", "deps": ["D", "\u{1b}"]},
            "D": {"status": "DONE", "deps": ["A"]},
            "\u{1b}": {"status": "UNKNOWN", "deps": []},
        });
        let text = "\
PENDING A
├─ DONE B
│  └─ DONE D
│     └─ PENDING A (see above)
└─ FAILED C
   ├─ UNKNOWN \\u{1b}
   └─ DONE D (see above)
";
        assert_eq!(draw(&graph, "A", 0), text);
        let cut = draw(&graph, "A", 2);
        assert!(cut.starts_with("PENDING A\n├─ DONE B\n…"), "{cut}");
    }

    #[test]
    fn deep_graphs_need_no_deep_stack_and_no_wide_terminal() {
        let entries = (0..100_000).map(|at| {
            let next = json!([format!("T{}", at + 1)]);
            (format!("T{at}"), json!({ "status": "DONE", "deps": next }))
        });
        let graph: Value = entries.collect::<serde_json::Map<_, _>>().into();
        let text = draw(&graph, "T0", 1000);
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest < Some(200), "{longest:?}");
        assert_eq!(text.lines().count(), 1001);
    }
}
