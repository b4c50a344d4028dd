// When what ran: attempts of a period by worker or family, or the tasks of one graph with the path that
// decided how long all of it took.

import { useMemo, useState } from "preact/hooks";
import { get, path } from "../api/client";
import { HISTORY_LAG, useLoaded } from "../api/load";
import type { AttemptPage, Durations, Graph } from "../api/types";
import { Gantt, type Span } from "../parts/gantt";
import { Panel, Shown } from "../parts/frame";
import { outcomeLook } from "../parts/outcome";
import { lookOf } from "../parts/status";
import { shortWorker, TaskName } from "../parts/task-table";
import { plain } from "../parts/text";
import { serverNow, span } from "../parts/time";
import { go, href } from "../route";

const PERIODS: [string, number][] = [["10 minutes", 600], ["hour", 3600], ["6 hours", 21_600], ["day", 86_400], ["week", 604_800]];

export function TimelinePage({ root, query }: { root: string; query: URLSearchParams }) {
  return root ? <OfGraph key={root} root={root} /> : <OfPeriod query={query} />;
}

function OfPeriod({ query }: { query: URLSearchParams }) {
  const period = Number(query.get("period")) || 3600;
  const by = query.get("by") === "family" ? "family" : "worker";
  const worker = query.get("worker") ?? "";
  const family = query.get("family") ?? "";
  const attempts = useLoaded(
    `timeline ${period} ${worker} ${family}`,
    (signal) => get<AttemptPage>("attempts", { since: Math.floor(serverNow() - period), worker, family, limit: 1000 }, signal),
    (change) => change.kind === "counts",
    HISTORY_LAG,
  );
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value);
    else next.delete(name);
    go(href("timeline", "", next));
  };
  return (
    <>
      <h1>Timeline</h1>
      <p class="row">
        <label>
          The last{" "}
          <select value={String(period)} onChange={(event) => change("period", event.currentTarget.value)}>
            {PERIODS.map(([name, secs]) => <option key={name} value={String(secs)}>{name}</option>)}
          </select>
        </label>
        <label>
          by{" "}
          <select value={by} onChange={(event) => change("by", event.currentTarget.value)}>
            <option value="worker">worker</option>
            <option value="family">family</option>
          </select>
        </label>
        {[["worker", worker], ["family", family]].map(([name = "", value = ""]) => value && (
          <button key={name} type="button" class="chip" onClick={() => change(name, "")}>
            {name}: {plain(value.slice(0, 60))} <span aria-label="remove">×</span>
          </button>
        ))}
      </p>
      <Shown of={attempts}>
        {(page) => {
          const spans = page.items.map((one): Span => {
            const look = outcomeLook(one.outcome);
            return {
              key: one.id,
              row: by === "family" ? one.family : (one.worker ?? "no worker"),
              rowLabel: by === "family" ? plain(one.family) : one.worker ? shortWorker(one.worker) : "no worker",
              from: one.began,
              to: one.ended ?? (one.outcome === "running" ? serverNow() : one.began),
              colour: look.colour,
              title: `${plain(one.task_id.slice(0, 100))}: ${look.word}`,
              to_page: href("task", one.task_id, { attempt: one.id, show: "log" }),
              strong: false,
            };
          });
          return (
            <Panel title={`${spans.length.toLocaleString()} attempts`}>
              {spans.length === 0 ? <p class="muted">Nothing ran in this time.</p> : <Gantt spans={spans} label="Attempts over time" />}
              {page.next && <p class="muted">These are the newest; there are more. Choose a shorter time, a worker or a family.</p>}
            </Panel>
          );
        }}
      </Shown>
    </>
  );
}

/** How many rows the timeline of a graph has at most. */
const MOST_ROWS = 300;

function OfGraph({ root }: { root: string }) {
  const graph = useLoaded(`graph of ${root}`, (signal) => get<Graph>("graph", { task: root, direction: "up", limit: 10_000 }, signal), (change) => change.kind === "counts");
  const [only, setOnly] = useState(false);
  return (
    <>
      <h1>Timeline</h1>
      <p class="row">
        <a href={href("task", root)}>{plain(root.slice(0, 150))}</a> and what it depends on
        <label>
          <input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} /> the critical path only
        </label>
      </p>
      <Shown of={graph}>{(known) => <Path graph={known} only={only} />}</Shown>
    </>
  );
}

function Path({ graph, only }: { graph: Graph; only: boolean }) {
  const critical = useMemo(() => criticalPath(graph), [graph]);
  const isCritical = new Set(critical);
  const spans = graph.nodes
    .map((node, index): Span | undefined => {
      if (!node.started || (only && !isCritical.has(index))) return undefined;
      const runs = node.status === "RUNNING" || node.status === "BATCH_RUNNING";
      const look = lookOf(node.status);
      return {
        key: node.id,
        row: node.id,
        rowLabel: plain(node.display_name.slice(0, 60)),
        from: node.started,
        to: runs ? serverNow() : Math.max(node.started, node.updated ?? node.started),
        colour: look.colour,
        title: `${plain(node.display_name.slice(0, 100))}: ${look.word}`,
        to_page: href("task", node.id),
        strong: isCritical.has(index),
      };
    })
    .filter((one) => one !== undefined)
    .sort((one, other) => one.from - other.from);
  return (
    <>
      <Panel title="Tasks that ran">
        {spans.length === 0 ? <p class="muted">None of them ran since the scheduler knows them.</p> : <Gantt spans={spans.slice(0, MOST_ROWS)} label="Tasks over time" />}
        {spans.length > MOST_ROWS && <p class="muted">The first {MOST_ROWS} of {spans.length.toLocaleString()} are shown.</p>}
      </Panel>
      <Panel title="Critical path">
        <p class="muted">From the end back: of what a task depends on, the one that was done last.</p>
        <ol class="list">
          {critical.slice(0, 100).map((index) => {
            const node = graph.nodes[index];
            if (!node) return null;
            const took = node.started && node.updated && node.updated > node.started ? node.updated - node.started : undefined;
            return (
              <li key={node.id}>
                <TaskName task={node} /> {took !== undefined && <small>took {span(took)}</small>} <Usual family={node.family} />
              </li>
            );
          })}
        </ol>
      </Panel>
    </>
  );
}

/** How long a family usually takes, out of the history. */
function Usual({ family }: { family: string }) {
  const durations = useLoaded(`durations ${family}`, (signal) => get<Durations>(path("families", family, "durations"), {}, signal));
  if (!durations.data || durations.data.median === null) return null;
  return <small>usually {span(durations.data.median)}</small>;
}

/** From the first node, always on to the dependency whose status changed last. */
export function criticalPath(graph: Graph): number[] {
  const needs = new Map<number, number[]>();
  for (const [from, to] of graph.edges) {
    const known = needs.get(from);
    if (known) known.push(to);
    else needs.set(from, [to]);
  }
  const way: number[] = [];
  const seen = new Set<number>();
  let current: number | undefined = graph.nodes.length > 0 ? 0 : undefined;
  while (current !== undefined && !seen.has(current)) {
    seen.add(current);
    way.push(current);
    const candidates: number[] = (needs.get(current) ?? []).filter((index) => graph.nodes[index]?.started);
    current = candidates.sort((one, other) => (graph.nodes[other]?.updated ?? 0) - (graph.nodes[one]?.updated ?? 0))[0];
  }
  return way;
}
