// What pages are put together of: panels, what is said while there is nothing to show, tables of facts.

import type { ComponentChildren } from "preact";
import type { Loaded } from "../api/load";

export function Panel({ title, aside, children }: { title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** What was loaded; before that, that it is on its way, or why it cannot be had. */
export function Shown<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) {
    return (
      <p class="trouble" role="alert">
        {of.error.message}{" "}
        <button type="button" class="small" onClick={of.reload}>
          Try again
        </button>
      </p>
    );
  }
  return <p class="muted" aria-busy="true">…</p>;
}

export function Facts({ of }: { of: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Bar({ value, most, label }: { value: number; most: number; label: string }) {
  const part = most > 0 ? Math.min(1, value / most) : value > 0 ? 1 : 0;
  const level = part >= 1 ? "full" : part > 0.5 ? "half" : "low";
  return (
    <meter class={`bar ${level}`} min={0} max={1} value={part} aria-label={label} title={label}>
      {label}
    </meter>
  );
}
