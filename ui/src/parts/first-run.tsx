// What to do when the scheduler has no task yet.

import { Copy } from "./text";

export function FirstRun({ title = "No task has been announced yet" }: { title?: string }) {
  const python = `luigi --module my_tasks MyTask --scheduler-url ${location.origin}${location.pathname.replace(/\/$/, "")}`;
  const rust = `cargo run -- MyTask --scheduler-url ${location.origin}${location.pathname.replace(/\/$/, "")}`;
  return (
    <section class="panel first-run">
      <h2>{title}</h2>
      <p>Workers announce tasks when they are started without <code>--local-scheduler</code>. For a pipeline in Python:</p>
      <Command text={python} />
      <p>For one in Rust:</p>
      <Command text={rust} />
      <p class="muted">As soon as a worker has planned its tasks, they appear here by themselves.</p>
    </section>
  );
}

function Command({ text }: { text: string }) {
  return (
    <p class="command">
      <code>{text}</code> <Copy text={text} what="the command" />
    </p>
  );
}
