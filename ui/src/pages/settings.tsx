// What this server is and how it is set.

import { get } from "../api/client";
import { useLoaded } from "../api/load";
import { Facts, Panel, Shown } from "../parts/frame";
import { plain } from "../parts/text";
import { span } from "../parts/time";
import { useAbout } from "../session";
import { keepTheme, keptTheme } from "../theme";

const THEMES = [["", "as the system says"], ["light", "light"], ["dark", "dark"]] as const;

export function SettingsPage() {
  const about = useAbout();
  const settings = useLoaded("settings", (signal) => get<Record<string, unknown>>("settings", {}, signal));
  return (
    <>
      <h1>Settings</h1>
      <div class="columns">
        {about && (
          <Panel title="About this server">
            <Facts
              of={[
                ["Program", `${about.name} ${about.version}`],
                ["Runs for", span(about.uptime)],
                ["You are", about.caller ? `${plain(about.caller)}, ${about.role}` : about.role],
                ["Offers", Object.entries(about.features).filter(([, on]) => on).map(([name]) => name).join(", ") || "nothing besides"],
                ["API", <a key="api" href="api/v1/openapi.json">api/v1/openapi.json</a>],
                ["Metrics", <a key="metrics" href="metrics">metrics</a>],
              ]}
            />
          </Panel>
        )}
        <Panel title="The scheduler">
          <Shown of={settings}>
            {(known) => <Facts of={Object.entries(known).map(([name, value]): [string, string] => [name, typeof value === "object" ? JSON.stringify(value) : String(value)])} />}
          </Shown>
          <p class="muted">They are read from the server's configuration when it starts.</p>
        </Panel>
        <Panel title="This page">
          <fieldset>
            <legend>Colours</legend>
            {THEMES.map(([value, label]) => (
              <label key={value}>
                <input type="radio" name="theme" defaultChecked={keptTheme() === value} onChange={() => keepTheme(value)} /> {label}
              </label>
            ))}
          </fieldset>
        </Panel>
      </div>
    </>
  );
}
