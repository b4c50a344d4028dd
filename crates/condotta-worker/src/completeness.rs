//! Asks tasks whether they are complete: one after another, or many at once.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use crate::{BoxError, TaskHandle, WorkerError, shared::Shared, task_table::TaskIndex};

type Answer = (TaskIndex, TaskHandle, Result<bool, BoxError>);

/// Questions that were put and answers that were not looked at.
pub(crate) enum Checks {
    /// Answers at once; the last answer comes out first.
    Serial {
        shared: Arc<Shared>,
        answers: Vec<Answer>,
    },
    /// Answers on other threads; the first answer comes out first.
    Parallel {
        questions: Sender<(TaskIndex, TaskHandle)>,
        answers: Receiver<Answer>,
        open: usize,
    },
}

impl Checks {
    pub(crate) fn serial(shared: &Arc<Shared>) -> Self {
        Self::Serial {
            shared: Arc::clone(shared),
            answers: Vec::new(),
        }
    }

    /// With so many threads; 0 is one for each processor.
    pub(crate) fn parallel(shared: &Arc<Shared>, threads: usize) -> Result<Self, WorkerError> {
        let threads = match threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let (questions, asked) = channel();
        let (answered, answers) = channel();
        let asked = Arc::new(Mutex::new(asked));
        for number in 0..threads {
            let (shared, asked, answered) =
                (Arc::clone(shared), Arc::clone(&asked), answered.clone());
            thread::Builder::new()
                .name(format!("check-{number}"))
                .spawn(move || answer_all(&shared, &asked, &answered))
                .map_err(WorkerError::Thread)?;
        }
        Ok(Self::Parallel {
            questions,
            answers,
            open: 0,
        })
    }

    pub(crate) fn submit(&mut self, index: TaskIndex, task: &TaskHandle) {
        match self {
            Self::Serial { shared, answers } => {
                let complete = check(shared, task);
                answers.push((index, task.clone(), complete));
            }
            Self::Parallel {
                questions, open, ..
            } => {
                *open += 1;
                questions
                    .send((index, task.clone()))
                    .expect("the threads live as long as questions can come");
            }
        }
    }

    pub(crate) fn next(&mut self) -> Option<Answer> {
        match self {
            Self::Serial { answers, .. } => answers.pop(),
            Self::Parallel { open: 0, .. } => None,
            Self::Parallel { answers, open, .. } => {
                *open -= 1;
                Some(answers.recv().expect("each question is answered once"))
            }
        }
    }
}

fn answer_all(
    shared: &Shared,
    questions: &Mutex<Receiver<(TaskIndex, TaskHandle)>>,
    answers: &Sender<Answer>,
) {
    loop {
        let question = questions
            .lock()
            .expect("nobody panics with this lock")
            .recv();
        let Ok((index, task)) = question else { return };
        let complete = check(shared, &task);
        if answers.send((index, task, complete)).is_err() {
            return;
        }
    }
}

fn check(shared: &Shared, task: &TaskHandle) -> Result<bool, BoxError> {
    tracing::debug!(target: "luigi-interface", "Checking if {} is complete", task.display_name());
    shared.check_complete(&**task)
}
