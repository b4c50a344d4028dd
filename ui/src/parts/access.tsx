// Who may come in, and what was done: for operators.

import { useState } from "preact/hooks";
import { get } from "../api/client";
import { useLoaded } from "../api/load";
import type { AuditPage, Entry, TokenList } from "../api/schema";
import { Nothing, Panel, Shown, Wide } from "./frame";
import { plain } from "./text";
import { moment, When } from "./time";

export function Tokens() {
  const tokens = useLoaded("tokens", (signal) => get<TokenList>("tokens", {}, signal));
  return (
    <Panel title="Tokens">
      <Shown of={tokens}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing>There is none: nobody is asked for one, unless the configuration says so.</Nothing>
          ) : (
            <Wide label="Tokens">
              <table>
                <thead>
                  <tr>{["Name", "Role", "Made", "Ends"].map((name) => <th key={name} scope="col">{name}</th>)}</tr>
                </thead>
                <tbody>
                  {items.map((one) => (
                    <tr key={one.name}>
                      <td class="wrap">{plain(one.name)}</td>
                      <td>{one.role}</td>
                      <td class="time"><When at={one.created} /></td>
                      <td class="time">{one.expired ? <span class="bad">expired</span> : one.expires == null ? "never" : <When at={one.expires} />}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Wide>
          )
        }
      </Shown>
      <p class="muted">
        <code>condotta token create NAME --role ROLE</code> makes one, <code>condotta token revoke NAME</code> takes it back.
      </p>
    </Panel>
  );
}

/** How many entries are shown at once. */
const SOME = 20;

export function Trail() {
  const [most, setMost] = useState(SOME);
  const trail = useLoaded(`audit ${most}`, (signal) => get<AuditPage>("audit", { limit: most }, signal), () => false, { every: 10_000 });
  return (
    <Panel title="What was done, and who was refused">
      <Shown of={trail}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Nothing>Nothing yet.</Nothing>
          ) : (
            <>
              <Wide label="Audit trail">
                <table class="trail">
                  <thead>
                    <tr>{["When", "Who", "From", "Did", "To", "Besides"].map((name) => <th key={name} scope="col">{name}</th>)}</tr>
                  </thead>
                  <tbody>{items.map((one) => <Done key={one.id} entry={one} />)}</tbody>
                </table>
              </Wide>
              {next != null && most < 1000 && (
                <p><button type="button" class="small" onClick={() => setMost(Math.min(1000, 4 * most))}>Show more</button></p>
              )}
              <p class="muted"><code>condotta audit</code> has all of it, and filters.</p>
            </>
          )
        }
      </Shown>
    </Panel>
  );
}

/** Who did it, as far as that was asked. */
export function whoDid(entry: Entry): string {
  return `${entry.let_in_by === "nothing" ? "no authentication" : plain(entry.by)}${entry.let_in_by === "command" ? " (command)" : ""}`;
}

function Done({ entry }: { entry: Entry }) {
  const besides = Object.entries(entry.details).filter(([, value]) => value != null);
  return (
    <tr data-audit={entry.operation} class={entry.operation === "refuse" ? "bad" : ""}>
      <td class="time" title={moment(entry.at)}><When at={entry.at} /></td>
      <td class="wrap">{whoDid(entry)}</td>
      <td>{entry.address ?? ""}</td>
      <td>{plain(entry.operation.replace(/_/g, " "))}</td>
      <td class="said-cell"><bdi>{plain(entry.on ?? "")}</bdi></td>
      <td class="said-cell">{plain(besides.map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ").slice(0, 500))}</td>
    </tr>
  );
}
