// All tasks: filtered, sorted and paged by the server; every filter is in the address.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, post } from "../api/client";
import { onTasks, useLoaded } from "../api/load";
import type { BulkOutcome, TaskPage } from "../api/schema";
import { useFocusKept } from "../focus";
import { Ask, type Question } from "../parts/dialog";
import { FamilyList } from "../parts/families";
import { FirstRun } from "../parts/first-run";
import { Head, Press, Shown } from "../parts/frame";
import { FILTERS, TaskFilters, type Change } from "../parts/task-filters";
import { questionOf } from "../parts/task-actions";
import { TaskTable } from "../parts/task-table";
import { go, href } from "../route";
import { useIsOperator } from "../session";

const LIMIT = 100;

/** What is shown, and what of the question it answers: the filter, and how many tasks stand before. */
type Seen = TaskPage & { filter: string; offset: number };

export function TasksPage({ query }: { query: URLSearchParams }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [question, setQuestion] = useState<Question>();
  const sort = query.get("sort") ?? "-updated";
  const offset = Math.max(0, Number(query.get("offset")) || 0);
  const asked = new URLSearchParams();
  for (const [name, value] of query) if (FILTERS.includes(name) && (value !== "" || name === "namespace")) asked.append(name, value);
  const filter = asked.toString();
  asked.set("sort", sort);
  asked.set("limit", String(LIMIT));
  if (offset > 0) asked.set("offset", String(offset));
  const tasks = useLoaded(`tasks ${asked}`, async (signal): Promise<Seen> => ({ filter, offset, ...(await get<TaskPage>("tasks", asked, signal)) }), onTasks);

  const change: Change = useCallback(
    (edit, how = "push") => {
      const next = new URLSearchParams(query);
      next.delete("offset");
      edit(next);
      go(href("tasks", "", next), how);
    },
    [query],
  );
  // What is chosen is what one sees: another filter begins anew.
  useEffect(() => setChosen(new Set()), [filter]);
  const choose = (ids: string[], on: boolean) => {
    const next = new Set(chosen);
    for (const id of ids) if (on) next.add(id);
      else next.delete(id);
    setChosen(next);
  };
  const isOperator = useIsOperator();
  const seen = tasks.data;
  const isEmpty = seen?.total === 0 && seen.filter === "";
  const done = () => {
    setChosen(new Set());
    tasks.reload();
  };
  const place = useRef<HTMLDivElement>(null);
  // A task that fits no longer takes its row with it, and "choose none" itself.
  useFocusKept(place, () => place.current?.querySelector<HTMLElement>("[role=region]")?.focus({ preventScroll: true }));
  return (
    <>
      <Head title="Tasks" />
      <div ref={place} class="sides">
        <FamilyList query={query} change={change} />
        <div>
          <TaskFilters query={query} counts={tasks.data?.counts} change={change} />
          {seen && !isEmpty && <Pager seen={seen} offset={offset} change={change} />}
          <Shown of={tasks}>
            {(page) => isEmpty ? <FirstRun /> : (
              <TaskTable
                tasks={page.items}
                label="Tasks"
                none={<>No task fits. <a href={href("tasks")}>Show all tasks</a>, or look at what ran before in the <a href={href("history")}>history</a>.</>}
                {...(isOperator ? { choosing: { chosen, choose } } : {})}
                sorting={{ sort, change: (by) => change((next) => next.set("sort", by)) }}
                act={(offer, task) => setQuestion(questionOf(offer, task, tasks.reload))}
              />
            )}
          </Shown>
          {seen && isOperator && <Bulk page={seen} chosen={chosen} filter={filter} ask={setQuestion} clear={() => setChosen(new Set())} onDone={done} />}
          {seen && seen.items.length > 20 && <Pager seen={seen} offset={offset} change={change} />}
        </div>
      </div>
      {question && <Ask question={question} onClose={() => setQuestion(undefined)} />}
    </>
  );
}

interface PagerProps {
  seen: Seen;
  /** Where the page begins that is asked for. */
  offset: number;
  change: Change;
}

function Pager({ seen: { total, offset: first, items }, offset, change }: PagerProps) {
  const to = (place: number) => change((next) => (place > 0 ? next.set("offset", String(place)) : next.delete("offset")));
  const last = Math.max(0, Math.floor((total - 1) / LIMIT) * LIMIT);
  return (
    <div class="row pager">
      <span aria-live="polite">
        {total === 0 ? "no tasks" : `${(first + 1).toLocaleString()}–${(first + items.length).toLocaleString()} of ${total.toLocaleString()}`}
      </span>
      {total > LIMIT && (
        <>
          <Press may={offset > 0} press={() => to(0)}>First</Press>
          <Press may={offset > 0} press={() => to(offset - LIMIT)}>Previous</Press>
          <Press may={offset < last} press={() => to(offset + LIMIT)}>Next</Press>
          <Press may={offset < last} press={() => to(last)}>Last</Press>
        </>
      )}
    </div>
  );
}

const BULK = [["forgive", "Forgive"], ["re-enable", "Enable again"], ["done", "Mark as done"], ["disable", "Disable"]] as const;

interface BulkProps {
  page: TaskPage;
  chosen: ReadonlySet<string>;
  filter: string;
  ask: (question: Question) => void;
  clear: () => void;
  onDone: () => void;
}

/** What is done to all chosen tasks, or to all that fit the filter. */
function Bulk({ page, chosen, filter, ask, clear, onDone }: BulkProps) {
  const onFilter = chosen.size === 0;
  const many = onFilter ? page.total : chosen.size;
  if (many === 0 || (onFilter && filter === "")) return null;
  const tasks = many === 1 ? "task" : "tasks";
  const which = onFilter ? `all ${many.toLocaleString()} ${tasks} that fit the filter` : `${many.toLocaleString()} chosen ${tasks}`;
  const start = (action: string, label: string) =>
    ask({
      title: `${label}?`,
      text: `This is done to ${which}. Those to which it does not apply stay as they are.`,
      action: label,
      run: async () => {
        const body = onFilter ? { action, filter, most: 10_000 } : { action, tasks: [...chosen] };
        const outcome = await post<BulkOutcome>("tasks/actions", body);
        onDone();
        const left = outcome.left > 0 ? `, ${outcome.left.toLocaleString()} left for another time` : "";
        return `${outcome.changed.toLocaleString()} changed, ${outcome.unchanged.toLocaleString()} stayed as they were${left}.`;
      },
    });
  return (
    <div id="actions" class={`row bulk ${onFilter ? "" : "on"}`} role="group" aria-label="Actions on many tasks" tabIndex={-1}>
      <span aria-live="polite">{which}:</span>
      {BULK.map(([action, label]) => (
        <button key={action} type="button" class="small" onClick={() => start(action, label)}>
          {label}
        </button>
      ))}
      {!onFilter && <button type="button" class="link" onClick={clear}>choose none</button>}
    </div>
  );
}
