// Light or dark: as somebody chose on this machine, else as the system says.

const dark = matchMedia("(prefers-color-scheme: dark)");

/** What was chosen: `light`, `dark`, or nothing. */
export function keptTheme(): string {
  try {
    return localStorage.getItem("theme") ?? "";
  } catch {
    return chosen;
  }
}

/** Where nothing can be kept, the choice holds until the page is closed. */
let chosen = "";

export function keepTheme(theme: string): void {
  chosen = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // It is in `chosen`.
  }
  show();
}

/** Shows the page so from now on. */
export function followTheme(): void {
  show();
  dark.addEventListener("change", show);
}

function show(): void {
  document.documentElement.dataset["theme"] = keptTheme() || (dark.matches ? "dark" : "light");
}
