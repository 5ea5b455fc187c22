type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | EventListener | null | undefined>;

/** Make an element: `h("a", {href: "/"}, "Home")`; a function under a key like `onclick` becomes a listener. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.replace(/^on/, ""), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An element of SVG with its attributes. */
export function svg(tag: string, attributes: Record<string, string | number> = {}): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

let sprite = "";
export function setSprite(url: string): void {
  sprite = url;
}

/** An icon of the sprite; silent to screen readers. */
export function icon(name: string): SVGElement {
  const element = svg("svg", { class: "icon", "aria-hidden": "true", focusable: "false" });
  element.append(svg("use", { href: `${sprite}#${name}` }));
  return element;
}

/** The token that Django wants back with every POST. */
export function csrf(): string {
  const field = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  if (field) return field.value;
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

/** The JSON of the first data script inside an element; null when there is none or it is broken. */
export function jsonOf<T>(element: Element): T | null {
  const source = element.querySelector('script[type="application/json"]')?.textContent;
  if (!source) return null;
  try {
    return JSON.parse(source) as T;
  } catch {
    return null;
  }
}

/** Call later, once, when the calls have ended for `ms`. */
export function debounce<A extends unknown[]>(run: (...args: A) => void, ms: number): (...args: A) => void {
  let timer = 0;
  return (...args: A) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => run(...args), ms);
  };
}

/** Define a custom element once (a second bundle on the page must not fail). */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
