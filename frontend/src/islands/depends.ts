/** What of a form is asked only when another of its fields says so: field -> [the other field, its values]. */
export type Depends = Record<string, [string, string[]]>;

/** Which of the fields are asked, by what the other fields say. A field whose master is not asked is not asked either. */
export function asked(depends: Depends, valueOf: (name: string) => string): Record<string, boolean> {
  const found: Record<string, boolean> = {};
  const look = (name: string): boolean => {
    const rule = depends[name];
    if (!rule) return true;
    found[name] ??= rule[1].includes(valueOf(rule[0])) && look(rule[0]);
    return found[name];
  };
  for (const name of Object.keys(depends)) look(name);
  return found;
}

/** `form[data-ym-depends]`: fields that are not asked are hidden and not sent; one that has an error stays. */
export function startDepends(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-ym-depends]")) {
    const depends = JSON.parse(form.dataset["ymDepends"] ?? "{}") as Depends;
    const control = (name: string): HTMLInputElement | null => form.querySelector(`[name="${CSS.escape(name)}"]`);
    const show = (): void => {
      const now = asked(depends, (name) => control(name)?.value ?? "");
      for (const [name, wanted] of Object.entries(now)) {
        const field = control(name);
        const box = field?.closest<HTMLElement>(".ym-field");
        if (!field || !box) continue;
        const shown = wanted || box.classList.contains("has-error");
        box.hidden = !shown;
        field.disabled = !shown;
      }
    };
    form.addEventListener("change", show);
    show();
  }
}
