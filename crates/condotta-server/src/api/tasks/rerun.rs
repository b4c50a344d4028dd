//! The command line that runs a task again, as somebody would type it in a shell.

use condotta_scheduler::ShownTask;

/// Longer command lines are of no use to anybody.
const LONGEST: usize = 8000;

/// The command, with the public parameters; nothing where it is not known where the task's code is, or
/// where it would be too long.
pub(super) fn command(task: ShownTask<'_>) -> Option<String> {
    let module = task.module()?;
    if task.family().is_empty() || task.params_size() > LONGEST {
        return None;
    }
    let mut command = match module.strip_prefix("rust:") {
        Some(program) => quoted(program),
        None => format!("luigi --module {}", quoted(module)),
    };
    command.push(' ');
    command.push_str(&quoted(task.family()));
    for (name, value) in task.params() {
        let flag = quoted(&format!("--{}", name.replace('_', "-")));
        // A value that begins with a dash would be taken for a flag.
        let between = if value.starts_with('-') { '=' } else { ' ' };
        command.push_str(&format!(" {flag}{between}{}", quoted(value)));
    }
    (command.len() <= 2 * LONGEST).then_some(command)
}

/// The hidden parameters that [`command`] leaves out, which whoever runs it has to give if they matter; workers
/// do not even tell of private ones.
pub(super) fn left_out(task: ShownTask<'_>) -> Vec<String> {
    let names = task.hidden_params().map(|(name, _)| name.to_owned());
    names.collect()
}

/// A word as a shell takes it.
fn quoted(text: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=,@%+".contains(char);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use condotta_scheduler::{AddTask, Config, Now, Param, Scheduler, Visibility};

    use super::*;

    fn with_task<T>(
        module: &str,
        params: &[(&str, &str, Visibility)],
        look: impl FnOnce(ShownTask<'_>) -> T,
    ) -> T {
        let mut scheduler = Scheduler::new(Config::default(), [].into(), 0);
        let params = params.iter().map(|&(name, value, visibility)| Param {
            name: name.to_owned(),
            value: value.to_owned(),
            visibility,
        });
        let request = AddTask {
            family: "ns.Load".to_owned(),
            module: Some(module.to_owned()).filter(|module| !module.is_empty()),
            params: Some(params.collect()),
            ..AddTask::new("w", "Load_1")
        };
        scheduler.add_task(Now::at(0.0), request).expect("a task");
        look(scheduler.shown_task("Load_1").expect("it is there"))
    }

    fn command_of(module: &str, params: &[(&str, &str, Visibility)]) -> Option<String> {
        with_task(module, params, command)
    }

    #[test]
    fn words_are_quoted_and_hidden_parameters_left_out() {
        let params = [
            ("day_of", "2026-11-27", Visibility::Public),
            ("offset", "-1", Visibility::Public),
            ("password", "secret", Visibility::Hidden),
            ("text", "it's $HOME; rm -rf /", Visibility::Public),
        ];
        assert_eq!(
            command_of("my.pipeline", &params).as_deref(),
            Some(
                r"luigi --module my.pipeline ns.Load --day-of 2026-11-27 --offset=-1 --text 'it'\''s $HOME; rm -rf /'"
            )
        );
        assert_eq!(with_task("my.pipeline", &params, left_out), ["password"]);
        assert_eq!(
            command_of("rust:report", &[]).as_deref(),
            Some("report ns.Load")
        );
        assert_eq!(command_of("", &[]), None);
    }
}
