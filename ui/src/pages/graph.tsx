// The graph around a task: what it depends on, what depends on it, or both.

import { useMemo, useState } from "preact/hooks";
import { get } from "../api/client";
import { onCounts, onTasks, useLoaded } from "../api/load";
import { type TaskPage, TaskStatus } from "../api/schema";
import type { Graph } from "../api/words";
import { longLabel } from "../graph/canvas";
import { asDot, asSvg, save } from "../graph/export";
import type { Laid } from "../graph/layout";
import { countsText, shapesOf, type Drawing, type Shape } from "../graph/shape";
import { GraphView } from "../graph/view";
import { FirstRun } from "../parts/first-run";
import { Choices, Head, Nothing, Panel, Shown } from "../parts/frame";
import { LOOKS, StatusMark, StatusSign } from "../parts/status";
import { useSettled } from "../parts/settled";
import { turn } from "../parts/task-filters";
import { TaskName } from "../parts/task-table";
import { plain } from "../parts/text";
import { When } from "../parts/time";
import { go, href } from "../route";

const DIRECTIONS = [{ value: "up", label: "what it depends on" }, { value: "down", label: "what depends on it" }, { value: "both", label: "both" }] as const;
/** From so many nodes on, families are drawn as one if nobody says otherwise. */
const MANY = 60;

export function GraphPage({ root, query }: { root: string; query: URLSearchParams }) {
  if (!root) return <ChooseRoot />;
  return <Around key={root} root={root} query={query} />;
}

function ChooseRoot() {
  const [words, setWords] = useState("");
  // Of what is announced together, what all the rest is for comes first in time, and so last among the newest.
  const which = words ? { search: words } : { needed: "false" };
  const tasks = useLoaded(`roots ${words}`, (signal) => get<TaskPage>("tasks", { ...which, limit: 30, sort: "-created" }, signal), onTasks);
  return (
    <>
      <Head title="Graph" />
      <p>
        <input type="search" class="long" aria-label="Search a task" placeholder="of which task?" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
      </p>
      <Panel title={words ? "Tasks that fit" : "Announced last, and needed by no other"}>
        <Shown of={tasks}>
          {(page) => (
            <ul class="list">
              {page.items.map((task) => (
                <li key={task.id}>
                  <StatusSign status={task.status} />
                  <a class="task" href={href("graph", task.id)}><bdi>{plain(task.display_name.slice(0, 200))}</bdi></a>
                  <small>{task.dependencies.toLocaleString()} below</small>
                </li>
              ))}
              {page.items.length === 0 && words && <li class="muted">No task fits.</li>}
              {page.items.length === 0 && !words && <FirstRun />}
            </ul>
          )}
        </Shown>
      </Panel>
    </>
  );
}

function Around({ root, query }: { root: string; query: URLSearchParams }) {
  const asked = query.get("direction");
  const direction = asked === "down" || asked === "both" ? asked : "up";
  const depth = query.get("depth") ?? "";
  const hideDone = query.get("hide_done") === "true";
  const limit = query.get("limit") ?? "2000";
  const wanted = `${direction} ${depth} ${limit}`;
  const graph = useLoaded(`graph ${wanted}`, async (signal) => ({ wanted, known: await get<Graph>("graph", { task: root, direction, depth, limit }, signal) }), onCounts);
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value);
    else next.delete(name);
    go(href("graph", root, next));
  };
  const steps = useSettled<HTMLInputElement>(depth, (value) => change("depth", value));
  return (
    <>
      <Head title="Graph">
        <span class="subject">
          <a class="task" href={href("task", root)}>{plain((graph.data?.known.nodes[0]?.display_name ?? root).slice(0, 150))}</a>{" "}
          <a href={href("timeline", root)}>timeline</a>
        </span>
      </Head>
      <div class="row">
        <Choices label="Which way" of={DIRECTIONS} value={direction} choose={(value) => change("direction", value)} />
        <label>
          steps{" "}
          <input type="number" class="count" min={1} max={1000} placeholder="all" {...steps} />
        </label>
        <label>
          <input type="checkbox" checked={hideDone} onChange={(event) => change("hide_done", event.currentTarget.checked ? "true" : "")} /> hide done
        </label>
      </div>
      <Shown of={graph}>
        {({ known, wanted }) => <Picture root={root} graph={known} query={query} asked={`${wanted} ${hideDone}`} hideDone={hideDone} limit={limit} more={() => change("limit", "10000")} />}
      </Shown>
    </>
  );
}

interface Wanted {
  root: string;
  graph: Graph;
  /** The rest of the address: how it is drawn. */
  query: URLSearchParams;
  /** What was asked for, in one text. */
  asked: string;
  hideDone: boolean;
  limit: string;
  more: () => void;
}

function Picture({ root, graph, query, asked, hideDone, limit, more }: Wanted) {
  const said = query.get("families");
  const collapsed = said ? said === "one" : graph.nodes.length > MANY;
  const opened = query.getAll("open").join("\n");
  const expanded = useMemo<ReadonlySet<string>>(() => new Set(query.getAll("open")), [opened]);
  const words = query.get("find") ?? "";
  const change = (edit: (next: URLSearchParams) => void, how: "push" | "replace" = "push") => {
    const next = new URLSearchParams(query);
    edit(next);
    go(href("graph", root, next), how);
  };
  const [focus, setFocus] = useState<{ index: number }>();
  const [laid, setLaid] = useState<Laid>();
  const drawing = useMemo(() => shapesOf(graph, { collapsed, expanded, hideDone }), [graph, collapsed, expanded, hideDone]);
  const found = useMemo(() => {
    const wanted = words.trim().toLowerCase();
    const all = new Set<number>();
    if (wanted) drawing.shapes.forEach((shape, index) => longLabel(shape).toLowerCase().includes(wanted) && all.add(index));
    return all;
  }, [drawing, words]);
  const expand = (shape: Shape) => change((next) => turn(next, "open", shape.family));
  const open = (shape: Shape) => (shape.task ? go(href("task", shape.task.id)) : expand(shape));
  const next = () => {
    const all = [...found];
    const after = all.find((index) => index > (focus?.index ?? -1)) ?? all[0];
    if (after !== undefined) setFocus({ index: after });
  };
  return (
    <>
      <div class="row">
        <label>
          <input
            type="checkbox"
            checked={collapsed}
            onChange={(event) => {
              const { checked } = event.currentTarget;
              change((next) => {
                next.set("families", checked ? "one" : "each");
                next.delete("open");
              });
            }}
          />{" "}
          families as one
        </label>
        {[...expanded].map((family) => (
          <button key={family} type="button" class="chip on" onClick={() => change((next) => turn(next, "open", family))}>
            {plain(family.slice(0, 60))} <span aria-label="collapse">×</span>
          </button>
        ))}
        <input
          type="search"
          aria-label="Search in the graph"
          class="find-node"
          placeholder="find; Enter goes to the next"
          value={words}
          onInput={(event) => {
            const { value } = event.currentTarget;
            change((next) => (value ? next.set("find", value) : next.delete("find")), "replace");
          }}
          onKeyDown={(event) => event.key === "Enter" && next()}
        />
        <span class="muted" role="status">
          {graph.nodes.length.toLocaleString()} {graph.nodes.length === 1 ? "task" : "tasks"}
          {words && `, ${found.size.toLocaleString()} found`}
        </span>
        <Exports root={root} graph={graph} drawing={drawing} laid={laid} />
      </div>
      {graph.cut && (
        <p class="warn">
          There is more than these {graph.nodes.length.toLocaleString()} tasks.{" "}
          {limit !== "10000" && <button type="button" class="small" onClick={more}>Show up to 10,000</button>}
        </p>
      )}
      <GraphView
        drawing={drawing}
        found={found}
        focus={focus}
        view={`${asked} ${collapsed} ${[...expanded].join(" ")}`}
        onOpen={open}
        onLaid={setLaid}
        about={(shape) => <About shape={shape} expand={expand} />}
      />
      <Legend drawing={drawing} />
      <NodeList drawing={drawing} found={found} words={words} focus={(index) => setFocus({ index })} expand={expand} />
    </>
  );
}

function Exports({ root, graph, drawing, laid }: { root: string; graph: Graph; drawing: Drawing; laid: Laid | undefined }) {
  const name = root.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 60);
  return (
    <span class="row aside">
      <span class="muted">save as</span>
      <button type="button" class="small" disabled={!laid} onClick={() => laid && save(`${name}.svg`, "image/svg+xml", asSvg(drawing, laid))}>SVG</button>
      <button type="button" class="small" onClick={() => save(`${name}.dot`, "text/vnd.graphviz", asDot(drawing))}>DOT</button>
      <button type="button" class="small" onClick={() => save(`${name}.json`, "application/json", `${JSON.stringify(graph, null, 1)}\n`)}>JSON</button>
    </span>
  );
}

/** What is chosen in the picture, and where to go from there. */
function About({ shape, expand }: { shape: Shape; expand: (shape: Shape) => void }) {
  if (!shape.task) {
    return (
      <>
        <b>{plain(shape.label.slice(0, 100))}</b>
        <p>{countsText(shape.counts ?? {})}</p>
        <p class="row">
          <button type="button" class="small" onClick={() => expand(shape)}>Show its {shape.size.toLocaleString()} tasks</button>
          <a href={href("tasks", "", { family: shape.family })}>as a table</a>
        </p>
      </>
    );
  }
  const { task } = shape;
  return (
    <>
      <p><StatusMark status={task.status} /> {task.updated && <small><When at={task.updated} /></small>}</p>
      <p><TaskName task={task} /></p>
      <p class="row">
        <a href={href("task", task.id)}>open</a>
        <a href={href("graph", task.id)}>graph from here</a>
        {task.status === "FAILED" && <a href={href("task", task.id, { show: "error" })}>what went wrong</a>}
      </p>
    </>
  );
}

function Legend({ drawing }: { drawing: Drawing }) {
  const there = new Set(drawing.shapes.map((shape) => shape.status ?? "UNKNOWN"));
  return (
    <p class="row legend" aria-label="What the colours say">
      {TaskStatus.filter((status) => there.has(status)).map((status) => (
        <span key={status} class={`key ${LOOKS[status].colour}`}>
          <span aria-hidden="true">{LOOKS[status].sign}</span> {LOOKS[status].word}
        </span>
      ))}
      <span class="muted">from left to right: what has to be done first</span>
    </p>
  );
}

/** The nodes as a list, for keyboards and for who cannot see the picture. */
function NodeList({ drawing, found, words, focus, expand }: { drawing: Drawing; found: ReadonlySet<number>; words: string; focus: (index: number) => void; expand: (shape: Shape) => void }) {
  const all = drawing.shapes.map((shape, index) => ({ shape, index }));
  const fitting = words ? all.filter(({ index }) => found.has(index)) : all;
  return (
    <Panel title="The same as a list">
      {fitting.length === 0 && <Nothing>No node fits.</Nothing>}
      <ul class="list">
        {fitting.slice(0, 100).map(({ shape, index }) => (
          <li key={shape.key}>
            <StatusSign status={shape.status} />
            <div class="what">
              {shape.task ? (
                <TaskName task={shape.task} />
              ) : (
                <button type="button" class="link" onClick={() => expand(shape)}>
                  {plain(shape.label)} × {shape.size}: {countsText(shape.counts ?? {})}
                </button>
              )}
            </div>
            <button type="button" class="small" aria-label={`Show ${longLabel(shape).slice(0, 100)} in the picture`} onClick={() => focus(index)}>
              in the picture
            </button>
          </li>
        ))}
        {fitting.length > 100 && <li class="muted">and {(fitting.length - 100).toLocaleString()} more: search for them</li>}
      </ul>
    </Panel>
  );
}
