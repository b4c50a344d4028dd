// The keys there are, for who asks.

import { PAGES } from "../keys";
import { Dialog } from "./dialog";

type Line = [keys: string[], what: string];

const ANYWHERE: Line[] = [
  [["?"], "this list"],
  [["/"], "find tasks"],
  [["a"], "to what can be done with a task, or with those that are chosen"],
  [["Esc"], "close a dialog; leave a number as it was"],
  ...Object.entries(PAGES).map(([key, page]): Line => [["g", key], `to the ${page}`]),
];
const BARS: Line[] = [
  [["←", "→"], "the bar or point before, and after"],
  [["↑", "↓"], "of a timeline: the row above, and below"],
  [["Home", "End"], "the first, and the last"],
  [["Enter"], "open a bar"],
];
const GRAPH: Line[] = [
  [["←", "→", "↑", "↓"], "from node to node"],
  [["Shift", "←"], "move the picture, this way or another"],
  [["+", "-", "0"], "larger, smaller, all of it"],
  [["Enter"], "open the chosen node"],
  [["Esc"], "choose none"],
];

export function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div class="keys" tabIndex={0}>
        <Lines of={ANYWHERE} />
        <h3>In charts and timelines</h3>
        <Lines of={BARS} />
        <h3>In the picture of a graph</h3>
        <Lines of={GRAPH} />
      </div>
      <div class="buttons">
        <button type="button" onClick={onClose}>Close</button>
      </div>
    </Dialog>
  );
}

function Lines({ of }: { of: Line[] }) {
  return (
    <dl>
      {of.map(([keys, what]) => (
        <div key={what}>
          <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  );
}
