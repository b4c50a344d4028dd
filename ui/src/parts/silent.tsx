// That a worker says nothing: stock Luigi's take no leave, and are there until the scheduler has missed them for long.

import type { WorkerRow } from "../api/schema";
import { serverNow, span } from "./time";

/** Workers say every second that they live, unless they were told otherwise; and the page asks every few seconds. */
const LONG = 20;
/** What nobody tells is asked for so often, in milliseconds. */
export const NEWS = { every: 5000 };

/** Says so if nothing was heard of a worker for long. */
export function Silent({ of }: { of: WorkerRow }) {
  const secs = serverNow() - of.last_active;
  if (secs < LONG) return null;
  return (
    <strong class="warn silent" title="It may have ended. After worker_disconnect_delay it counts as gone.">
      silent for {span(secs)}{" "}
    </strong>
  );
}
