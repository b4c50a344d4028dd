// What this server is and how it is set.

import { get } from "../api/client";
import { useLoaded } from "../api/load";
import type { Settings } from "../api/schema";
import { Choices, Facts, Head, Panel, Shown } from "../parts/frame";
import { plain } from "../parts/text";
import { span } from "../parts/time";
import { useAbout, useIsOperator } from "../session";
import { keepTheme, keptTheme } from "../theme";
import { Tokens, Trail } from "../parts/access";
import { useState } from "preact/hooks";

const THEMES = [{ value: "", label: "as the system says" }, { value: "light", label: "light" }, { value: "dark", label: "dark" }] as const;
type Theme = (typeof THEMES)[number]["value"];

export function SettingsPage() {
  const about = useAbout();
  const isOperator = useIsOperator();
  const settings = useLoaded("settings", (signal) => get<Settings>("settings", {}, signal));
  return (
    <>
      <Head title="Settings" />
      <div class="halves">
        <div>
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
          <Look />
          {isOperator && <Tokens />}
        </div>
        <Panel title="The scheduler" look="names">
          <Shown of={settings}>
            {(known) => <Facts of={Object.entries(known).map(([name, value]): [string, string] => [name, typeof value === "number" ? value.toLocaleString() : String(value)])} />}
          </Shown>
          <p class="muted">They are read from the server's configuration when it starts.</p>
        </Panel>
      </div>
      {isOperator && <Trail />}
    </>
  );
}

function Look() {
  const [theme, setTheme] = useState(() => THEMES.find((one) => one.value === keptTheme())?.value ?? "");
  const choose = (value: Theme) => {
    keepTheme(value);
    setTheme(value);
  };
  return (
    <Panel title="This page">
      <div class="row">
        <span>Colours</span>
        <Choices<Theme> label="Colours" of={THEMES} value={theme} choose={choose} />
      </div>
      <p>
        <kbd>?</kbd> shows the keys there are, on any page.
      </p>
    </Panel>
  );
}
