//! Failures told together: one mail for each owner, as Luigi's scheduler sends them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    BatchMode, BatchSettings, EmailSettings, Format, Mail, mail::addresses, report::escape,
};

/// How many groups of tasks an owner's mail lists. What happens to others is counted together.
const MOST_GROUPS: usize = 1000;
/// How many owners are told. Others would be thousands of mails within an hour.
const MOST_OWNERS: usize = 1000;
/// How much is kept of an error, from its end, in bytes.
const MOST_ERROR: usize = 64 << 10;
/// The name of the group of all tasks beyond the bound.
const OTHERS: &str = "other tasks";

/// What happened to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It failed.
    Failed,
    /// It was disabled.
    Disabled,
    /// It could not be scheduled.
    SchedulingFailed,
}

/// Something that goes into the next mail.
#[derive(Clone, Debug)]
pub struct Batched<'a> {
    /// What happened.
    pub what: What,
    /// The task's display name.
    pub name: &'a str,
    /// Its family.
    pub family: &'a str,
    /// The parameters that cannot be batched.
    pub unbatched_params: &'a [(String, String)],
    /// The error text.
    pub error: &'a str,
    /// Whom to tell besides the receiver of all mail.
    pub owners: &'a [String],
}

/// What goes into the next mails.
#[derive(Debug)]
pub struct Batch {
    settings: BatchSettings,
    email: EmailSettings,
    receivers: BTreeSet<String>,
    /// By owner, in the order in which they came up.
    owners: BTreeMap<String, Vec<Group>>,
    /// What was told nobody, since there were too many owners.
    left_out: u64,
}

#[derive(Debug, Default)]
struct Group {
    name: String,
    failures: u64,
    disables: u64,
    scheduling_failures: u64,
    /// The latest different ones, the oldest first.
    errors: Vec<String>,
}

impl Batch {
    /// Nothing happened yet.
    #[must_use]
    pub fn new(settings: BatchSettings, email: EmailSettings) -> Self {
        Self {
            receivers: addresses(&email.receiver).collect(),
            settings,
            email,
            owners: BTreeMap::new(),
            left_out: 0,
        }
    }

    /// Notes what happened.
    pub fn add(&mut self, batched: &Batched<'_>) {
        let name = self.name(batched);
        let more = batched.owners.iter().flat_map(|owner| addresses(owner));
        let told: BTreeSet<String> = self.receivers.iter().cloned().chain(more).collect();
        for owner in told {
            if self.owners.len() >= MOST_OWNERS && !self.owners.contains_key(&owner) {
                self.left_out += 1;
                continue;
            }
            let most = self.settings.error_messages;
            let group = group(self.owners.entry(owner).or_default(), &name);
            match batched.what {
                What::Failed => group.failures += 1,
                What::Disabled => group.disables += 1,
                What::SchedulingFailed => group.scheduling_failures += 1,
            }
            if batched.what != What::Disabled {
                group.note_error(end(batched.error), most);
            }
        }
    }

    /// The mails of what happened since the last ones, one for each owner.
    pub fn take_mails(&mut self) -> Vec<Mail> {
        let due = std::mem::take(&mut self.owners);
        due.into_iter()
            .filter_map(|(owner, groups)| self.mail(&owner, &groups))
            .collect()
    }

    /// How often something was told nobody since this was last asked, since there were too many owners.
    pub fn take_left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }

    /// The name under which the task is counted.
    fn name(&self, batched: &Batched<'_>) -> String {
        match self.settings.batch_mode {
            BatchMode::All => batched.name.to_owned(),
            BatchMode::Family => batched.family.to_owned(),
            BatchMode::UnbatchedParams => {
                let params = batched.unbatched_params.iter();
                let params: Vec<String> = params
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                format!("{}({})", batched.family, params.join(", "))
            }
        }
    }

    fn mail(&self, owner: &str, groups: &[Group]) -> Option<Mail> {
        let counted = counted(groups);
        let whose = if self.receivers.contains(owner) {
            ""
        } else {
            "Your tasks have "
        };
        let interval = self.settings.email_interval;
        let subject = format!("Luigi: {whose}{counted} in the last {interval} minutes");
        let body = self.body(groups);
        (!counted.is_empty())
            .then(|| Mail::new(&self.email, &subject, body, [owner]))
            .flatten()
    }

    fn is_html(&self) -> bool {
        self.email.format == Format::Html
    }

    fn body(&self, groups: &[Group]) -> String {
        let mut shown = self.shown_together(groups);
        shown.sort_by_key(|(together, _)| worst_first(together));
        let mut lines = Vec::new();
        for (mut together, errors) in shown {
            together.sort_by_key(|group| worst_first(&[*group]));
            lines.push(self.tasks(&together));
            lines.push(errors);
        }
        lines.retain(|line| !line.is_empty());
        let body = lines.join("\n");
        let body = body.trim_end();
        if self.is_html() {
            format!("<ul>\n{body}\n</ul>")
        } else {
            body.to_owned()
        }
    }

    /// The groups that share an entry, with what it shows of their errors.
    fn shown_together<'a>(&self, groups: &'a [Group]) -> Vec<(Vec<&'a Group>, String)> {
        let mut shown: Vec<(Vec<&Group>, String)> = Vec::new();
        let mut by_errors = BTreeMap::new();
        for group in groups {
            let errors = self.errors(&group.errors);
            let together = self.settings.group_by_error_messages;
            match by_errors.get(&errors).filter(|_| together) {
                Some(&place) => {
                    let (groups, _): &mut (Vec<&Group>, String) = &mut shown[place];
                    groups.push(group);
                }
                None => {
                    by_errors.insert(errors.clone(), shown.len());
                    shown.push((vec![group], errors));
                }
            }
        }
        shown
    }

    fn tasks(&self, groups: &[&Group]) -> String {
        let names = groups.iter().map(|group| group.with_count());
        if self.is_html() {
            let names: Vec<String> = names.map(|name| escape(&name)).collect();
            format!("<li>{}", names.join("\n<br>"))
        } else {
            let names: Vec<String> = names.collect();
            format!("- {}", names.join("\n  "))
        }
    }

    /// The ends of the errors: indented, or as HTML.
    fn errors(&self, errors: &[String]) -> String {
        let ends = errors.iter().map(|error| {
            let lines: Vec<&str> = error.trim_end().split('\n').collect();
            let most = match self.settings.error_lines {
                0 => lines.len(),
                most => most.min(lines.len()),
            };
            lines[lines.len() - most..].to_vec()
        });
        if self.is_html() {
            let marked = ends.map(|lines| format!("<pre>{}</pre>", escape(&lines.join("\n"))));
            return marked.collect::<Vec<String>>().join("\n");
        }
        let indented = ends.map(|lines| {
            let lines = lines.iter().map(|line| format!("      {line}\n"));
            format!("\n{}", lines.collect::<String>())
        });
        indented.collect()
    }
}

impl Group {
    fn note_error(&mut self, error: &str, most: usize) {
        self.errors.retain(|known| known != error);
        self.errors.push(error.to_owned());
        if self.errors.len() > most {
            self.errors.remove(0);
        }
    }

    fn with_count(&self) -> String {
        format!("{} ({})", self.name, counted(std::slice::from_ref(self)))
    }
}

/// The group of this name, or the one of all others when there are too many.
fn group<'a>(groups: &'a mut Vec<Group>, name: &str) -> &'a mut Group {
    let find = |groups: &[Group], name: &str| groups.iter().position(|group| group.name == name);
    let place = find(groups, name).or_else(|| {
        let is_full = groups.len() >= MOST_GROUPS;
        is_full.then(|| find(groups, OTHERS)).flatten()
    });
    let place = place.unwrap_or_else(|| {
        let is_full = groups.len() >= MOST_GROUPS;
        groups.push(Group {
            name: if is_full { OTHERS } else { name }.to_owned(),
            ..Group::default()
        });
        groups.len() - 1
    });
    &mut groups[place]
}

/// How often what happened in all groups together, in words.
fn counted(groups: &[Group]) -> String {
    let sum = |count: fn(&Group) -> u64| groups.iter().map(count).sum::<u64>();
    let counts = [
        (sum(|group| group.failures), "failure"),
        (sum(|group| group.disables), "disable"),
        (sum(|group| group.scheduling_failures), "scheduling failure"),
    ];
    let said = counts.iter().filter(|(count, _)| *count > 0);
    let said = said.map(|(count, noun)| format!("{count} {noun}{}", plural(*count)));
    said.collect::<Vec<String>>().join(", ")
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Orders what is shown together: by failures, then by disables, then by name.
fn worst_first(groups: &[&Group]) -> (std::cmp::Reverse<(u64, u64)>, String) {
    let failures = groups.iter().map(|it| it.failures + it.scheduling_failures);
    let disables = groups.iter().map(|it| it.disables);
    let first = groups.iter().map(|it| it.name.as_str()).min();
    let counts = (failures.sum(), disables.sum());
    (
        std::cmp::Reverse(counts),
        first.unwrap_or_default().to_owned(),
    )
}

/// The end of an error, so that a batch stays small whatever tasks say.
fn end(error: &str) -> &str {
    let mut start = error.len().saturating_sub(MOST_ERROR);
    while !error.is_char_boundary(start) {
        start += 1;
    }
    &error[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(settings: BatchSettings, format: Format) -> Batch {
        let email = EmailSettings {
            receiver: "ops@example.com".to_owned(),
            format,
            ..EmailSettings::on_host("vm")
        };
        Batch::new(settings, email)
    }

    fn add(batch: &mut Batch, what: What, day: &str, error: &str, owners: &[String]) {
        batch.add(&Batched {
            what,
            name: &format!("Load(day={day})"),
            family: "Load",
            unbatched_params: &[("day".to_owned(), day.to_owned())],
            error,
            owners,
        });
    }

    /// What stock Luigi 3.8.1 says of the same; the test of the whole server compares them alive.
    #[test]
    fn owners_are_told_in_luigis_words() {
        let mut batch = batch(BatchSettings::default(), Format::Plain);
        let me = ["me@example.com".to_owned()];
        add(&mut batch, What::Failed, "1", "a\nb\n", &me);
        add(&mut batch, What::Failed, "1", "a\nb\n", &[]);
        add(&mut batch, What::Disabled, "1", "", &[]);
        add(&mut batch, What::SchedulingFailed, "2", "c", &[]);
        add(&mut batch, What::Failed, "3", "c", &[]);
        let mails = batch.take_mails();
        assert_eq!(mails.len(), 2);
        assert_eq!(
            mails[0].subject,
            "Luigi: Your tasks have 1 failure in the last 60 minutes"
        );
        assert_eq!(
            mails[1].subject,
            "Luigi: 3 failures, 1 disable, 1 scheduling failure in the last 60 minutes"
        );
        assert_eq!(
            mails[1].body,
            "- Load(day=1) (2 failures, 1 disable)\n\n      a\n      b\n\n\
             - Load(day=2) (1 scheduling failure)\n  Load(day=3) (1 failure)\n\n      c"
        );
        assert_eq!(batch.take_mails(), []);
    }

    #[test]
    fn html_shows_what_tasks_say_as_text() {
        let settings = BatchSettings {
            batch_mode: BatchMode::Family,
            ..BatchSettings::default()
        };
        let mut batch = batch(settings, Format::Html);
        add(&mut batch, What::Failed, "1", "<script>", &[]);
        let mails = batch.take_mails();
        assert_eq!(
            mails[0].body,
            "<ul>\n<li>Load (1 failure)\n<pre>&lt;script&gt;</pre>\n</ul>"
        );
    }

    #[test]
    fn a_flood_stays_small() {
        let mut batch = batch(BatchSettings::default(), Format::Plain);
        for day in 0..MOST_GROUPS + 300 {
            add(&mut batch, What::Failed, &day.to_string(), "x", &[]);
        }
        let mails = batch.take_mails();
        let subject = format!("Luigi: {} failures in", MOST_GROUPS + 300);
        assert!(mails[0].subject.starts_with(&subject));
        assert!(mails[0].body.contains("other tasks (300 failures)"));
        for owner in 0..MOST_OWNERS + 7 {
            let owner = [format!("o{owner}@example.com")];
            add(&mut batch, What::Failed, "1", "x", &owner);
        }
        assert_eq!(batch.take_mails().len(), MOST_OWNERS);
        assert_eq!(batch.take_left_out(), 8);
    }
}
