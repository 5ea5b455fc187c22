/** A colour of the palette by its name in tokens.css (`primary`, `text-2` …), as the browser resolves it now. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--ym-${name}`).trim() || "#506073";
}

/** Is the page dark at the moment? */
export function isDark(): boolean {
  return document.documentElement.getAttribute("data-bs-theme") === "dark";
}

/** Call `run` whenever the theme changes; returns what stops it. */
export function onTheme(run: () => void): () => void {
  document.addEventListener("ym:theme", run);
  return () => document.removeEventListener("ym:theme", run);
}

const system = window.matchMedia("(prefers-color-scheme: dark)");

function apply(choice: string): void {
  const root = document.documentElement;
  root.setAttribute("data-ym-theme", choice);
  const dark = choice === "dark" || (choice === "auto" && system.matches);
  root.setAttribute("data-bs-theme", dark ? "dark" : "light");
  for (const button of document.querySelectorAll("[data-ym-themes] [data-theme]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-theme") === choice));
  }
  document.dispatchEvent(new Event("ym:theme"));
}

/** The switch of the top bar: the choice is kept in a cookie for a year, so the server draws the page right at once. */
export function startThemes(): void {
  const current = () => document.documentElement.getAttribute("data-ym-theme") ?? "auto";
  system.addEventListener("change", () => current() === "auto" && apply("auto"));
  document.addEventListener("click", (event) => {
    const choice = (event.target as Element).closest("[data-ym-themes] [data-theme]")?.getAttribute("data-theme");
    if (!choice) return;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `ym_theme=${choice}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    apply(choice);
  });
  apply(current());
}
