// Elements are made here and nowhere from markup: text reaches the page only as text.

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Keeps what has not changed, so that scrolling, selections and open menus survive an update.
export class KeyedList {
  constructor(container) {
    this.container = container;
    this.shown = new Map();
  }

  update(items, render) {
    const focused = document.activeElement?.dataset.focus;
    const next = new Map();
    for (const { key, ...values } of items) {
      const fingerprint = JSON.stringify(values);
      const old = this.shown.get(key);
      next.set(key, old?.fingerprint === fingerprint ? old : { fingerprint, element: render(values) });
    }
    this.shown = next;
    const elements = [...next.values()].map((each) => each.element);
    if (elements.some((each, index) => each !== this.container.children[index]) || elements.length !== this.container.children.length) {
      this.container.replaceChildren(...elements);
      if (focused) this.container.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    }
  }
}
