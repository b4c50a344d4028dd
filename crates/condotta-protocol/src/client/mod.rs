//! The client's side of the wire: keyword arguments written as stock workers write them, replies read.
//!
//! Each function has the name of the remote method that it is for; the server's side is in `decode_*`
//! and `encode_*`. How texts travel is nobody's business here.

mod keywords;
mod reply;
mod request;

pub use reply::{ReplyError, counts, flag, knows, messages, refused, response, work};
pub use request::{
    add_scheduler_message_response, add_task, add_task_batcher, add_tasks, add_worker,
    announce_scheduling_failure, answer_cancel, await_work, decrease_running_task_resources,
    get_work, set_task_progress_percentage, set_task_status_message, task, worker,
};

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use condotta_scheduler::{
        AddTask, AddTaskBatcher, AddWorker, Assignment, GetWork, InfoValue, Param, ParamValue,
        PendingCounts, Recipe, RetryPolicy, RunningTask, SchedulingFailure, Status, Visibility,
        Work, WorkerMessage, WorkerState,
    };

    use super::*;
    use crate::{Json, arguments::Arguments, decode_task, decode_worker, encode_work, read_json};

    const ODD: &str = "a \"b\\ \u{1} \n ü 🦀 </x> %&+=";

    fn arguments(text: &str) -> Arguments {
        match read_json(text).unwrap() {
            Json::Object(object) => Arguments::new("add_task", object),
            other => panic!("{other}"),
        }
    }

    fn full() -> AddTask {
        AddTask {
            status: Status::Failed,
            runnable: None,
            deps: Some(vec!["one".to_owned(), ODD.to_owned()]),
            new_deps: Some(Vec::new()),
            expl: Some(ODD.to_owned()),
            resources: Some(BTreeMap::from([("gpu".to_owned(), u64::MAX >> 2)])),
            priority: -1.5,
            family: "Family".to_owned(),
            module: Some("module".to_owned()),
            params: Some(vec![
                Param {
                    name: "shown".to_owned(),
                    value: ODD.to_owned(),
                    visibility: Visibility::Public,
                },
                Param {
                    name: "hidden".to_owned(),
                    value: String::new(),
                    visibility: Visibility::Hidden,
                },
            ]),
            accepts_messages: None,
            assistant: true,
            tracking_url: Some("http://t/?a=b&c".to_owned()),
            batchable: Some(true),
            batch_id: Some("batch".to_owned()),
            retry_policy: RetryPolicy {
                retry_count: Some(3),
                disable_hard_timeout: Some(0.5),
                disable_window: None,
            },
            owners: vec!["me@there".to_owned()],
            attempt: Some(4),
            ..AddTask::new("worker", ODD)
        }
    }

    #[test]
    fn tasks_arrive_as_they_were_sent() {
        for request in [AddTask::new("worker", "task"), full()] {
            let text = add_task(&request);
            assert_eq!(
                decode_task::add_task(&mut arguments(&text)),
                Ok(request),
                "{text}"
            );
        }
    }

    #[test]
    fn many_tasks_are_the_keyword_arguments_of_each() {
        let tasks = [full(), AddTask::new("worker", "task")];
        let Json::Object(object) =
            read_json(&add_tasks("worker", &tasks.each_ref().map(add_task))).unwrap()
        else {
            panic!("no object");
        };
        let entries: BTreeMap<String, Json> = object.into_entries().into_iter().collect();
        let each = tasks.iter().map(|task| read_json(&add_task(task)).unwrap());
        assert_eq!(entries["tasks"], Json::List(each.collect()));
        assert_eq!(entries["worker"], Json::Text("worker".to_owned()));
    }

    #[test]
    fn an_attempt_that_was_never_counted_is_not_sent() {
        let request = AddTask {
            attempt: Some(0),
            ..AddTask::new("worker", "task")
        };
        assert!(!add_task(&request).contains("attempt"));
    }

    #[test]
    fn every_keyword_of_a_stock_worker_is_sent() {
        let Json::Object(object) = read_json(&add_task(&AddTask::new("w", "t"))).unwrap() else {
            panic!("no object");
        };
        let mut names: Vec<String> = object
            .into_entries()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        names.sort();
        let stock = "accepts_messages assistant batch_id batchable deps expl family module new_deps owners \
                     param_visibilities params priority resources retry_policy_dict runnable status task_id \
                     tracking_url worker";
        assert_eq!(names.join(" "), stock);
    }

    #[test]
    fn whole_numbers_are_written_as_python_writes_integers() {
        let request = AddTask {
            priority: 3.0,
            ..AddTask::new("worker", "task")
        };
        assert!(add_task(&request).contains("\"priority\": 3,"));
    }

    #[test]
    fn batchers_arrive_as_they_were_sent() {
        for max_batch_size in [None, Some(7)] {
            let request = AddTaskBatcher {
                worker: "worker".to_owned(),
                task_family: "Family".to_owned(),
                batched_args: vec!["date".to_owned()],
                max_batch_size,
            };
            let text = add_task_batcher(&request);
            assert_eq!(
                decode_task::add_task_batcher(&mut arguments(&text)),
                Ok(request)
            );
        }
    }

    #[test]
    fn workers_arrive_as_they_were_sent() {
        let info = [
            ("workers", InfoValue::Int(3)),
            ("null", InfoValue::Null),
            ("flag", InfoValue::Bool(true)),
            ("number", InfoValue::Float(0.25)),
            ("text", InfoValue::Text(ODD.to_owned())),
            ("nested", InfoValue::Json("[1, {\"a\": null}]".to_owned())),
        ];
        let request = AddWorker {
            worker: "worker".to_owned(),
            info: info.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        };
        let text = add_worker(&request);
        assert_eq!(
            decode_worker::add_worker(&mut arguments(&text)),
            Ok(request)
        );
    }

    #[test]
    fn requests_for_work_arrive_as_they_were_sent() {
        let asked = GetWork {
            worker: "worker".to_owned(),
            host: Some("host".to_owned()),
            assistant: true,
            current_tasks: Some(vec!["one".to_owned()]),
        };
        for request in [GetWork::default(), asked] {
            let mut arguments = arguments(&get_work(&request));
            assert_eq!(arguments.flag("attempts", false), Ok(true));
            assert_eq!(decode_worker::get_work(&mut arguments), Ok(request));
        }
    }

    #[test]
    fn scheduling_failures_arrive_as_they_were_sent() {
        let failure = SchedulingFailure {
            worker: "worker".to_owned(),
            task_name: "Task(a=b)".to_owned(),
            family: "Task".to_owned(),
            params: vec![("a".to_owned(), ODD.to_owned())],
            expl: ODD.to_owned(),
            owners: Vec::new(),
        };
        let text = announce_scheduling_failure(&failure);
        assert_eq!(
            decode_worker::scheduling_failure(&mut arguments(&text)),
            Ok(failure)
        );
    }

    fn counts_of_both() -> [PendingCounts; 2] {
        let active = PendingCounts {
            n_pending_tasks: 3,
            n_unique_pending: 2,
            n_pending_last_scheduled: 1,
            worker_state: WorkerState::Active,
            running_tasks: vec![RunningTask {
                task_id: "task".to_owned(),
                worker: "other".to_owned(),
                worker_info: Arc::new(vec![("host".to_owned(), InfoValue::Text("h".to_owned()))]),
            }],
        };
        let disabled = PendingCounts {
            n_pending_tasks: 0,
            n_unique_pending: 0,
            n_pending_last_scheduled: 0,
            worker_state: WorkerState::Disabled,
            running_tasks: Vec::new(),
        };
        [active, disabled]
    }

    #[test]
    fn work_is_read_as_it_was_answered() {
        let recipe = |value: ParamValue| Recipe {
            family: "Family".to_owned(),
            module: Some("module".to_owned()),
            params: vec![
                ("a".to_owned(), value),
                ("b".to_owned(), ParamValue::One("2".to_owned())),
            ],
        };
        let assignments = [
            Assignment::Nothing,
            Assignment::Task {
                task_id: ODD.to_owned(),
                recipe: recipe(ParamValue::One("1".to_owned())),
                attempt: 5,
            },
            Assignment::Batch {
                batch_id: "batch".to_owned(),
                task_ids: vec!["one".to_owned(), "two".to_owned()],
                recipe: recipe(ParamValue::Many(vec!["1".to_owned(), "2".to_owned()])),
            },
        ];
        for counts in counts_of_both() {
            for assignment in assignments.clone() {
                let answer = Work {
                    counts: counts.clone(),
                    assignment,
                };
                let reply = encode_work::work(answer.clone(), true);
                assert_eq!(work(reply.into()), Ok(answer));
            }
        }
    }

    #[test]
    fn counts_and_messages_are_read_as_they_were_answered() {
        for answer in counts_of_both() {
            let reply = encode_work::counts(answer.clone());
            assert_eq!(counts(reply.into()), Ok(answer));
        }
        let answer = vec![
            WorkerMessage::SetWorkerProcesses { n: 4 },
            WorkerMessage::DispatchSchedulerMessage {
                task_id: "task".to_owned(),
                message_id: "id".to_owned(),
                content: ODD.to_owned(),
            },
        ];
        assert_eq!(
            messages(encode_work::messages(answer.clone()).into()),
            Ok(answer)
        );
    }

    #[test]
    fn what_is_no_answer_is_refused_in_words() {
        let of = |text: &str| response(text).unwrap_err().to_string();
        assert_eq!(
            of("<html>"),
            "the answer is no JSON: not JSON at byte 0: expected a value"
        );
        assert_eq!(of("{}"), "the answer lacks `response`");
        assert_eq!(
            of("3"),
            "in the answer, `response` is 3, expected an object"
        );
    }

    #[test]
    fn refusals_among_many_tasks_name_their_place() {
        let reply =
            response(r#"{"response": {"refused": [{"index": 2, "error": "no"}]}}"#).unwrap();
        assert_eq!(refused(reply), Ok(vec![(2, "no".to_owned())]));
    }
}
