import { define } from "../lib/dom";

/** Which radio button a drop on a lane chooses: none where the card comes from this very lane. */
export function dropped(from: string | undefined, to: string | undefined): string | null {
  return to && from !== to ? to : null;
}

/**
 * `<ym-lanes>`: cards (`[draggable][data-choice="name of its radio buttons"]`) dragged between lanes (`[data-lane="value"]`) choose
 * the radio button of that value. The buttons do the same without dragging; ranges show their number in the `<output>` beside them.
 */
class Lanes extends HTMLElement {
  connectedCallback(): void {
    let card: HTMLElement | null = null;
    const laneOf = (target: EventTarget | null): HTMLElement | null =>
      target instanceof Element ? target.closest<HTMLElement>("[data-lane]") : null;
    const mark = (lane: HTMLElement | null): void =>
      this.querySelectorAll("[data-lane]").forEach((each) => each.classList.toggle("is-over", each === lane));
    this.addEventListener("dragstart", (event) => {
      card = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-choice]") : null;
      if (!card || !event.dataTransfer) return;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", card.dataset["choice"] ?? "");
      card.classList.add("is-dragged");
    });
    this.addEventListener("dragover", (event) => {
      const lane = laneOf(event.target);
      if (!card || !lane) return;
      event.preventDefault();
      mark(lane);
    });
    this.addEventListener("dragend", () => {
      card?.classList.remove("is-dragged");
      mark(null);
      card = null;
    });
    this.addEventListener("drop", (event) => {
      const lane = laneOf(event.target);
      if (!card || !lane) return;
      event.preventDefault();
      const value = dropped(laneOf(card)?.dataset["lane"], lane.dataset["lane"]);
      const radio = [...this.querySelectorAll<HTMLInputElement>("input[type=radio]")].find(
        (input) => input.name === card?.dataset["choice"] && input.value === value,
      );
      if (!radio) return;
      radio.checked = true;
      radio.dispatchEvent(new Event("change", { bubbles: true }));
    });
    this.addEventListener("input", (event) => {
      const range = event.target;
      if (!(range instanceof HTMLInputElement) || range.type !== "range") return;
      const shown = range.parentElement?.querySelector("output");
      if (shown) shown.textContent = range.value;
    });
  }
}

define("ym-lanes", Lanes);
