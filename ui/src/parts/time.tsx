// Moments and spans of time, for people. A moment is shown as how long ago it was, and said whole on hover.

import { useEffect, useRef, useState } from "preact/hooks";

/** How far the server's clock is ahead of the browser's, in seconds. */
let ahead = 0;

export function setServerTime(now: number): void {
  ahead = now - Date.now() / 1000;
}

export function serverNow(): number {
  return Date.now() / 1000 + ahead;
}

/** A span of seconds, in its two largest units. */
export function span(seconds: number): string {
  const whole = Math.max(0, seconds);
  if (whole < 1) return `${Math.round(whole * 1000)} ms`;
  if (whole < 10) return `${whole.toFixed(1)} s`;
  const rounded = Math.round(whole);
  if (rounded < 60) return `${rounded} s`;
  const minutes = Math.floor(rounded / 60);
  if (minutes < 60) return `${minutes} min ${rounded % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A span of seconds, in its largest unit. */
export function roughly(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function moment(at: number): string {
  return new Date(at * 1000).toLocaleString(undefined, {
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
}

/** The time of day; with the date if it is another day. */
export function clock(at: number): string {
  const date = new Date(at * 1000);
  const time = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? time : `${date.toLocaleDateString(undefined, { month: "short", day: "numeric" })} ${time}`;
}

/** The time of day to the minute, with the day if that is not today. */
export function minute(at: number): string {
  const date = new Date(at * 1000);
  const time = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? time : `${date.toLocaleDateString(undefined, { month: "short", day: "numeric" })} ${time}`;
}

const listeners = new Set<() => void>();
let timer = 0;

/** Calls about once a second: one clock for the whole page. */
function onTick(call: () => void): () => void {
  listeners.add(call);
  timer ||= window.setInterval(() => {
    for (const listener of listeners) listener();
  }, 1000);
  return () => {
    listeners.delete(call);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = 0;
  };
}

/** A text that time changes; what shows it is drawn anew only when it does. */
function useText(make: () => string): string {
  const newest = useRef(make);
  newest.current = make;
  const [, setText] = useState("");
  useEffect(() => onTick(() => setText(newest.current())), []);
  return make();
}

/** How long ago, or in how long. */
export function When({ at }: { at: number | null | undefined }) {
  const text = useText(() => {
    if (!at) return "–";
    const ago = serverNow() - at;
    // Clocks differ a little.
    return ago < -1 ? `in ${span(-ago)}` : ago < 5 ? "now" : `${roughly(ago)} ago`;
  });
  if (!at) return <span class="muted">–</span>;
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={moment(at)}>
      {text}
    </time>
  );
}

/** How long something takes that began then and may go on. */
export function Lasting({ from, to }: { from: number; to?: number | null }) {
  const text = useText(() => span((to ?? serverNow()) - from));
  return <time title={`${moment(from)} – ${to ? moment(to) : "now"}`}>{text}</time>;
}
