import { define } from "../lib/dom";

/** `<ym-board>`: a wall chart in columns. Arrow keys move between the cards, dragging scrolls it sideways. */
class Board extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("keydown", (event) => this.#key(event));
    let from: { x: number; left: number } | null = null;
    let moved = false;
    this.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) from = { x: event.clientX, left: this.scrollLeft };
      moved = false;
    });
    this.addEventListener("pointermove", (event) => {
      if (!from || event.buttons !== 1) return;
      if (Math.abs(event.clientX - from.x) > 6) moved = true;
      if (moved) this.scrollLeft = from.left - (event.clientX - from.x);
    });
    this.addEventListener("pointerup", () => (from = null));
    this.addEventListener("dragstart", (event) => event.preventDefault());
    // A drag must not open the card it ended on.
    this.addEventListener("click", (event) => moved && event.preventDefault(), true);
  }

  #key(event: KeyboardEvent): void {
    const card = (event.target as Element).closest<HTMLElement>(".ym-board-card");
    if (!card || !event.key.startsWith("Arrow")) return;
    const columns = [...this.querySelectorAll(".ym-board-col")].map((column) => [
      ...column.querySelectorAll<HTMLElement>(".ym-board-card"),
    ]);
    const x = columns.findIndex((cards) => cards.includes(card));
    const y = columns[x]?.indexOf(card) ?? 0;
    let goal: HTMLElement | undefined;
    if (event.key === "ArrowDown") goal = columns[x]?.[y + 1];
    else if (event.key === "ArrowUp") goal = columns[x]?.[y - 1];
    else {
      const step = event.key === "ArrowRight" ? 1 : -1;
      for (let at = x + step; at >= 0 && at < columns.length && !goal; at += step) {
        const cards = columns[at] ?? [];
        goal = cards[Math.min(y, cards.length - 1)];
      }
    }
    if (goal) {
      event.preventDefault();
      goal.focus();
      goal.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }
}

define("ym-board", Board);
