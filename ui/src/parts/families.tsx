// The families of tasks, grouped by namespace, with their numbers; each is a filter of the list of tasks.

import { useState } from "preact/hooks";
import { get } from "../api/client";
import { onTasks, useLoaded } from "../api/load";
import type { Families, Family, Namespace } from "../api/schema";
import { Shown } from "./frame";
import { turn, type Change } from "./task-filters";
import { plain } from "./text";

/** How many families of a namespace are listed at once. */
const MOST = 200;

export function FamilyList({ query, change }: { query: URLSearchParams; change: Change }) {
  const families = useLoaded("families", (signal) => get<Families>("families", {}, signal), onTasks, { pause: 3000 });
  const [wanted, setWanted] = useState("");
  const many = families.data?.namespaces.length ?? 0;
  const chosen = query.getAll("family");
  return (
    <details class="families-box" open={matchMedia("(min-width: 801px)").matches}>
      <summary>Families</summary>
      <nav class="families" aria-label="Families">
        <input type="search" placeholder="find families" aria-label="Search families" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
        {chosen.length > 0 && (
          <button type="button" class="link" onClick={() => change((next) => next.delete("family"))}>
            choose none
          </button>
        )}
        <Shown of={families}>
          {({ namespaces, cut }) => (
            <>
              {namespaces.map((group) => (
                <Group key={group.namespace} group={group} wanted={wanted} open={many <= 8} query={query} change={change} />
              ))}
              {cut && <p class="muted">There are more families than are listed.</p>}
            </>
          )}
        </Shown>
      </nav>
    </details>
  );
}

interface GroupProps {
  group: Namespace;
  wanted: string;
  open: boolean;
  query: URLSearchParams;
  change: Change;
}

function Group({ group, wanted, open, query, change }: GroupProps) {
  const chosen = query.getAll("family");
  const inNamespace = query.getAll("namespace").includes(group.namespace);
  const fitting = group.families.filter((one) => one.family.toLowerCase().includes(wanted.toLowerCase()));
  if (fitting.length === 0) return null;
  const prefix = group.namespace ? `${group.namespace}.` : "";
  return (
    <details open={open || wanted !== "" || group.families.some((one) => chosen.includes(one.family))}>
      <summary>
        <bdi>{plain(group.namespace) || "no namespace"}</bdi> <Many of={group} />
      </summary>
      <button type="button" class="family all" aria-pressed={inNamespace} onClick={() => change((next) => turn(next, "namespace", group.namespace))}>
        all of it
      </button>
      {fitting.slice(0, MOST).map((one) => (
        <button
          key={one.family}
          type="button"
          class="family"
          aria-pressed={chosen.includes(one.family)}
          onClick={() => change((next) => turn(next, "family", one.family))}
        >
          <bdi>
            {one.family.startsWith(prefix) && <span class="unseen">{plain(prefix)}</span>}
            {plain((one.family.startsWith(prefix) ? one.family.slice(prefix.length) : one.family).slice(0, 100)) || "(no name)"}
          </bdi>
          <Many of={one} />
        </button>
      ))}
      {fitting.length > MOST && <p class="muted">and {fitting.length - MOST} more: search for them</p>}
    </details>
  );
}

function Many({ of }: { of: Family | Namespace }) {
  return (
    <>
      {of.counts.FAILED > 0 && <span class="count failed" title="failed">✕ {of.counts.FAILED.toLocaleString()}</span>}
      <span class="count">{of.total.toLocaleString()}</span>
    </>
  );
}
