// Resources: how much of each is used, by whom, who waits for it; and their limits.

import { get, path, post } from "../api/client";
import { onTasks, useLoaded } from "../api/load";
import type { Resource, Resources, Share } from "../api/schema";
import { done } from "../parts/dialog";
import { Bar, Head, Nothing, Panel, Shown } from "../parts/frame";
import { NumberField } from "../parts/number-field";
import { TaskName } from "../parts/task-table";
import { plain } from "../parts/text";
import { href } from "../route";
import { useIsOperator } from "../session";

export function ResourcesPage({ name }: { name: string }) {
  const resources = useLoaded("resources", (signal) => get<Resources>("resources", {}, signal), (change) => onTasks(change) || change.kind === "limit");
  return (
    <>
      <Head title="Resources">{name && <a href={href("resources")}>all resources</a>}</Head>
      <Shown of={resources}>
        {({ items, cut }) => {
          const shown = name ? items.filter((one) => one.name === name) : [...items].sort((one, other) => share(other) - share(one));
          return (
            <>
              {shown.length === 0 && <Nothing>{name ? `No task needs ${plain(name)}.` : "No task needs any, and none has a limit."}</Nothing>}
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
    <Panel title={plain(resource.name)} look="resource" aside={<Limit resource={resource} onDone={onDone} />}>
      <div class="use">
        <Bar value={resource.used} most={resource.limit} label={`${resource.used} of ${resource.limit} used`} />
        <span>
          <b>{resource.used} of {resource.limit}</b> used{resource.limit_is_said ? "" : " (nobody set a limit: it is 1)"}, {resource.waiters.toLocaleString()}{" "}
          {resource.waiters === 1 ? "waits" : "wait"}
        </span>
      </div>
      <div class="halves">
        <Tasks title={`${resource.takers.toLocaleString()} ${resource.takers === 1 ? "task takes" : "tasks take"} some`} of={resource.running} total={resource.takers} open={open || resource.takers < 6} />
        <Tasks title={`${resource.waiters.toLocaleString()} ${resource.waiters === 1 ? "waits" : "wait"} for a worker or for some of it`} of={resource.waiting} total={resource.waiters} open={open} />
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
            <div class="what"><TaskName task={{ id: one.task_id, display_name: one.display_name }} /></div> <b>{one.amount}</b>
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
  const name = plain(resource.name);
  const set = (limit: number) =>
    done(async () => {
      await post(path("resources", resource.name), { limit });
      onDone();
      return `The limit of ${name} is ${limit} now.`;
    });
  return (
    <span class="row">
      <a href={href("tasks", "", { resource: resource.name })}>tasks</a>
      <span class="muted">limit</span>
      <NumberField label={`Limit of ${name}`} less={`One less of ${name}`} more={`One more of ${name}`} value={resource.limit} least={0} set={set} />
    </span>
  );
}
