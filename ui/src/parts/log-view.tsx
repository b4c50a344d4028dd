// What an attempt printed: live, searchable, with the end in sight as long as nobody scrolls away from it. Only
// the lines in sight are in the document, so that a large log is as quick as a small one.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type ApiError, ROOT, path } from "../api/client";
import { follow } from "../api/log";
import { useFocusKept } from "../focus";
import { type Line, Lines } from "./lines";
import { clock } from "./time";

/** The height of a line, as the style sheet has it. */
const HEIGHT = 18;
/** How high the box is at most. */
const HIGHEST = 432;
/** How many lines beyond those in sight are in the document. */
const BEYOND = 30;

/** Follows an attempt's log; what it has grows in place, and the number tells how often it did. */
function useLines(attempt: string): { lines: Lines; version: number; ended: boolean; trouble: ApiError | undefined } {
  const store = useRef(new Lines());
  const [version, setVersion] = useState(0);
  const [state, setState] = useState<{ ended: boolean; trouble?: ApiError | undefined }>({ ended: false });
  useEffect(() => {
    store.current = new Lines();
    setVersion(0);
    setState({ ended: false });
    const abort = new AbortController();
    let frame = 0;
    const show = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setVersion((before) => before + 1);
      });
    };
    void follow(
      attempt,
      {
        onPieces: (pieces) => {
          store.current.add(pieces);
          show();
        },
        onEnd: (trouble) => setState({ ended: true, trouble }),
      },
      abort.signal,
    );
    return () => {
      abort.abort();
      cancelAnimationFrame(frame);
    };
  }, [attempt]);
  return { lines: store.current, version, ended: state.ended, trouble: state.trouble };
}

export function LogView({ attempt }: { attempt: string }) {
  const { lines, version, ended, trouble } = useLines(attempt);
  const [words, setWords] = useState("");
  const [following, setFollowing] = useState(true);
  const [top, setTop] = useState(0);
  /** How many lines there were when it stopped to follow. */
  const [seen, setSeen] = useState(0);
  /** The line that was gone to. */
  const [at, setAt] = useState<{ line: Line }>();
  const box = useRef<HTMLDivElement>(null);
  useFocusKept(box, () => box.current?.focus({ preventScroll: true }));

  const found = useMemo(() => {
    const wanted = words.toLowerCase();
    return wanted ? lines.all.filter((line) => line.text.toLowerCase().includes(wanted)) : lines.all;
  }, [words, version, lines]);
  useLayoutEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [version, following, words]);
  useLayoutEffect(() => {
    if (!at || !box.current) return;
    box.current.scrollTop = above(at.line);
    box.current.querySelector<HTMLElement>("[aria-current]")?.focus({ preventScroll: true });
  }, [at]);

  /** How far down it is, with a few lines above it. */
  function above(line: Line): number {
    return Math.max(0, lines.all.indexOf(line) - 5) * HEIGHT;
  }

  if (trouble) return <p class="nothing" role="status">{trouble.message}</p>;
  const height = Math.min(HIGHEST, Math.max(3, found.length) * HEIGHT + 8);
  const first = Math.max(0, Math.floor(top / HEIGHT) - BEYOND);
  const shown = found.slice(first, first + Math.ceil(height / HEIGHT) + 2 * BEYOND);
  const more = lines.all.length + lines.dropped - seen;
  const turn = (on: boolean) => {
    setFollowing(on);
    if (!on) setSeen(lines.all.length + lines.dropped);
  };
  const scrolled = (event: Event) => {
    const { scrollTop, scrollHeight, clientHeight } = event.currentTarget as HTMLElement;
    setTop(scrollTop);
    const isAtEnd = scrollHeight - scrollTop - clientHeight < HEIGHT;
    if (isAtEnd !== following && scrollHeight > clientHeight) turn(isAtEnd);
  };
  /** Shows a line that was found among its neighbours. */
  const show = (line: Line) => {
    setWords("");
    turn(false);
    setTop(above(line));
    setAt({ line });
  };
  return (
    <div class="log">
      <div class="row">
        <input type="search" aria-label="Search what was printed" placeholder="find lines" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        <label>
          <input type="checkbox" checked={following} onChange={(event) => turn(event.currentTarget.checked)} /> follow the end
        </label>
        <span class="muted" role="status">
          {words ? `${found.length.toLocaleString()} of ` : ""}
          {lines.all.length.toLocaleString()} {lines.all.length === 1 ? "line" : "lines"}
          {ended ? "" : ", live"}
        </span>
        {!following && more > 0 && (
          <button type="button" class="small" onClick={() => turn(true)}>
            {more.toLocaleString()} new {more === 1 ? "line" : "lines"} below
          </button>
        )}
        <a class="aside" href={`${ROOT}${path("attempts", attempt, "log")}?format=text`} download={`${attempt}.log`}>
          whole as text
        </a>
      </div>
      {lines.dropped > 0 && <p class="muted">The first {lines.dropped.toLocaleString()} lines are left out here.</p>}
      <div ref={box} class="lines" tabIndex={0} role="log" aria-live="off" aria-label="What was printed" style={{ height: `${height}px` }} onScroll={scrolled}>
        <div class="all" style={{ height: `${found.length * HEIGHT}px` }}>
          <div class="seen" style={{ transform: `translateY(${first * HEIGHT}px)` }}>
            {shown.map((line) => (
              <div key={line.number} class={`line ${line.source}`} {...(line === at?.line ? { "aria-current": "location", tabIndex: -1 } : {})} title={`${line.source}, ${clock(line.time)}`}>
                {words ? (
                  <button type="button" class="number" aria-label={`Line ${line.number}: show what stands around it`} onClick={() => show(line)}>{line.number}</button>
                ) : (
                  <span class="number" aria-hidden="true">{line.number}</span>
                )}
                <Marked text={line.text} words={words} />
              </div>
            ))}
          </div>
        </div>
        {found.length === 0 && <p class="nothing">{words ? "No line fits." : ended ? "It printed nothing." : "Nothing yet."}</p>}
      </div>
    </div>
  );
}

/** The text of a line, with what was looked for marked. */
function Marked({ text, words }: { text: string; words: string }) {
  const at = words ? text.toLowerCase().indexOf(words.toLowerCase()) : -1;
  if (at < 0) return <bdi class="text">{text}</bdi>;
  const end = at + words.length;
  return (
    <bdi class="text">
      {text.slice(0, at)}
      <mark>{text.slice(at, end)}</mark>
      {text.slice(end)}
    </bdi>
  );
}
