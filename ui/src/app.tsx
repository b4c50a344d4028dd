// The frame around all pages: where one can go, whether what is shown is up to date, who one is.

import { useCallback, useEffect, useState } from "preact/hooks";
import { ApiError, get, post, whenSignedOut } from "./api/client";
import { live, useChanges, useConnection } from "./api/live";
import type { About, Totals } from "./api/schema";
import { useLoaded } from "./api/load";
import { done, Notes } from "./parts/dialog";
import { KeysDialog } from "./parts/keys-dialog";
import { setServerTime } from "./parts/time";
import { useArrival } from "./focus";
import { useKeys } from "./keys";
import { go, href, useRoute } from "./route";
import { about as askAbout, Session, signOut, useAbout, useIsOperator } from "./session";
import { GraphPage } from "./pages/graph";
import { HistoryPage } from "./pages/history";
import { Overview } from "./pages/overview";
import { ResourcesPage } from "./pages/resources";
import { SettingsPage } from "./pages/settings";
import { SignIn } from "./pages/sign-in";
import { TaskPage } from "./pages/task";
import { TasksPage } from "./pages/tasks";
import { TimelinePage } from "./pages/timeline";
import { WorkersPage } from "./pages/workers";

const PAGES = [
  ["overview", "Overview"],
  ["tasks", "Tasks"],
  ["graph", "Graph"],
  ["timeline", "Timeline"],
  ["workers", "Workers"],
  ["resources", "Resources"],
  ["history", "History"],
  ["settings", "Settings"],
] as const;

export function App() {
  const [about, setAbout] = useState<About>();
  const [trouble, setTrouble] = useState<ApiError>();
  const start = useCallback(async () => {
    try {
      const known = await askAbout();
      setServerTime(known.now);
      setAbout(known);
      setTrouble(undefined);
      live.open();
    } catch (error) {
      setTrouble(error instanceof ApiError ? error : new ApiError(0, "failed", String(error)));
    }
  }, []);
  useEffect(() => {
    whenSignedOut(() => {
      live.close();
      setAbout(undefined);
      setTrouble(new ApiError(401, "signed_out", "sign in to see this"));
    });
    void start();
  }, [start]);
  // Until the server answers, it is asked again and again.
  useEffect(() => {
    if (!trouble || trouble.status === 401 || trouble.status === 403) return;
    const timer = setTimeout(() => void start(), 2000);
    return () => clearTimeout(timer);
  }, [trouble, start]);
  if (trouble?.status === 401) return <SignIn onSignedIn={() => void start()} />;
  if (!about) {
    return (
      <main class="alone">
        <p class="brand">condotta</p>
        <p role="status">{trouble ? `${trouble.message}; trying again` : "…"}</p>
      </main>
    );
  }
  return (
    <Session.Provider value={about}>
      <Frame />
      <Notes />
    </Session.Provider>
  );
}

function Frame() {
  const route = useRoute();
  const current = route.page === "task" ? "tasks" : route.page;
  const [help, setHelp] = useState(false);
  useKeys(() => setHelp(true));
  useArrival(route);
  useEffect(() => {
    const name = PAGES.find(([page]) => page === current)?.[1] ?? "condotta";
    // On a narrow screen the names of the pages do not fit side by side.
    document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    document.title = `${route.subject ? `${route.subject.slice(0, 60)} – ` : ""}${name} – condotta`;
  }, [current, route.subject]);
  return (
    <>
      <a class="skip" href="#content" onClick={toContent}>
        To the content
      </a>
      <header class="top">
        <a class="brand" href={href("overview")}>
          <Sign /> condotta
        </a>
        <nav aria-label="Pages">
          {PAGES.map(([page, label]) => (
            <a key={page} href={href(page)} {...(page === current ? { "aria-current": "page" as const } : {})}>
              {label}
            </a>
          ))}
        </nav>
        <Find />
        <Paused />
        <Connected />
        <Who />
      </header>
      <main id="content" tabIndex={-1}>
        <Current page={route.page} subject={route.subject} query={route.query} />
      </main>
      {help && <KeysDialog onClose={() => setHelp(false)} />}
    </>
  );
}

function Sign() {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <path d="M4 8h10v16h14" fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

/** Finds tasks from anywhere. */
function Find() {
  const find = (event: Event) => {
    event.preventDefault();
    const input = (event.currentTarget as HTMLFormElement).elements.namedItem("words") as HTMLInputElement;
    go(href("tasks", "", { search: input.value.trim() }));
    input.value = "";
  };
  return (
    <form class="find" role="search" aria-label="Find" onSubmit={find}>
      <input id="find" name="words" type="search" aria-label="Find tasks" aria-keyshortcuts="/" placeholder="find tasks  /" />
    </form>
  );
}

function toContent(event: Event) {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function Current({ page, subject, query }: { page: string; subject: string; query: URLSearchParams }) {
  switch (page) {
    case "overview":
      return <Overview />;
    case "tasks":
      return <TasksPage query={query} />;
    case "task":
      return <TaskPage key={subject} id={subject} query={query} />;
    case "graph":
      return <GraphPage root={subject} query={query} />;
    case "timeline":
      return <TimelinePage root={subject} query={query} />;
    case "workers":
      return <WorkersPage id={subject} />;
    case "resources":
      return <ResourcesPage name={subject} />;
    case "history":
      return <HistoryPage query={query} />;
    case "settings":
      return <SettingsPage />;
    default:
      return (
        <>
          <h1>There is no such page</h1>
          <p>
            <a href={href("overview")}>To the overview</a>
          </p>
        </>
      );
  }
}

/** Whether work is handed out, and the switch for it. */
function Paused() {
  const isOperator = useIsOperator();
  const canPause = useAbout()?.features.pause;
  const totals = useLoaded("paused", (signal) => get<Totals>("counts", {}, signal), (change) => change.kind === "paused");
  const [known, setKnown] = useState<boolean>();
  useChanges((change) => {
    if (change.kind === "paused" && change.paused !== undefined) setKnown(change.paused);
  });
  const paused = known ?? totals.data?.paused ?? false;
  const turn = () =>
    void done(async () => {
      await post(paused ? "unpause" : "pause");
      setKnown(!paused);
      return paused ? "Work is handed out again." : "Paused: what runs goes on, nothing else is handed out.";
    });
  if (!paused && !(canPause && isOperator)) return null;
  return (
    <span class="paused">
      {paused && (
        <strong class="warn" role="status">
          Paused
        </strong>
      )}
      {canPause && isOperator && (
        <button type="button" class="small" aria-pressed={paused} onClick={turn}>
          {paused ? "Go on" : "Pause work"}
        </button>
      )}
    </span>
  );
}

/** Whether what is shown is kept up to date. */
function Connected() {
  const connection = useConnection();
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (connection === "live") return;
    const timer = setTimeout(() => setLate(true), 1500);
    return () => clearTimeout(timer);
  }, [connection]);
  const isStale = connection !== "live" && late;
  return (
    <span class={`connection ${isStale ? "stale" : connection}`} role="status">
      {isStale ? <>away<span class="banner">Out of date: trying to reach the server</span></> : connection === "live" ? "live" : "…"}
    </span>
  );
}

/** Who is not asked for a token. */
const NOBODY = "anybody";

function Who() {
  const about = useAbout();
  if (!about) return null;
  const leave = () => void signOut().finally(() => location.reload());
  return (
    <span class="who">
      <span title={`You are ${about.caller}, with the role ${about.role}`}>{about.role}</span>
      {about.caller !== NOBODY && (
        <button type="button" class="small" onClick={leave}>
          Sign out
        </button>
      )}
    </span>
  );
}

