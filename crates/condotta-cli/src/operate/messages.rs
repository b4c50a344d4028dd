//! `condotta messages`: which running tasks take messages, and a message to one of them.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    answer::{Answer, table},
    arguments::{MessagesArguments, MessagesCommand},
    connection::{Scheduler, escaped},
    find,
    harmless::{harmless, harmless_lines},
    view::Task,
};
use crate::error::{Failure, Kind};

/// Between two looks for an answer.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn run(arguments: &MessagesArguments) -> Result<Answer, Failure> {
    let scheduler = Scheduler::find(&arguments.common)?;
    match &arguments.send {
        None => list(&scheduler),
        Some(MessagesCommand::Send {
            task,
            content,
            wait,
        }) => send(&scheduler, task, content, Duration::from_secs(*wait)),
    }
}

fn list(scheduler: &Scheduler) -> Result<Answer, Failure> {
    let running = json!({ "status": "RUNNING", "limit": false });
    let running = scheduler.call("task_list", &running)?;
    let running = running.as_object().into_iter().flatten();
    let tasks = running.map(|(id, task)| Task::new(id, task));
    let tasks: Vec<Task> = tasks
        .filter(|task| task.value["accepts_messages"] == Value::Bool(true))
        .collect();
    let json = json!({ "tasks": tasks.iter().map(Task::json).collect::<Vec<_>>() });
    if tasks.is_empty() {
        let text = "no running task takes messages\n".to_owned();
        return Ok(Answer { text, json });
    }
    let rows: Vec<Vec<String>> = tasks
        .iter()
        .map(|task| {
            let says = task.value["status_message"].as_str().unwrap_or_default();
            vec![
                task.worker.clone().unwrap_or_default(),
                task.id.clone(),
                says.lines().last().unwrap_or_default().to_owned(),
            ]
        })
        .collect();
    let text = table(&["WORKER", "TASK ID", "SAYS"], &rows);
    Ok(Answer { text, json })
}

fn send(
    scheduler: &Scheduler,
    said: &str,
    content: &str,
    wait: Duration,
) -> Result<Answer, Failure> {
    let task = find::task(scheduler, said)?;
    let id = harmless(&task.id);
    let refuse = |text: String| Err(Failure::new(Kind::Refused, text));
    if task.status != "RUNNING" {
        let status = harmless(&task.status);
        return refuse(format!(
            "{id} is {status}: only running tasks hear messages"
        ));
    }
    let accepts = match scheduler.get(&format!("tasks/{}", escaped(&task.id)), &[])? {
        Some(detail) => detail["accepts_messages"].clone(),
        None => task.value["accepts_messages"].clone(),
    };
    if accepts != Value::Bool(true) {
        return refuse(format!(
            "{id} takes no messages: its class does not set accepts_messages, or [scheduler] \
             send_messages is false"
        ));
    }
    let message = json!({ "worker": task.worker, "task": task.id, "content": content });
    let sent = scheduler.call("send_scheduler_message", &message)?;
    let Some(message_id) = sent["message_id"].as_str() else {
        return refuse(
            "the scheduler sends no messages: [scheduler] send_messages is false".into(),
        );
    };
    let question = json!({ "task_id": task.id, "message_id": message_id });
    let begin = Instant::now();
    let mut response = Value::Null;
    while response.is_null() && begin.elapsed() < wait {
        thread::sleep(LOOK_EVERY);
        let answer = scheduler.call("get_scheduler_message_response", &question)?;
        response = answer["response"].clone();
    }
    let text = match response.as_str() {
        Some(response) => format!("{}\n", harmless_lines(response)),
        None if wait.is_zero() => format!("sent to {id}\n"),
        None => {
            return refuse(format!(
                "{id} has not answered within {} seconds; the message stays with it",
                wait.as_secs()
            ));
        }
    };
    let json = json!({ "task_id": task.id, "message_id": message_id, "response": response });
    Ok(Answer { text, json })
}
