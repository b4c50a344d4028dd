// Moments and spans of time, for people. A moment is shown as how long ago it was, and said whole on hover.

import { useEffect, useState } from "preact/hooks";

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
  if (whole < 60) return `${Math.round(whole)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(whole % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
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

/** Makes the component show itself anew each second. */
export function useTick(everyMs = 1000): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}

/** How long ago, or in how long. */
export function When({ at }: { at: number | null | undefined }) {
  useTick();
  if (at === null || at === undefined || at === 0) return <span class="muted">–</span>;
  const ago = serverNow() - at;
  const text = ago >= 0 ? `${span(Math.max(1, Math.floor(ago)))} ago` : `in ${span(-ago)}`;
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={moment(at)}>
      {text}
    </time>
  );
}

/** How long something takes that began then and may go on. */
export function Lasting({ from, to }: { from: number; to?: number | null }) {
  useTick();
  const end = to ?? serverNow();
  return <time title={`${moment(from)} – ${to ? moment(to) : "now"}`}>{span(end - from)}</time>;
}
