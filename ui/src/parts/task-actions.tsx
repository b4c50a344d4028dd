// What operators do to one task.

import { useRef, useState } from "preact/hooks";
import { get, path, post } from "../api/client";
import type { ActionOutcome, CancelState, MessageAnswer, MessageSent, TaskDetail, TaskRow } from "../api/schema";
import { useIsOperator } from "../session";
import { Ask, Dialog, done, type Question } from "./dialog";
import { lookOf } from "./status";
import { plain, Said } from "./text";

export type Action = "forgive" | "re-enable" | "done" | "disable" | "cancel";

export interface Offer {
  action: Action;
  label: string;
  title: string;
  text: string;
}

export const OFFERS: Record<Action, Offer> = {
  forgive: {
    action: "forgive",
    label: "Forgive",
    title: "Try this task again?",
    text: "It is tried again at once, without waiting for the retry delay. Its failures still count.",
  },
  "re-enable": {
    action: "re-enable",
    label: "Enable again",
    title: "Enable this task again?",
    text: "It waits to be run then, like any other task.",
  },
  done: {
    action: "done",
    label: "Mark as done",
    title: "Take this task for done?",
    text: "What depends on it may start, whether its output is there or not.",
  },
  disable: {
    action: "disable",
    label: "Disable",
    title: "Disable this task?",
    text: "It is not run until somebody enables it again, or it is found complete.",
  },
  cancel: {
    action: "cancel",
    label: "Cancel",
    title: "Cancel this run?",
    text: "The worker is told to end it, and the page says what it answers. The task is not run again until somebody enables it.",
  },
};

/** What can be done to a task of this status. */
export function offered(task: TaskRow): Action[] {
  switch (task.status) {
    case "RUNNING":
      return ["cancel", "done"];
    case "BATCH_RUNNING":
      return ["cancel"];
    case "FAILED":
      return ["forgive", "done", "disable"];
    case "DISABLED":
      return ["re-enable", "done"];
    case "PENDING":
      return ["disable"];
    default:
      return [];
  }
}

/** Does it to one task, and says what came of it. */
export async function act(action: Action, id: string): Promise<string> {
  const outcome = await post<Partial<ActionOutcome> | undefined>(path("tasks", id, action));
  if (outcome?.note) return plain(outcome.note);
  if (outcome?.after) return outcome.changed ? `The task is ${lookOf(outcome.after).word} now.` : "Nothing changed.";
  return "The worker was told.";
}

/** Asks before it is done. */
export function questionOf(offer: Offer, task: TaskRow, onDone: () => void): Question {
  return {
    title: offer.title,
    text: `${plain(task.display_name.slice(0, 300))}: ${offer.text}`,
    action: offer.label,
    run: async () => {
      const text = await act(offer.action, task.id);
      onDone();
      return text;
    },
  };
}

interface Wanted {
  detail: TaskDetail;
  /** How it stands with the end of its run, if it runs. */
  cancel: CancelState | undefined;
  /** Whether the end of its run was asked for already. */
  isEnding: boolean;
  onDone: () => void;
}

export function TaskActions({ detail, cancel, isEnding, onDone }: Wanted) {
  const { task } = detail;
  const [question, setQuestion] = useState<Question>();
  const [writes, setWrites] = useState(false);
  const isOperator = useIsOperator();
  if (!isOperator) return null;
  const actions = offered(task).filter((action) => (action === "cancel" ? cancel && !isEnding : action !== "re-enable" || detail.can_be_enabled !== false));
  const cannot = (action: Action) => (action === "cancel" && cancel?.can_be_cancelled === false ? cancel.note : undefined);
  return (
    <div id="actions" class="buttons" role="group" aria-label="Actions" tabIndex={-1}>
      {isEnding && <span class="muted">being cancelled …</span>}
      {actions.map((action) => (
        <Offered key={action} offer={OFFERS[action]} cannot={cannot(action)} ask={() => setQuestion(questionOf(OFFERS[action], task, onDone))} />
      ))}
      {detail.accepts_messages === true && (
        <button type="button" onClick={() => setWrites(true)}>
          Send message
        </button>
      )}
      {question && <Ask question={question} onClose={() => setQuestion(undefined)} />}
      {writes && <MessageDialog task={task} onClose={() => setWrites(false)} />}
    </div>
  );
}

/** A button for what can be done; where it cannot, with the reason. */
function Offered({ offer: { action, label }, cannot, ask }: { offer: Offer; cannot: string | undefined; ask: () => void }) {
  if (cannot === undefined) return <button type="button" onClick={ask}>{label}</button>;
  const reason = `why-not-${action}`;
  return (
    <>
      <button type="button" aria-disabled="true" aria-describedby={reason}>{label}</button>
      <span id={reason} class="muted why-not">{plain(cannot)}</span>
    </>
  );
}

/** Sends a message to a run, and shows what it answers. */
function MessageDialog({ task, onClose }: { task: TaskRow; onClose: () => void }) {
  const [content, setContent] = useState("");
  const [state, setState] = useState<{ sent?: string; answer?: string }>({});
  const sending = useRef(false);
  const send = async (event: Event) => {
    event.preventDefault();
    // Whoever presses twice sends once: what was sent is no draft any more.
    if (sending.current) return;
    sending.current = true;
    await done(async () => {
      const { message_id } = await post<MessageSent>(path("tasks", task.id, "messages"), { content });
      setState({ sent: content });
      setContent("");
      void wait(message_id);
      return "The message is on its way.";
    });
    sending.current = false;
  };
  /** Enter alone begins a line. */
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) (event.currentTarget as HTMLTextAreaElement).form?.requestSubmit();
  };
  const wait = async (messageId: string) => {
    for (let turn = 0; turn < 120; turn += 1) {
      const { response } = await get<MessageAnswer>(path("tasks", task.id, "messages", messageId));
      if (response != null) {
        setState({ sent: content, answer: response });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  return (
    <Dialog title="Send a message" onClose={onClose}>
      <form onSubmit={(event) => void send(event)}>
        <p>
          To <Said text={task.display_name} most={100} />
        </p>
        <label>
          Message
          <textarea rows={3} required value={content} onInput={(event) => setContent(event.currentTarget.value)} onKeyDown={pressed} />
        </label>
        {state.sent !== undefined && <p class="muted">Sent: <Said text={state.sent} most={100} /></p>}
        {state.sent !== undefined && state.answer === undefined && <p class="muted">If the task answers, the answer appears here.</p>}
        {state.answer !== undefined && (
          <p>
            It answers: <Said text={state.answer} />
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="main">
            Send
          </button>
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      </form>
    </Dialog>
  );
}
