import { define } from "../lib/dom";

/** `<ym-pick data-longitude="CSS" data-latitude="CSS">` around a map with `data-pick`: a click on the map fills two fields. */
class Pick extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("ym:place", (event) => {
      const { lng, lat } = (event as CustomEvent<{ lng: number; lat: number }>).detail;
      this.#fill("longitude", lng);
      this.#fill("latitude", lat);
    });
  }

  #fill(name: string, value: number): void {
    const field = document.querySelector<HTMLInputElement>(this.dataset[name] ?? "");
    if (!field) return;
    field.value = value.toFixed(6);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

define("ym-pick", Pick);
