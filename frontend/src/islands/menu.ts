import { define } from "../lib/dom";

/** `<ym-menu>`: a button and a `.ym-panel[hidden]`. Escape and a click outside close it; arrows move through it. */
class Menu extends HTMLElement {
  #button: HTMLButtonElement | null = null;
  #panel: HTMLElement | null = null;

  connectedCallback(): void {
    this.#button = this.querySelector("button");
    this.#panel = this.querySelector(".ym-panel");
    if (!this.#button || !this.#panel) return;
    this.#button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("focusout", (event) => {
      const next = event.relatedTarget as Node | null;
      if (this.isOpen && next && !this.contains(next)) this.close(false);
    });
  }

  get isOpen(): boolean {
    return this.#panel?.hidden === false;
  }

  open(): void {
    if (!this.#panel || !this.#button) return;
    this.#panel.hidden = false;
    if (this.closest(".ym-scope")) {
      // The bar at the left scrolls by itself and would cut the panel off: it stands fixed, under its button.
      this.#panel.style.top = `${this.#button.getBoundingClientRect().bottom + 4}px`;
    }
    this.#button.setAttribute("aria-expanded", "true");
    this.#panel.querySelector<HTMLElement>("input:not([type=hidden]), a, button")?.focus();
    this.#panel.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    document.addEventListener("pointerdown", this.#outside);
  }

  close(refocus = true): void {
    if (!this.#panel || !this.#button) return;
    this.#panel.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", this.#outside);
    if (refocus) this.#button.focus();
  }

  readonly #outside = (event: Event): void => {
    if (!this.contains(event.target as Node)) this.close(false);
  };

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.isOpen) {
      event.stopPropagation();
      this.close();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const target = event.target as HTMLElement;
    if (target.matches("input[type=date], input[type=datetime-local], select, textarea")) return;
    if (!this.isOpen) {
      event.preventDefault();
      this.open();
      return;
    }
    const stops = [...(this.#panel?.querySelectorAll<HTMLElement>("a, button, input:not([type=hidden])") ?? [])].filter(
      (element) => element.offsetParent !== null,
    );
    const at = stops.indexOf(document.activeElement as HTMLElement);
    const next = stops[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
}

/** `<ym-filter>`: its search field hides the `[data-text]` rows that do not hold every word typed. */
class Filter extends HTMLElement {
  connectedCallback(): void {
    const field = this.querySelector<HTMLInputElement>("input[type=search]");
    const none = this.querySelector<HTMLElement>(".ym-none");
    field?.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const row of this.querySelectorAll<HTMLElement>("[data-text]")) {
        const text = row.dataset["text"]?.toLowerCase() ?? "";
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) left += 1;
      }
      if (none) none.hidden = left > 0;
    });
    field?.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        const first = [...this.querySelectorAll<HTMLElement>("[data-text]")].find((row) => !row.hidden);
        first?.querySelector<HTMLElement>("a, button")?.click();
      }
    });
  }
}

define("ym-menu", Menu);
define("ym-filter", Filter);
