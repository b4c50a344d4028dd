//! Memory returns when tasks go, whatever they were called, needed and asked for.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use condotta_scheduler::{AddTask, Config, Now, Scheduler};

/// Counts the bytes that this thread has in use.
struct Counting;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // A thread that ends has no counter any more.
    let _ = IN_USE.try_with(|in_use| in_use.set(in_use.get() + change));
}

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe to write; this one only counts"
)]
// SAFETY: each call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn distinct_needs_resources_and_policies_are_freed_with_their_tasks() {
    let config = Config {
        remove_delay: 10.0,
        worker_disconnect_delay: 10.0,
        ..Config::default()
    };
    let mut scheduler = Scheduler::new(config, [].into(), 0);
    let mut at = 0.0;
    let mut in_use = Vec::new();
    for round in 0..4 {
        for task in 0..5000_u32 {
            let mut request = AddTask::new("x", &format!("T{round}_{task}"));
            request.deps = Some(vec![format!("T{round}_{}", task + 1)]);
            request.resources = Some([(format!("r{round}_{task}"), u64::from(task) + 2)].into());
            request.retry_policy.disable_window = Some(f64::from(round * 5000 + task));
            scheduler.add_task(Now::at(at), request).unwrap();
        }
        scheduler.handle_timeout(Now::at(at + 1.0));
        for later in [20.0, 40.0, 60.0, 80.0, 100.0] {
            scheduler.handle_timeout(Now::at(at + later));
        }
        scheduler.check_invariants().unwrap();
        assert_eq!(scheduler.task_count(), 0);
        in_use.push(IN_USE.get());
        at += 1000.0;
    }
    let grown = in_use[3] - in_use[0];
    assert!(grown < 10_000, "{in_use:?}: {grown} bytes were kept");
    assert!(in_use[3] < 200_000, "{in_use:?} bytes are in use");
}
