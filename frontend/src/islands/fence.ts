import { define } from "../lib/dom";

/** `<ym-fence data-figure data-longitude data-latitude data-corners>` around a map with `data-pick`: a click sets the middle of the circle, or adds a corner. */
class Fence extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("ym:place", (event) => {
      const { lng, lat } = (event as CustomEvent<{ lng: number; lat: number }>).detail;
      const figure = document.querySelector<HTMLSelectElement>(this.dataset["figure"] ?? "");
      if (figure?.value === "polygon") this.#add(`${lng.toFixed(6)}, ${lat.toFixed(6)}`);
      else {
        this.#fill("longitude", lng.toFixed(6));
        this.#fill("latitude", lat.toFixed(6));
      }
    });
  }

  #add(line: string): void {
    const field = document.querySelector<HTMLTextAreaElement>(this.dataset["corners"] ?? "");
    if (!field) return;
    const before = field.value.replace(/\s+$/, "");
    this.#set(field, before ? `${before}\n${line}` : line);
  }

  #fill(name: string, value: string): void {
    const field = document.querySelector<HTMLInputElement>(this.dataset[name] ?? "");
    if (field) this.#set(field, value);
  }

  #set(field: HTMLInputElement | HTMLTextAreaElement, value: string): void {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

define("ym-fence", Fence);
