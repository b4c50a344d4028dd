// Attempts of a task out of the history, and how long those of its family usually take.

import { get, path } from "../api/client";
import { type Concerns, HISTORY_LAG, useLoaded } from "../api/load";
import type { AttemptPage, Durations } from "../api/types";
import { href } from "../route";
import { Panel, Shown } from "./frame";
import { OutcomeMark } from "./outcome";
import { shortWorker } from "./task-table";
import { plain, Said } from "./text";
import { Lasting, moment, span, When } from "./time";

interface Wanted {
  task: string;
  family: string;
  changes: Concerns;
  choose: (attempt: string) => void;
}

export function Attempts({ task, changes, choose }: Wanted) {
  const attempts = useLoaded(`attempts ${task}`, (signal) => get<AttemptPage>(path("tasks", task, "attempts"), { limit: 20 }, signal), changes, HISTORY_LAG);
  return (
    <Panel title="Attempts" aside={<a href={href("history", "", { task })}>all of its history</a>}>
      <Shown of={attempts}>
        {({ items }) => <AttemptTable items={items} withTask={false} choose={choose} />}
      </Shown>
    </Panel>
  );
}

export function AttemptTable({ items, withTask, choose }: { items: AttemptPage["items"]; withTask: boolean; choose: (attempt: string) => void }) {
  if (items.length === 0) return <p class="muted">There is none.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Attempts">
      <table>
        <thead>
          <tr>
            <th scope="col">Outcome</th>
            {withTask && <th scope="col">Task</th>}
            <th scope="col">Attempt</th>
            <th scope="col">Began</th>
            <th scope="col">Took</th>
            <th scope="col">Waited</th>
            <th scope="col">Worker</th>
            <th scope="col">Error</th>
            <th scope="col">Log</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.id} data-attempt={one.id}>
              <td><OutcomeMark outcome={one.outcome} /></td>
              {withTask && (
                <td class="name">
                  <a href={href("task", one.task_id)} title={plain(one.task_id)}>{plain(one.task_id.slice(0, 100))}</a>
                </td>
              )}
              <td class="number">{one.attempt}</td>
              <td title={moment(one.began)}><When at={one.began} /></td>
              <td class="number">{one.outcome === "running" ? <Lasting from={one.began} /> : one.secs === null ? "–" : span(one.secs)}</td>
              <td class="number">{one.waited_secs === null ? "–" : span(one.waited_secs)}</td>
              <td>{one.worker && <a href={href("workers", one.worker)} title={plain(one.worker)}>{shortWorker(one.worker)}</a>}</td>
              <td>{one.error && <Said text={one.error} most={80} />}</td>
              <td><button type="button" class="link" onClick={() => choose(one.id)}>what it printed</button></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How long attempts of a family usually take. */
export function DurationsOf({ family }: { family: string }) {
  const durations = useLoaded(`durations ${family}`, (signal) => get<Durations>(path("families", family, "durations"), {}, signal));
  return (
    <Panel title="How long it usually takes" aside={<a href={href("history", "", { family })}>history of {plain(family.slice(0, 60))}</a>}>
      <Shown of={durations}>{(known) => <DurationFacts of={known} />}</Shown>
    </Panel>
  );
}

export function DurationFacts({ of }: { of: Durations }) {
  if (of.count === 0) return <p class="muted">No attempt has succeeded yet.</p>;
  const secs = (value: number | null) => (value === null ? "–" : span(value));
  return (
    <>
      <p>
        Half of {of.count.toLocaleString()} {of.count === 1 ? "attempt" : "attempts"} took at most <strong>{secs(of.median)}</strong>, nine of ten{" "}
        <strong>{secs(of.p90)}</strong>, the longest <strong>{secs(of.max)}</strong>.
      </p>
      <Trend days={of.days} />
    </>
  );
}

const WIDTH = 600;
const HEIGHT = 80;

/** Medians by day as bars, with what 95 of 100 did not exceed as a thin line above. */
function Trend({ days }: { days: Durations["days"] }) {
  if (days.length < 2) return null;
  const most = Math.max(...days.map((day) => day.p95 ?? day.median ?? 0), 1e-3);
  const width = WIDTH / days.length;
  const height = (value: number | null) => ((value ?? 0) / most) * HEIGHT;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`Durations by day, from ${dayOf(days[0]?.began ?? 0)} to ${dayOf(days.at(-1)?.began ?? 0)}`}>
        {days.map((day, index) => (
          <g key={day.began}>
            <title>{`${dayOf(day.began)}: ${day.count} attempts, median ${span(day.median ?? 0)}, 95 of 100 at most ${span(day.p95 ?? 0)}`}</title>
            <rect class="area done" x={index * width} width={Math.max(1, width - 1)} y={HEIGHT - height(day.median)} height={height(day.median)} />
            <rect class="area pending" x={index * width} width={Math.max(1, width - 1)} y={HEIGHT - height(day.p95)} height={1.5} />
          </g>
        ))}
      </svg>
      <figcaption>median of each day, and what 95 of 100 did not exceed</figcaption>
    </figure>
  );
}

/** A day of UTC. */
export function dayOf(began: number): string {
  return new Date(began * 1000).toISOString().slice(0, 10);
}
