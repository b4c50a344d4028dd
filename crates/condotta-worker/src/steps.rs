//! The order of a worker's steps, apart from what does them: [`run`] is the one main loop of all
//! workers, whether their tasks are Rust's or another language's.

/// What a worker can do. Each step may be somebody else's code, so each may fail.
pub trait Steps {
    /// What the scheduler says when it is asked for work.
    type Answer;
    /// A task that the scheduler handed out.
    type Work;
    /// Why a step failed. The loop ends with it.
    type Error;

    /// How many runs there are now.
    fn running(&mut self) -> Result<usize, Self::Error>;

    /// How many runs there may be at a time. With 0 the worker only looks whether others are done.
    fn max_running(&mut self) -> Result<usize, Self::Error>;

    /// Asks the scheduler.
    fn get_work(&mut self) -> Result<Self::Answer, Self::Error>;

    /// Whether the scheduler wants this worker to run nothing more.
    fn is_disabled(&mut self, answer: &Self::Answer) -> Result<bool, Self::Error>;

    /// What was handed out, if anything was.
    fn take_work(&mut self, answer: &mut Self::Answer) -> Result<Option<Self::Work>, Self::Error>;

    /// Starts a run; or runs it to its end, where there is one process only.
    fn run_task(&mut self, answer: &Self::Answer, work: Self::Work) -> Result<(), Self::Error>;

    /// Waits a while for the end of a run, and deals with it.
    fn handle_next_task(&mut self) -> Result<(), Self::Error>;

    /// Says for how many runs this worker waits, and whether it waits in order to leave.
    fn say_waiting(&mut self, running: usize, leaves: bool) -> Result<(), Self::Error>;

    /// Asks for no more work, and leaves when what runs has finished.
    fn start_phasing_out(&mut self) -> Result<(), Self::Error>;

    /// Nothing was handed out: says what others do.
    fn say_nothing_to_do(&mut self, answer: &Self::Answer) -> Result<(), Self::Error>;

    /// Nothing runs and nothing was handed out: whether to stay all the same.
    fn stays_alive(&mut self, answer: &Self::Answer) -> Result<bool, Self::Error>;

    /// Waits before the scheduler is asked again.
    fn sleep(&mut self) -> Result<(), Self::Error>;
}

/// Asks for work and has it run until nothing is left that this worker can do.
pub fn run<S: Steps>(steps: &mut S) -> Result<(), S::Error> {
    loop {
        wait_for_a_free_process(steps)?;
        let mut answer = steps.get_work()?;
        if steps.is_disabled(&answer)? {
            steps.start_phasing_out()?;
        }
        if let Some(work) = steps.take_work(&mut answer)? {
            steps.run_task(&answer, work)?;
            continue;
        }
        steps.say_nothing_to_do(&answer)?;
        if steps.running()? > 0 {
            steps.handle_next_task()?;
        } else if steps.stays_alive(&answer)? {
            steps.sleep()?;
        } else {
            break;
        }
    }
    loop {
        let running = steps.running()?;
        if running == 0 {
            return Ok(());
        }
        steps.say_waiting(running, true)?;
        steps.handle_next_task()?;
    }
}

fn wait_for_a_free_process<S: Steps>(steps: &mut S) -> Result<(), S::Error> {
    loop {
        let (running, processes) = (steps.running()?, steps.max_running()?);
        if processes == 0 || running < processes {
            return Ok(());
        }
        steps.say_waiting(running, false)?;
        steps.handle_next_task()?;
    }
}

/// When a worker without anything to run stays: Luigi's settings of section `[worker]`.
#[derive(Clone, Copy, Debug)]
pub struct StayPolicy {
    /// It may stay at all.
    pub keep_alive: bool,
    /// It runs what others announced.
    pub assistant: bool,
    /// It stays for tasks that it was the last to announce only.
    pub count_last_scheduled: bool,
    /// It stays for tasks that nobody else can run only.
    pub count_uniques: bool,
}

/// How many tasks are left, of those that concern a worker.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// That it announced.
    pub pending: u64,
    /// That only it can run.
    pub unique: u64,
    /// That it was the last to announce.
    pub last_scheduled: u64,
}

impl StayPolicy {
    /// Whether the worker stays. `idles_on` says whether it has not idled for too long; it is asked
    /// where that matters.
    pub fn stays<E>(
        &self,
        left: Left,
        idles_on: impl FnOnce() -> Result<bool, E>,
    ) -> Result<bool, E> {
        if !self.keep_alive {
            Ok(false)
        } else if self.assistant {
            Ok(true)
        } else if self.count_last_scheduled {
            Ok(left.last_scheduled > 0)
        } else if self.count_uniques {
            Ok(left.unique > 0)
        } else if left.pending == 0 {
            Ok(false)
        } else {
            idles_on()
        }
    }
}
