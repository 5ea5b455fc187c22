import { define, h, icon } from "../lib/dom";
import { t } from "../lib/strings";
import { shown } from "../lib/number";

/** Does a file fit `accept` (".xlsx,.csv" or "image/*")? */
export function accepts(accept: string, name: string, type: string): boolean {
  const kinds = accept.split(",").map((kind) => kind.trim().toLowerCase()).filter(Boolean);
  if (kinds.length === 0) return true;
  return kinds.some((kind) => {
    if (kind.startsWith(".")) return name.toLowerCase().endsWith(kind);
    if (kind.endsWith("/*")) return type.startsWith(kind.slice(0, -1));
    return type === kind;
  });
}

/** `<ym-dropzone>`: files dropped, pasted or chosen go into the file field inside it; unfit ones are refused at once. */
class Dropzone extends HTMLElement {
  connectedCallback(): void {
    const input = this.querySelector<HTMLInputElement>("input[type=file]");
    if (!input) return;
    const over = (event: DragEvent, on: boolean): void => {
      event.preventDefault();
      this.classList.toggle("is-over", on);
    };
    this.addEventListener("dragover", (event) => over(event, true));
    this.addEventListener("dragleave", (event) => over(event, false));
    this.addEventListener("drop", (event) => {
      over(event, false);
      if (event.dataTransfer?.files.length) this.#take(input, event.dataTransfer.files);
    });
    document.addEventListener("paste", (event) => {
      const typing = (event.target as Element).closest?.("input, textarea, [contenteditable]");
      if (!typing && this.isConnected && event.clipboardData?.files.length) this.#take(input, event.clipboardData.files);
    });
    input.addEventListener("change", () => this.#take(input, input.files ?? new DataTransfer().files, false));
  }

  #take(input: HTMLInputElement, files: FileList, add = true): void {
    const max = Number(this.dataset["maxMb"] ?? 100);
    const kept = new DataTransfer();
    const faults: string[] = [];
    const earlier = add && input.multiple ? [...(input.files ?? [])] : [];
    for (const file of [...earlier, ...files]) {
      if (file.size > max * 1024 * 1024) faults.push(t("drop.toobig", { name: file.name, max }));
      else if (!accepts(input.accept, file.name, file.type)) {
        faults.push(t("drop.kind", { name: file.name, kinds: input.accept }));
      } else if (kept.files.length === 0 || input.multiple) kept.items.add(file);
    }
    input.files = kept.files;
    this.#list(input, faults);
    if (add) input.dispatchEvent(new Event("input", { bubbles: true }));
    this.dispatchEvent(new CustomEvent("ym:files", { bubbles: true, detail: kept.files }));
  }

  #list(input: HTMLInputElement, faults: string[]): void {
    const list = this.querySelector(".ym-drop-files");
    if (!list) return;
    const rows = [...(input.files ?? [])].map((file, index) => {
      const remove = h("button", { type: "button", class: "ym-icon-btn", "aria-label": `${t("drop.remove")} ${file.name}` }, icon("x"));
      remove.addEventListener("click", () => {
        const rest = new DataTransfer();
        [...(input.files ?? [])].forEach((other, at) => at !== index && rest.items.add(other));
        input.files = rest.files;
        this.#list(input, []);
      });
      return h("li", {}, icon("file"), h("span", {}, file.name, " ", h("small", { class: "num" }, `${shown(file.size / 1024, 0)} KB`)), remove);
    });
    list.replaceChildren(...faults.map((text) => h("li", { class: "is-error" }, icon("alert-circle"), h("span", {}, text))), ...rows);
  }
}

define("ym-dropzone", Dropzone);
