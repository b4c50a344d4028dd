// Resources: how much of each is used, by whom, who waits for it; and their limits.

import { get, path, post } from "../api/client";
import { onTasks, useLoaded } from "../api/load";
import type { Resource, Share } from "../api/types";
import { done } from "../parts/dialog";
import { Bar, Panel, Shown } from "../parts/frame";
import { TaskName } from "../parts/task-table";
import { plain } from "../parts/text";
import { href } from "../route";
import { useIsOperator } from "../session";

export function ResourcesPage({ name }: { name: string }) {
  const resources = useLoaded("resources", (signal) => get<{ items: Resource[]; cut: boolean }>("resources", {}, signal), (change) => onTasks(change) || change.kind === "limit");
  return (
    <>
      <h1>Resources</h1>
      <Shown of={resources}>
        {({ items, cut }) => {
          const shown = name ? items.filter((one) => one.name === name) : [...items].sort((one, other) => share(other) - share(one));
          return (
            <>
              {name && <p><a href={href("resources")}>All resources</a></p>}
              {shown.length === 0 && <p class="muted">{name ? `No task needs ${plain(name)}.` : "No task needs any, and none has a limit."}</p>}
              {shown.map((resource) => (
                <One key={resource.name} resource={resource} open={name !== ""} onDone={resources.reload} />
              ))}
              {cut && <p class="muted">There are more than are shown.</p>}
            </>
          );
        }}
      </Shown>
    </>
  );
}

function share(resource: Resource): number {
  return resource.used / (resource.limit || 0.5);
}

function One({ resource, open, onDone }: { resource: Resource; open: boolean; onDone: () => void }) {
  return (
    <Panel title={plain(resource.name)} aside={<Limit resource={resource} onDone={onDone} />}>
      <Bar value={resource.used} most={resource.limit} label={`${resource.used} of ${resource.limit} used`} />
      <p>
        {resource.used} of {resource.limit} used{resource.limit_is_said ? "" : " (nobody set a limit: it is 1)"}; {resource.waiters.toLocaleString()}{" "}
        {resource.waiters === 1 ? "task waits" : "tasks wait"} for a worker or for some of it.
      </p>
      <div class="columns">
        <Tasks title={`${resource.takers} take some`} of={resource.running} total={resource.takers} open={open || resource.takers < 6} />
        <Tasks title={`${resource.waiters} wait`} of={resource.waiting} total={resource.waiters} open={open} />
      </div>
    </Panel>
  );
}

function Tasks({ title, of, total, open }: { title: string; of: Share[]; total: number; open: boolean }) {
  if (total === 0) return null;
  return (
    <details open={open}>
      <summary>{title}</summary>
      <ul class="list">
        {of.map((one) => (
          <li key={one.task_id}>
            <TaskName task={{ id: one.task_id, display_name: one.display_name }} /> <small>{one.amount}</small>
          </li>
        ))}
        {total > of.length && <li class="muted">and {(total - of.length).toLocaleString()} more</li>}
      </ul>
    </details>
  );
}

function Limit({ resource, onDone }: { resource: Resource; onDone: () => void }) {
  const isOperator = useIsOperator();
  if (!isOperator) return <span>limit {resource.limit}</span>;
  const set = (limit: number) =>
    void done(async () => {
      await post(path("resources", resource.name), { limit });
      onDone();
      return `The limit of ${plain(resource.name)} is ${limit} now.`;
    });
  return (
    <span class="row">
      <span>limit</span>
      <button type="button" class="small" aria-label={`One less of ${plain(resource.name)}`} disabled={resource.limit === 0} onClick={() => set(resource.limit - 1)}>−</button>
      <input
        type="number"
        class="count"
        min={0}
        aria-label={`Limit of ${plain(resource.name)}`}
        value={resource.limit}
        onChange={(event) => {
          const limit = Number(event.currentTarget.value);
          if (Number.isSafeInteger(limit) && limit >= 0) set(limit);
        }}
      />
      <button type="button" class="small" aria-label={`One more of ${plain(resource.name)}`} onClick={() => set(resource.limit + 1)}>+</button>
    </span>
  );
}
