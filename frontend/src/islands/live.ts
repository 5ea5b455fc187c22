import { define } from "../lib/dom";
import { Pace, topicsOf, type LiveEvent } from "./live-model";

declare global {
  interface Window {
    htmx?: { trigger(element: Element, name: string): void };
  }
}

const KINDS = ["latest", "state", "command", "alarm"] as const;
const POLL_EVERY = 5000;
const OPEN_WITHIN = 6000;

/**
 * `<ym-live data-url data-poll>`: one stream of events for everything on the page that is marked `data-live="topic topic"`.
 *
 * A marked element hears `ym:live` (detail: the event) for what its topics want; one with `hx-get` is asked anew at most once a second
 * (`hx-trigger="ym:refresh"`). Where the stream cannot be opened the page asks every few seconds instead. `data-state` says which.
 */
class Live extends HTMLElement {
  #source: EventSource | null = null;
  #topics = "";
  #since = "";
  #poll = 0;
  #opening = 0;
  #watch: MutationObserver | null = null;
  #paces = new WeakMap<Element, Pace>();

  connectedCallback(): void {
    this.#watch = new MutationObserver(() => this.#begin());
    this.#watch.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-live"] });
    document.addEventListener("visibilitychange", this.#visible);
    this.#begin();
  }

  disconnectedCallback(): void {
    this.#watch?.disconnect();
    document.removeEventListener("visibilitychange", this.#visible);
    this.#end();
  }

  /** A page nobody looks at holds no stream; it hears what it missed when it is looked at again. */
  readonly #visible = (): void => {
    if (document.hidden) this.#end();
    else {
      this.#topics = "";
      this.#begin();
    }
  };

  #begin(): void {
    if (document.hidden) return;
    const topics = topicsOf([...document.querySelectorAll<HTMLElement>("[data-live]")].map((element) => element.dataset["live"] ?? ""));
    if (topics === this.#topics) return;
    this.#end();
    this.#topics = topics;
    if (!topics) return;
    if (this.dataset["url"]) this.#open(topics);
    else this.#ask();
  }

  #end(): void {
    this.#source?.close();
    this.#source = null;
    window.clearTimeout(this.#poll);
    window.clearTimeout(this.#opening);
    this.dataset["state"] = "idle";
  }

  #open(topics: string): void {
    const url = new URL(this.dataset["url"] ?? "", location.href);
    url.searchParams.set("topics", topics);
    if (this.#since) url.searchParams.set("since", this.#since);
    const source = new EventSource(url, { withCredentials: true });
    this.#source = source;
    this.dataset["state"] = "opening";
    this.#opening = window.setTimeout(() => this.#fall(), OPEN_WITHIN);
    source.addEventListener("open", () => {
      window.clearTimeout(this.#opening);
      this.dataset["state"] = "live";
    });
    source.addEventListener("error", () => {
      this.dataset["state"] = "lost";
      // Closed by the server for good (signed out, refused): ask, and let the answer of the page say why.
      if (source.readyState === EventSource.CLOSED) this.#fall();
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (message) => {
        this.#since = message.lastEventId;
        this.#tell({ kind, data: JSON.parse(message.data as string) as LiveEvent["data"] });
      });
    }
    source.addEventListener("reset", (message) => {
      this.#since = message.lastEventId;
      this.#all();
    });
    source.addEventListener("bye", () => this.#fall());
  }

  #fall(): void {
    this.#source?.close();
    this.#source = null;
    window.clearTimeout(this.#opening);
    this.#ask();
  }

  #ask(): void {
    const url = new URL(this.dataset["poll"] ?? "", location.href);
    url.searchParams.set("topics", this.#topics);
    if (this.#since) url.searchParams.set("since", this.#since);
    this.dataset["state"] = "polling";
    void fetch(url, { headers: { Accept: "application/json" } })
      .then(async (answer) => {
        if (!answer.ok || !answer.headers.get("Content-Type")?.includes("json")) {
          this.dataset["state"] = "over";
          return false;
        }
        const found = (await answer.json()) as { id: string; reset: boolean; events: LiveEvent[] };
        const first = !this.#since;
        this.#since = found.id;
        if (found.reset) this.#all();
        else if (!first) for (const event of found.events) this.#tell(event);
        return true;
      })
      .catch(() => true)
      .then((goOn) => {
        if (goOn && this.isConnected && !document.hidden) this.#poll = window.setTimeout(() => this.#ask(), POLL_EVERY);
      });
  }

  #tell(event: LiveEvent): void {
    for (const element of document.querySelectorAll<HTMLElement>("[data-live]")) {
      if (!wants(element.dataset["live"] ?? "", event)) continue;
      element.dispatchEvent(new CustomEvent("ym:live", { detail: event }));
      this.#refresh(element);
    }
  }

  #all(): void {
    for (const element of document.querySelectorAll<HTMLElement>("[data-live]")) {
      element.dispatchEvent(new CustomEvent("ym:live", { detail: { kind: "reset", data: {} } }));
      this.#refresh(element);
    }
  }

  #refresh(element: HTMLElement): void {
    if (!element.hasAttribute("hx-get")) return;
    let pace = this.#paces.get(element);
    if (!pace) {
      pace = new Pace(1000, () => {
        // What somebody is typing or choosing in is left alone.
        const busy = element.contains(document.activeElement) && document.activeElement?.matches("input, select, textarea");
        if (element.isConnected && !busy) window.htmx?.trigger(element, "ym:refresh");
      });
      this.#paces.set(element, pace);
    }
    pace.ask();
  }
}

/** Whether an element with these topics wants to hear of an event. */
function wants(topics: string, event: LiveEvent): boolean {
  const names = topics.split(/[\s,]+/);
  if (names.includes(`device:${String(event.data["device"])}`)) return true;
  if (event.kind === "state") return names.includes("devices") || (names.includes("positions") && event.data["at"] != null);
  if (event.kind === "alarm") return names.includes("alarms");
  return event.kind === "command" && names.includes("commands");
}

define("ym-live", Live);
