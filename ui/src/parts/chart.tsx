// What charts have in common: the frame that values stand in, and points that are read one by one, by mouse or
// behind one stop of the Tab key.

import type { ComponentChildren } from "preact";
import { useRoving } from "./roving";

export const HEIGHT = 130;
const LEFT = 44;
const TOP = 4;
const BOTTOM = 18;

/** Where values stand in a chart, in pixels. */
export interface Frame {
  left: number;
  right: number;
  most: number;
  /** How far down a value stands; the base is that of 0. */
  y: (value: number) => number;
}

export function frameOf(width: number, most: number): Frame {
  const y = (value: number) => TOP + (1 - value / most) * (HEIGHT - BOTTOM - TOP);
  return { left: LEFT, right: Math.max(LEFT + 1, width - 4), most, y };
}

/** Lines at the most, at half of it and at the base, and from when to when that is. */
export function Axes({ of, from, to }: { of: Frame; from: string; to: string }) {
  const { left, right, most, y } = of;
  return (
    <>
      {[most, most / 2].map((value) => (
        <g key={value} class="grid">
          <line x1={left} x2={right} y1={y(value)} y2={y(value)} />
          {Number.isInteger(value) && <text x={left - 6} y={y(value) + 8} text-anchor="end">{value.toLocaleString()}</text>}
        </g>
      ))}
      <line class="base" x1={left} x2={right} y1={y(0)} y2={y(0)} />
      <g class="grid">
        <text x={left} y={HEIGHT - 4}>{from}</text>
        <text x={right} y={HEIGHT - 4} text-anchor="end">{to}</text>
      </g>
    </>
  );
}

/** What can be read of a chart at a time. */
export interface Point {
  key: string;
  said: string;
  x: number;
  width: number;
  /** What is drawn of it alone. */
  drawn?: ComponentChildren;
  /** Called when somebody clicks it, or presses Enter or the space bar on it. */
  press?: (() => void) | undefined;
}

/**
 * The points as columns down to `bottom`, for a picture within an element with `group`; `read` is the one that has
 * the focus.
 */
export function useColumns<P extends Point>(points: readonly P[], bottom: number) {
  const { focused, group, stop } = useRoving(points.map(({ key }) => key));
  const columns = points.map(({ key, said, x, width, drawn, press }) => (
    <g key={key} class="column" role={press ? "button" : "img"} aria-label={said} {...stop(key)} {...(press ? { onClick: press, onKeyDown: pressed(press) } : {})}>
      <title>{said}</title>
      <rect class="hit" x={x} width={width} y={TOP} height={bottom - TOP} />
      {drawn}
    </g>
  ));
  return { read: points.find(({ key }) => key === focused), group, columns };
}

function pressed(press: () => void) {
  return (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    press();
  };
}
