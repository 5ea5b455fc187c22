import { debounce, define, h, icon } from "../lib/dom";
import { t } from "../lib/strings";

interface Hit {
  title: string;
  url: string;
  kind?: string;
  detail?: string;
  icon?: string;
}

/** `<ym-palette data-url>`: search over everything; Ctrl+K or `/` opens it. */
class PaletteElement extends HTMLElement {
  #dialog: HTMLDialogElement | null = null;
  #input!: HTMLInputElement;
  #list!: HTMLUListElement;
  #note!: HTMLElement;
  #asked = 0;
  #abort: AbortController | null = null;

  connectedCallback(): void {
    document.addEventListener("keydown", (event) => {
      const typing = (event.target as Element).closest?.("input, textarea, select, [contenteditable]");
      if (((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") || (event.key === "/" && !typing)) {
        event.preventDefault();
        this.open();
      }
    });
    const form = document.querySelector<HTMLFormElement>("form[data-ym-palette]");
    form?.querySelector("input")?.addEventListener("focus", (event) => {
      const field = event.target as HTMLInputElement;
      field.blur();
      this.open(field.value);
    });
  }

  open(query = ""): void {
    const dialog = this.#dialog ?? this.#build();
    if (!dialog.open) dialog.showModal();
    this.#input.value = query;
    this.#input.focus();
    this.#input.select();
    void this.#search();
  }

  #build(): HTMLDialogElement {
    this.#input = h("input", {
      type: "search", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-expanded": "true",
      "aria-controls": "ym-palette-list", "aria-label": t("palette.label"), placeholder: t("palette.hint"),
    });
    this.#list = h("ul", { id: "ym-palette-list", role: "listbox", "aria-label": t("palette.label") });
    this.#note = h("p", { class: "ym-none", role: "status" });
    const keys = h("p", { class: "ym-palette-keys", "aria-hidden": "true" }, h("kbd", {}, "↑"), h("kbd", {}, "↓"), ` ${t("palette.move")} `, h("kbd", {}, "Enter"), ` ${t("palette.go")} `, h("kbd", {}, "Esc"), ` ${t("close")}`);
    const dialog = h("dialog", { class: "ym-palette", "aria-label": t("palette.label") }, h("label", { class: "ym-palette-field" }, icon("search"), this.#input), this.#list, this.#note, keys);
    this.#input.addEventListener("input", debounce(() => void this.#search(), 120));
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.append(dialog);
    this.#dialog = dialog;
    return dialog;
  }

  async #search(): Promise<void> {
    const query = this.#input.value.trim();
    const turn = ++this.#asked;
    this.#abort?.abort();
    if (!query) {
      this.#show([], t("palette.short"));
      return;
    }
    this.#abort = new AbortController();
    try {
      const url = new URL(this.dataset["url"] ?? "/search", location.href);
      url.searchParams.set("q", query);
      url.searchParams.set("format", "json");
      const answer = await fetch(url, { headers: { Accept: "application/json" }, signal: this.#abort.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const { results } = (await answer.json()) as { results: Hit[] };
      if (turn === this.#asked) this.#show(results, results.length ? "" : t("palette.none", { q: query }));
    } catch (error) {
      if (turn === this.#asked && (error as Error).name !== "AbortError") this.#show([], t("failed"));
    }
  }

  #show(hits: Hit[], note: string): void {
    this.#note.textContent = note;
    this.#note.hidden = !note;
    this.#list.replaceChildren(
      ...hits.map((hit, index) =>
        h("li", { role: "option", id: `ym-hit-${index}`, "aria-selected": "false" },
          h("a", { href: hit.url, tabindex: "-1" }, icon(hit.icon ?? "arrow-right"),
            h("span", {}, h("b", {}, hit.title), hit.detail ? h("small", {}, hit.detail) : null),
            hit.kind ? h("small", { class: "ym-badge" }, hit.kind) : null))),
    );
    if (hits.length) this.#select(0);
    else this.#input.removeAttribute("aria-activedescendant");
  }

  #select(index: number): void {
    const rows = [...this.#list.children];
    rows.forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    const row = rows[index];
    if (row) {
      this.#input.setAttribute("aria-activedescendant", row.id);
      row.scrollIntoView({ block: "nearest" });
    }
  }

  #key(event: KeyboardEvent): void {
    const rows = [...this.#list.children];
    const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (rows.length) this.#select((at + (event.key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      const link = rows[at]?.querySelector("a");
      if (link) link.click();
      else if (this.#input.value.trim()) {
        location.assign(`${this.dataset["url"] ?? "/search"}?q=${encodeURIComponent(this.#input.value.trim())}`);
      }
    } else if (event.key === "Escape") this.#dialog?.close();
  }
}

define("ym-palette", PaletteElement);
