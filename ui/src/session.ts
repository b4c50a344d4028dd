// Who looks at the page, and what they may do. The server decides; what one may not do is only not offered.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { get, remove, ROOT, ApiError } from "./api/client";
import type { About } from "./api/schema";

export const Session = createContext<About | undefined>(undefined);

export function useAbout(): About | undefined {
  return useContext(Session);
}

export function useIsOperator(): boolean {
  return useContext(Session)?.role === "operator";
}

export function about(signal?: AbortSignal): Promise<About> {
  return get<About>("about", {}, signal);
}

/** Begins a session in the name of a token; the server keeps it in a cookie that no script can read. */
export async function signIn(token: string): Promise<void> {
  const response = await fetch(`${ROOT}session`, {
    method: "POST",
    credentials: "same-origin",
    headers: { Authorization: `Bearer ${token.trim()}` },
  });
  if (response.ok) return;
  let message = `the server answered ${response.status}`;
  try {
    message = JSON.parse(await response.text()).error.message;
  } catch {
    // The number has to do.
  }
  throw new ApiError(response.status, "sign_in", message);
}

export function signOut(): Promise<unknown> {
  return remove("session");
}
