// What an attempt printed: live, searchable, with the end in sight as long as nobody scrolls away from it.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, ROOT, path } from "../api/client";
import { follow, type Piece } from "../api/log";
import { plain } from "./text";
import { clock } from "./time";

/** How many lines are kept in the page; the server has the rest. */
const MOST_LINES = 20_000;
/** How many of them are in the document at once. */
const SHOWN_LINES = 2_000;

interface Line {
  number: number;
  source: string;
  text: string;
  time: number;
}

/** Puts pieces into lines. A line that has no end yet is gone on with by the next piece of its source. */
class Lines {
  lines: Line[] = [];
  private count = 0;
  private open = new Map<string, Line>();

  add(pieces: Piece[]): void {
    for (const piece of pieces) {
      const parts = piece.text.split("\n");
      parts.forEach((part, index) => {
        const isLast = index === parts.length - 1;
        if (isLast && part === "") return;
        const begun = this.open.get(piece.source);
        if (begun) {
          begun.text += part;
        } else {
          this.count += 1;
          const prefix = piece.level && index === 0 ? `${piece.level}: ` : "";
          const line = { number: this.count, source: piece.source, text: prefix + part, time: piece.time };
          this.lines.push(line);
          this.open.set(piece.source, line);
        }
        if (!isLast || piece.source === "log") this.open.delete(piece.source);
      });
    }
    if (this.lines.length > MOST_LINES) this.lines = this.lines.slice(-MOST_LINES);
  }
}

export function LogView({ attempt }: { attempt: string }) {
  const store = useRef(new Lines());
  const [version, setVersion] = useState(0);
  const [state, setState] = useState<{ ended: boolean; trouble?: ApiError }>({ ended: false });
  const [words, setWords] = useState("");
  const [tail, setTail] = useState(true);
  const box = useRef<HTMLPreElement>(null);
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
        onEnd: (trouble) => setState({ ended: true, ...(trouble ? { trouble } : {}) }),
      },
      abort.signal,
    );
    return () => {
      abort.abort();
      cancelAnimationFrame(frame);
    };
  }, [attempt]);
  useEffect(() => {
    if (tail && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [version, tail]);

  const found = useMemo(() => {
    const wanted = words.toLowerCase();
    const all = store.current.lines;
    return wanted ? all.filter((line) => line.text.toLowerCase().includes(wanted)) : all;
  }, [words, version]);
  const shown = found.slice(-SHOWN_LINES);
  if (state.trouble) return <p class="muted" role="status">{state.trouble.message}</p>;
  return (
    <div class="log">
      <div class="row">
        <input type="search" aria-label="Search what was printed" placeholder="find lines" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        <label>
          <input type="checkbox" checked={tail} onChange={(event) => setTail(event.currentTarget.checked)} /> keep the end in sight
        </label>
        <span class="muted" role="status">
          {words ? `${found.length.toLocaleString()} of ` : ""}
          {store.current.lines.length.toLocaleString()} {store.current.lines.length === 1 ? "line" : "lines"}
          {state.ended ? "" : ", live"}
        </span>
        <a href={`${ROOT}${path("attempts", attempt, "log")}?format=text`} download={`${attempt}.log`}>
          whole as text
        </a>
      </div>
      {found.length > shown.length && <p class="muted">The last {SHOWN_LINES.toLocaleString()} lines are shown.</p>}
      <pre
        ref={box}
        tabIndex={0}
        aria-label="What was printed"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          const atEnd = scrollHeight - scrollTop - clientHeight < 40;
          if (!atEnd && tail && scrollHeight > clientHeight) setTail(false);
        }}
      >
        {shown.map((line) => (
          <div key={line.number} class={line.source} title={`${line.source}, ${clock(line.time)}`}>
            {plain(line.text.length > 10_000 ? `${line.text.slice(0, 10_000)}…` : line.text) || " "}
          </div>
        ))}
        {shown.length === 0 && <div class="muted">{state.ended ? "It printed nothing." : "Nothing yet."}</div>}
      </pre>
    </div>
  );
}
