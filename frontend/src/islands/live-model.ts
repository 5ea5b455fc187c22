// What the stream of events needs besides the page: topics and a pace. Pure but for the timer.

export interface LiveEvent {
  kind: string;
  data: Record<string, unknown>;
}

/** The topics of all marked elements as one text, in an order that depends on nothing else. */
export function topicsOf(marks: string[]): string {
  const names = new Set(marks.flatMap((mark) => mark.split(/[\s,]+/)).filter(Boolean));
  return [...names].sort().join(",");
}

/** Runs at once, and then at most once per `ms`, however often it is asked; the last asking is never lost. */
export class Pace {
  #last = -Infinity;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly ms: number,
    private readonly run: () => void,
  ) {}

  ask(now = Date.now()): void {
    if (this.#timer !== null) return;
    const wait = this.#last + this.ms - now;
    if (wait <= 0) {
      this.#last = now;
      this.run();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#last = Date.now();
      this.run();
    }, wait);
  }
}
