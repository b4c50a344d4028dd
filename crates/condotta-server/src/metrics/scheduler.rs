//! What the scheduler has, as it says when it is asked.

use condotta_scheduler::Figures;

use super::text::Text;

/// How many resources are shown.
const MOST_RESOURCES: usize = 1000;

pub(super) fn write(text: &mut Text, figures: &Figures) {
    let name = "condotta_tasks";
    text.head(name, "gauge", "tasks by status");
    for (status, count) in &figures.tasks {
        text.sample(name, &[("status", status.name())], count);
    }
    let name = "condotta_workers";
    text.head(
        name,
        "gauge",
        "workers that are connected, and whether they get work",
    );
    let active = figures.workers - figures.disabled_workers;
    text.sample(name, &[("state", "active")], active);
    text.sample(name, &[("state", "disabled")], figures.disabled_workers);
    text.single(
        "condotta_paused",
        "gauge",
        "1 if nothing is handed out, since somebody paused the scheduler",
        u8::from(figures.paused),
    );
    let limit = "condotta_resource_limit";
    text.head(limit, "gauge", "how much there is of a resource");
    for resource in figures.resources.iter().take(MOST_RESOURCES) {
        text.sample(limit, &[("resource", &resource.name)], resource.limit);
    }
    let used = "condotta_resource_used";
    text.head(used, "gauge", "how much of a resource runs take");
    for resource in figures.resources.iter().take(MOST_RESOURCES) {
        text.sample(used, &[("resource", &resource.name)], resource.used);
    }
}
