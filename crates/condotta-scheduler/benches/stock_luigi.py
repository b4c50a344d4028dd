"""What the scheduler's bench does, on stock Luigi's scheduler in this process.

Independent tasks with three short parameters and one worker. Hands out and reports only a few
tasks of each graph, because each costs a walk over all of them.
"""

import time

from luigi.scheduler import Scheduler

HANDED_OUT = 20


def measure(count):
    scheduler = Scheduler()
    start = time.perf_counter()
    for i in range(count):
        scheduler.add_task(
            worker="worker",
            task_id=f"Family_2026_01_01_{i}_{i:010x}",
            family="Family",
            params={"date": "2026-01-01", "number": str(i), "text": "abcdef"},
        )
    announced = time.perf_counter()
    handing_out = reporting = 0.0
    for _ in range(HANDED_OUT):
        before = time.perf_counter()
        task_id = scheduler.get_work(worker="worker", current_tasks=[])["task_id"]
        between = time.perf_counter()
        scheduler.add_task(worker="worker", task_id=task_id, status="DONE", runnable=None)
        handing_out += between - before
        reporting += time.perf_counter() - between
    return (announced - start) / count, handing_out / HANDED_OUT, reporting / HANDED_OUT


def main():
    print("tasks      announce      hand out   report done   (nanoseconds a request)")
    for count in (1_000, 10_000, 100_000):
        announce, hand_out, report = (round(seconds * 1e9) for seconds in measure(count))
        print(f"{count:>7,} {announce:>12,} {hand_out:>13,} {report:>13,}")


main()
