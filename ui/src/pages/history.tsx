// Attempts of any period, how they ended, and how long those of a family take.

import { get, path } from "../api/client";
import { OF_DAYS, OF_HISTORY, onCounts, useLoaded } from "../api/load";
import { type AttemptPage, type Durations, type FamilyHistories, type FamilyHistory, type HistoryCounts, Outcome } from "../api/schema";
import { AttemptTable, DurationFacts } from "../parts/attempts";
import { EndedChart } from "../parts/ended-chart";
import { Choices, Head, Nothing, Panel, Press, Shown, Wide } from "../parts/frame";
import { outcomeLook, OutcomeMark } from "../parts/outcome";
import { Moment, turn } from "../parts/task-filters";
import { plain } from "../parts/text";
import { moment, serverNow, span } from "../parts/time";
import { go, href } from "../route";

const FILTERS = ["task", "family", "worker", "outcome", "param", "since", "until"];
const DAY = 86_400;
/** Up to so many days, hours are told apart. */
const DAYS_OF_HOURS = 3;

const PERIODS = [
  { value: "", label: "30 days" }, { value: "1", label: "day" }, { value: "7", label: "week" }, { value: "90", label: "90 days" }, { value: "365", label: "year" }, { value: "between", label: "between …" },
] as const;
type Period = (typeof PERIODS)[number]["value"];

/** The period that is asked for, in seconds since 1970; without `until`, up to now. */
function periodOf(query: URLSearchParams): { since: number; until: number; days: number; name: Period } {
  const name = PERIODS.find((one) => one.value === (query.get("period") ?? ""))?.value ?? "";
  const until = Number(query.get("until")) || 0;
  const wanted = Number(query.get("since")) || 0;
  // To the hour, so that the same question is not a new one each second.
  const hour = Math.ceil(serverNow() / 3600) * 3600;
  const since = wanted || hour - (Number(name) || 30) * DAY;
  const days = Math.min(3660, Math.max(1, Math.ceil((hour - since) / DAY)));
  return { since, until, days, name: wanted || until ? "between" : name };
}

export function HistoryPage({ query }: { query: URLSearchParams }) {
  const period = periodOf(query);
  const asked = new URLSearchParams();
  for (const [name, value] of query) if ((FILTERS.includes(name) || name === "after") && value !== "") asked.append(name, value);
  if (query.has("period") && period.name !== "between") asked.set("since", String(period.since));
  asked.set("limit", "100");
  const attempts = useLoaded(`history ${asked}`, (signal) => get<AttemptPage>("attempts", asked, signal), (change) => onCounts(change) && !asked.has("after"), OF_HISTORY);
  const next = attempts.data?.next;
  const after = query.get("after") ?? "";
  const family = query.get("family");
  const change: Change = (edit, how = "push") => {
    const next = new URLSearchParams(query);
    next.delete("after");
    edit(next);
    go(href("history", "", next), how);
  };
  return (
    <>
      <Head title="History" />
      <Filters query={query} period={period} change={change} />
      {query.has("luigi_number") && (
        <p class="warn">
          Luigi's history had this attempt as number {plain((query.get("luigi_number") ?? "").slice(0, 20))}. Its numbers mean nothing here: search by the task's id or family.
        </p>
      )}
      <div class="halves with-table">
        <Ended family={family ?? ""} period={period} change={change} />
        {family ? <FamilyDurations key={family} family={family} days={period.days} /> : <FamilyTable days={period.days} />}
      </div>
      <Panel title="Attempts, newest first" aside={FILTERS.some((name) => query.has(name)) && <a href={href("history")}>without filters</a>}>
        <Shown of={attempts}>
          {(page) => (
            <AttemptTable
              items={page.items}
              withTask
              choose={(id) => {
                const one = page.items.find((attempt) => attempt.id === id);
                if (one) go(href("task", one.task_id, { attempt: id, show: "log" }));
              }}
            />
          )}
        </Shown>
        {(after !== "" || next) && (
          <div class="row pager">
            <Press may={after !== ""} press={() => change(() => {})}>Newest</Press>
            <Press may={!!next} press={() => change((query) => query.set("after", next ?? ""))}>Older</Press>
          </div>
        )}
      </Panel>
    </>
  );
}

type Change = (edit: (query: URLSearchParams) => void, how?: "push" | "replace") => void;

function Filters({ query, period, change }: { query: URLSearchParams; period: ReturnType<typeof periodOf>; change: Change }) {
  const outcomes = query.getAll("outcome");
  const chooseOutcome = (outcome: Outcome) =>
    change((next) => {
      const rest = outcomes.filter((one) => one !== outcome);
      next.delete("outcome");
      for (const one of rest) next.append("outcome", one);
      if (rest.length === outcomes.length) next.append("outcome", outcome);
    });
  const set = (name: string, value: string | number) => change((next) => (value ? next.set(name, String(value)) : next.delete(name)));
  const choosePeriod = (value: Period) =>
    change((next) => {
      next.delete("since");
      next.delete("until");
      if (value === "between") next.set("since", String(period.since));
      else if (value) next.set("period", value);
      if (value === "between" || !value) next.delete("period");
    });
  return (
    <div class="filters" role="search">
      <div class="row">
        <Choices<Period> label="Which time" of={PERIODS} value={period.name} choose={choosePeriod} />
        {period.name === "between" && (
          <span class="joined">
            <Moment label="From" at={Number(query.get("since")) || 0} choose={(at) => set("since", at)} />
            <Moment label="Until" at={period.until} choose={(at) => set("until", at)} />
          </span>
        )}
        {(["family", "task", "worker"] as const).map((name) => (
          <input
            key={name}
            type="search"
            aria-label={name === "task" ? "Task id" : name}
            placeholder={name === "task" ? "task id" : name}
            value={query.get(name) ?? ""}
            onChange={(event) => set(name, event.currentTarget.value.trim())}
          />
        ))}
        <input
          type="search"
          aria-label="parameter, then Enter"
          placeholder="name=value"
          onChange={(event) => {
            const { value } = event.currentTarget;
            if (!value.includes("=")) return;
            event.currentTarget.value = "";
            change((next) => !next.getAll("param").includes(value) && next.append("param", value));
          }}
        />
      </div>
      <div class="row chips">
        {query.getAll("param").map((param) => (
          <button key={param} type="button" class="chip on" onClick={() => change((next) => turn(next, "param", param))}>
            {plain(param.slice(0, 80))} <span aria-label="remove">×</span>
          </button>
        ))}
      </div>
      <div class="row chips" role="group" aria-label="Outcomes">
        {Outcome.map((outcome) => (
          <button key={outcome} type="button" class={`chip ${outcomeLook(outcome).colour}`} aria-pressed={outcomes.includes(outcome)} onClick={() => chooseOutcome(outcome)}>
            <OutcomeMark outcome={outcome} />
          </button>
        ))}
      </div>
    </div>
  );
}

/** How many attempts ended how, by hour or by day. */
function Ended({ family, period, change }: { family: string; period: ReturnType<typeof periodOf>; change: Change }) {
  const secs = period.days <= DAYS_OF_HOURS ? 3600 : DAY;
  const counts = useLoaded(
    `ended ${family} ${period.days}`,
    async (signal) => ({ secs, ...(await get<HistoryCounts>("history/counts", { family, days: period.days, by: secs === DAY ? "day" : "hour" }, signal)) }),
    onCounts,
    { ...OF_HISTORY, pause: 4000 },
  );
  const to = period.until || serverNow();
  return (
    <Panel title={secs === DAY ? "Attempts that ended, by day" : "Attempts that ended, by hour"} look="chart" aside={<span class="muted">choose a bar to see its attempts</span>}>
      <Shown of={counts}>
        {({ items, secs }) => (
          <EndedChart
            periods={items.filter((one) => one.began < to)}
            secs={secs}
            from={Math.max(period.since, to - period.days * DAY)}
            to={to}
            choose={(since, until) => change((next) => {
              next.delete("period");
              next.set("since", String(since));
              next.set("until", String(until));
            })}
          />
        )}
      </Shown>
      {period.until > 0 && <p class="muted">up to {moment(period.until)}</p>}
    </Panel>
  );
}

function FamilyDurations({ family, days }: { family: string; days: number }) {
  const durations = useLoaded(`durations ${family} ${days}`, (signal) => get<Durations>(path("families", family, "durations"), { days }, signal), onCounts, OF_DAYS);
  return (
    <Panel title={`How long ${plain(family.slice(0, 80))} takes`}>
      <Shown of={durations}>{(known) => <DurationFacts of={known} />}</Shown>
    </Panel>
  );
}

/** How families fared, those that take most of the time first. */
function FamilyTable({ days }: { days: number }) {
  const families = useLoaded(`family histories ${days}`, (signal) => get<FamilyHistories>("history/families", { days }, signal), onCounts, OF_DAYS);
  return (
    <Panel title="How families fared" look="short">
      <Shown of={families}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing>No attempt has ended yet.</Nothing>
          ) : (
            <Wide label="Families">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Family</th>
                    {["Done", "Failed", "Median", "95 of 100", "Longest", "Altogether"].map((name) => (
                      <th key={name} scope="col" class="number">{name}</th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {[...items]
                    .sort((one, other) => other.durations.total - one.durations.total)
                    .slice(0, 200)
                    .map((one) => <FamilyRow key={one.family} of={one} />)}
                </tbody>
              </table>
            </Wide>
          )
        }
      </Shown>
    </Panel>
  );
}

function FamilyRow({ of: { family, outcomes, durations } }: { of: FamilyHistory }) {
  const secs = (value: number | null | undefined) => (value == null ? "–" : span(value));
  const failed = (outcomes["failed"] ?? 0) + (outcomes["lost"] ?? 0) + (outcomes["timed_out"] ?? 0);
  return (
    <tr>
      <td class="name">
        <a class="task" href={href("history", "", { family })}><span class="of">{plain(family.slice(0, 100)) || "(no name)"}</span></a>
      </td>
      <td class="number">{(outcomes["done"] ?? 0).toLocaleString()}</td>
      <td class={failed > 0 ? "number bad" : "number"}>{failed.toLocaleString()}</td>
      <td class="number">{secs(durations.median)}</td>
      <td class="number">{secs(durations.p95)}</td>
      <td class="number">{secs(durations.max)}</td>
      <td class="number">{span(durations.total)}</td>
    </tr>
  );
}
