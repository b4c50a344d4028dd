//! What `condotta-protocol` will say of answers: how they are written, and which only read.

pub(super) fn write_json(out: &mut Vec<u8>, value: &serde_json::Value) {
    let text = value.to_string().replace("</", "<\\/");
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c as u8)
        } else {
            let mut b = [0; 2];
            for u in c.encode_utf16(&mut b) {
                out.extend_from_slice(format!("\\u{u:04x}").as_bytes());
            }
        }
    }
}
pub(super) fn only_reads(method: &str) -> bool {
    [
        "task_list",
        "graph",
        "dep_graph",
        "inverse_dep_graph",
        "task_search",
        "worker_list",
        "resource_list",
        "fetch_error",
        "get_task_status_message",
        "get_task_progress_percentage",
        "get_running_task_resources",
        "is_pause_enabled",
        "is_paused",
        "has_task_history",
    ]
    .contains(&method)
}
