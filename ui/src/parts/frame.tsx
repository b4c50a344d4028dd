// What pages are put together of: panels, what is said while there is nothing to show, tables of facts.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Loaded } from "../api/load";

interface PanelProps {
  title: string;
  aside?: ComponentChildren;
  /** More names of its class, such as `wide`. */
  look?: string;
  children: ComponentChildren;
}

export function Panel({ title, aside, look = "", children }: PanelProps) {
  return (
    <section class={`panel ${look}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** The head of a page: its name, and what stands beside it. */
export function Head({ title, children }: { title: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="page-head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

/** What was loaded; before that, that it is on its way, or why it cannot be had. What answers a former question is dimmed. */
export function Shown<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (of.data !== undefined) return <div class="shown" aria-busy={of.loading}>{children(of.data)}</div>;
  if (of.error) return <Trouble of={of} />;
  return <Waits />;
}

export function Trouble<T>({ of }: { of: Loaded<T> }) {
  return (
    <p class="trouble" role="alert">
      {of.error?.message}{" "}
      <button type="button" class="small" onClick={of.reload}>
        Try again
      </button>
    </p>
  );
}

/** Seen only when an answer takes longer than one notices. */
export function Waits() {
  return (
    <div class="waits" aria-busy="true" aria-label="on its way">
      <i />
      <i />
      <i />
    </div>
  );
}

export function Nothing({ children }: { children: ComponentChildren }) {
  return <p class="nothing">{children}</p>;
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

interface BarProps {
  value: number;
  most: number;
  label: string;
  /** That all of it is in use is as it should be. */
  calm?: boolean;
}

export function Bar({ value, most, label, calm = false }: BarProps) {
  const part = most > 0 ? Math.min(1, value / most) : value > 0 ? 1 : 0;
  const level = calm ? "calm" : part >= 1 ? "full" : part > 0.5 ? "half" : "low";
  return (
    <div class={`bar ${level}`} role="meter" aria-valuemin={0} aria-valuemax={most} aria-valuenow={Math.min(value, most)} aria-valuetext={label} aria-label={label} title={label}>
      <i style={{ width: `${100 * part}%` }} />
    </div>
  );
}

export interface Choice<T extends string> {
  value: T;
  label: string;
}

/** A few choices side by side, of which one holds. */
export function Choices<T extends string>({ label, of, value, choose }: { label: string; of: readonly Choice<T>[]; value: T; choose: (value: T) => void }) {
  return (
    <div class="choices" role="group" aria-label={label}>
      {of.map((one) => (
        <button key={one.value} type="button" aria-pressed={one.value === value} onClick={() => choose(one.value)}>
          {one.label}
        </button>
      ))}
    </div>
  );
}

interface PressProps {
  /** Whether there is something that it does now. */
  may: boolean;
  press: () => void;
  /** Its name, where what is written on it does not say it. */
  name?: string;
  children: ComponentChildren;
}

/** A small button that keeps the focus when its last press left it nothing to do, as at the end of a list. */
export function Press({ may, press, name, children }: PressProps) {
  return (
    <button type="button" class="small" aria-disabled={!may} {...(name ? { "aria-label": name } : {})} onClick={() => may && press()}>
      {children}
    </button>
  );
}

/** A wide table: where it goes on beside what is seen, its edge says so. */
export function Wide({ label, children }: { label: string; children: ComponentChildren }) {
  const place = useRef<HTMLDivElement>(null);
  const [more, setMore] = useState("");
  const look = () => {
    const box = place.current;
    if (!box) return;
    const left = box.scrollLeft > 4;
    const right = box.scrollWidth - box.clientWidth - box.scrollLeft > 4;
    setMore(`${left ? " more-left" : ""}${right ? " more-right" : ""}`);
  };
  useLayoutEffect(() => {
    const box = place.current;
    if (!box) return;
    const watch = new ResizeObserver(look);
    watch.observe(box);
    if (box.firstElementChild) watch.observe(box.firstElementChild);
    return () => watch.disconnect();
  }, []);
  return (
    <div class={`wide${more}`}>
      <div ref={place} class="scroll" tabIndex={0} role="region" aria-label={label} onScroll={look}>
        {children}
      </div>
      {more.includes("right") && <span class="more" aria-hidden="true">›</span>}
    </div>
  );
}

/** How wide an element is, in pixels, as long as it is there. */
export function useWidth<T extends HTMLElement>(): [preact.RefObject<T | null>, number] {
  const place = useRef<T>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return [place, width];
}
