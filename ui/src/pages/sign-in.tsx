// Asks for a token, when the server wants one.

import { useState } from "preact/hooks";
import { signIn } from "../session";

export function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const [token, setToken] = useState("");
  const [trouble, setTrouble] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await signIn(token);
      setToken("");
      onSignedIn();
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <main class="alone">
      <h1>condotta</h1>
      <form onSubmit={(event) => void submit(event)}>
        <p>This scheduler wants to know who you are.</p>
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        {trouble && (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
        <button type="submit" class="main">
          Sign in
        </button>
        <p class="muted">
          Who runs the scheduler makes one with <code>condotta token create NAME --role viewer</code>.
        </p>
      </form>
    </main>
  );
}
