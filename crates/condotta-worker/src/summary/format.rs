//! The summary's text.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
};

use super::{Category, Summarized, Summary};
use crate::ParamInfo;

/// A line of the text: what it counts, and how people read it.
enum Section {
    Listed(Category, &'static str),
    /// Both kinds of pending tasks; a heading for what follows.
    StillPending,
    /// Part of [`StillPending`](Self::StillPending), and indented.
    Reason(Category, &'static str),
}

const SECTIONS: [Section; 12] = [
    Section::Listed(Category::AlreadyDone, "complete ones were encountered"),
    Section::Listed(Category::Completed, "ran successfully"),
    Section::Listed(Category::Failed, "failed"),
    Section::Listed(Category::SchedulingError, "failed scheduling"),
    Section::StillPending,
    Section::Reason(
        Category::StillPendingExt,
        "were missing external dependencies",
    ),
    Section::Reason(
        Category::RunByOtherWorker,
        "were being run by another worker",
    ),
    Section::Reason(Category::UpstreamFailure, "had failed dependencies"),
    Section::Reason(
        Category::UpstreamMissingDependency,
        "had missing dependencies",
    ),
    Section::Reason(
        Category::UpstreamRunByOtherWorker,
        "had dependencies that were being run by other worker",
    ),
    Section::Reason(
        Category::UpstreamSchedulingError,
        "had dependencies whose scheduling failed",
    ),
    Section::Reason(
        Category::NotRun,
        "was not granted run permission by the scheduler",
    ),
];

pub(super) fn text<T: Summarized>(summary: &Summary<T>, summary_length: usize) -> String {
    let body = body(summary, summary_length, &summary.one_line());
    let frame = "===== Luigi Execution Summary =====";
    format!("\n{frame}\n\n{body}\n\n{frame}\n")
}

pub(super) fn body<T: Summarized>(
    summary: &Summary<T>,
    summary_length: usize,
    one_line: &str,
) -> String {
    let count = |category| summary.tasks(category).len();
    let not_run = count(Category::AlreadyDone)
        + count(Category::SchedulingError)
        + count(Category::StillPendingExt)
        + count(Category::StillPendingNotExt);
    let all = not_run + count(Category::Completed) + count(Category::Failed);
    if all == 0 {
        return "Did not schedule any tasks".to_owned();
    }
    let mut text = format!("Scheduled {all} tasks of which:\n");
    for section in &SECTIONS {
        write_section(&mut text, summary, section, summary_length);
    }
    write_others(&mut text, &summary.others);
    if all == not_run {
        if summary.others.is_empty() {
            text.push('\n');
        }
        text.push_str("Did not run any tasks");
    }
    text.push('\n');
    text.push_str(one_line);
    text
}

fn write_section<T: Summarized>(
    text: &mut String,
    summary: &Summary<T>,
    section: &Section,
    summary_length: usize,
) {
    let (category, phrase, indent) = match *section {
        Section::Listed(category, phrase) => (category, phrase, ""),
        Section::Reason(category, phrase) => (category, phrase, "    "),
        Section::StillPending => {
            let pending = summary.tasks(Category::StillPendingExt).len()
                + summary.tasks(Category::StillPendingNotExt).len();
            if pending > 0 {
                let _ = writeln!(text, "* {pending} were left pending, among these:");
            }
            return;
        }
    };
    let tasks = summary.tasks(category);
    if tasks.is_empty() {
        return;
    }
    let _ = writeln!(text, "{indent}* {} {phrase}:", tasks.len());
    let mut families: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for task in tasks {
        families.entry(task.family()).or_default().push(task);
    }
    for (number, (family, tasks)) in families.into_iter().enumerate() {
        if summary_length > 0 && number >= summary_length {
            let _ = writeln!(text, "{indent}    ...");
            break;
        }
        let _ = writeln!(text, "{indent}    {}", family_line(family, &tasks));
    }
}

fn write_others(text: &mut String, others: &[(String, usize)]) {
    if others.is_empty() {
        return;
    }
    text.push_str("\nThe other workers were:\n");
    for (number, (worker, tasks)) in others.iter().enumerate() {
        if number > 3 && number < others.len() - 1 {
            let _ = write!(text, "    and {} other workers", others.len() - number);
            break;
        }
        let _ = writeln!(text, "    - {worker} ran {tasks} tasks");
    }
    text.push('\n');
}

/// The tasks of one family, in one line.
fn family_line<T: Summarized>(family: &str, tasks: &[&T]) -> String {
    let count = tasks.len();
    let first_params = tasks[0].params();
    if first_params.is_empty() {
        return format!("- {count} {family}()");
    }
    let shown = Sorted::new(tasks);
    let first = shown.task(0);
    // All tasks of a family have the same parameters, with other values.
    let params = first.params();
    let names_length: usize = params.iter().map(|param| param.name.chars().count()).sum();
    let length = shown.name(0).chars().count();
    if names_length > 60
        || length > 200
        || (count == 2 && params.len() > 1 && (names_length > 40 || length > 100))
    {
        return format!("- {count} {family}(...)");
    }
    if let [param] = params.as_slice() {
        let values = values_of(tasks, 0);
        let value = match range(first, &param.name, &values) {
            Some((from, to)) if values.len() > 3 => format!("{from}...{to}"),
            _ => one_param_list(&shown),
        };
        return format!("- {count} {family}({}={value})", param.name);
    }
    if let Some(range) = one_varying(first, tasks, &params) {
        return format!("- {count} {family}({range})");
    }
    match count {
        1 => format!("- 1 {}", shown.name(0)),
        2 => format!("- 2 {} and {}", shown.name(0), shown.name(1)),
        _ => format!("- {count} {} ...", shown.name(0)),
    }
}

/// Tasks in the order of their names. Only the first ones are ever shown, so only they are sorted.
struct Sorted<'a, T> {
    first: Vec<(String, &'a T)>,
}

impl<'a, T: Summarized> Sorted<'a, T> {
    /// A list of values ends after 200 characters, and each takes at least a comma.
    const SHOWN_MAX: usize = 256;

    fn new(tasks: &[&'a T]) -> Self {
        let mut named: Vec<(String, &T)> = tasks
            .iter()
            .map(|task| (task.display_name(), *task))
            .collect();
        if named.len() > Self::SHOWN_MAX {
            named.select_nth_unstable_by(Self::SHOWN_MAX, |a, b| a.0.cmp(&b.0));
            named.truncate(Self::SHOWN_MAX);
        }
        named.sort_by(|a, b| a.0.cmp(&b.0));
        Self { first: named }
    }

    fn name(&self, place: usize) -> &str {
        &self.first[place].0
    }

    fn task(&self, place: usize) -> &'a T {
        self.first[place].1
    }
}

fn values_of<T: Summarized>(tasks: &[&T], param: usize) -> HashSet<String> {
    tasks
        .iter()
        .filter_map(|task| task.params().into_iter().nth(param))
        .map(|param| param.value)
        .collect()
}

/// First and last value, if the values follow one another without a gap.
fn range<T: Summarized>(
    task: &T,
    param: &str,
    values: &HashSet<String>,
) -> Option<(String, String)> {
    let next = |value: &String| task.next_in_enumeration(param, value);
    let nexts: HashSet<String> = values.iter().map(next).collect::<Option<_>>()?;
    let mut firsts = values.iter().filter(|value| !nexts.contains(*value));
    let mut lasts = values
        .iter()
        .filter(|value| next(value).is_some_and(|next| !values.contains(&next)));
    match (firsts.next(), firsts.next(), lasts.next(), lasts.next()) {
        (Some(first), None, Some(last), None) => Some((first.clone(), last.clone())),
        _ => None,
    }
}

/// The values of the only parameter, with commas, cut when it gets long.
fn one_param_list<T: Summarized>(tasks: &Sorted<'_, T>) -> String {
    let count = tasks.first.len();
    let mut row = String::new();
    let mut length = 0;
    for (number, (_, task)) in tasks.first.iter().enumerate() {
        if (length >= 30 && number > 2 && number != count - 1) || length > 200 {
            row.push_str("...");
            break;
        }
        let value = task.params().into_iter().next().map(|param| param.value);
        let value = value.unwrap_or_default();
        length += value.chars().count();
        row.push_str(&value);
        if number < count - 1 {
            row.push(',');
            length += 1;
        }
    }
    row
}

/// `a=1, b=1...9` if exactly one parameter varies, over more than two values without a gap.
fn one_varying<T: Summarized>(first: &T, tasks: &[&T], params: &[ParamInfo]) -> Option<String> {
    let mut varying = None;
    for task in tasks {
        for (place, (param, own)) in task.params().iter().zip(params).enumerate() {
            if param.value == own.value || varying == Some(place) {
                continue;
            }
            if varying.is_some() {
                return None;
            }
            varying = Some(place);
        }
    }
    let varying = varying?;
    let values = values_of(tasks, varying);
    let (from, to) = range(first, &params[varying].name, &values)?;
    if values.len() <= 2 {
        return None;
    }
    let shown: Vec<String> = params
        .iter()
        .enumerate()
        .map(|(place, param)| {
            if place == varying {
                format!("{}={from}...{to}", param.name)
            } else {
                format!("{}={}", param.name, param.value)
            }
        })
        .collect();
    Some(shown.join(", "))
}
