// Builds elements. Nothing on the page is built from markup, so text can never become HTML.

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

// The options of a <select>, from Block Kit options; `chosen` lists the selected values.
export function optionElements(options, chosen) {
  return options.map(({ text, value }) => el("option", { value, selected: chosen.includes(value) }, text.text));
}

// Wraps an update function so that it runs only when its values have changed.
export function ifChanged(update) {
  let shown;
  return (values, ...rest) => {
    const fingerprint = JSON.stringify(values);
    if (fingerprint === shown) return;
    shown = fingerprint;
    update(values, ...rest);
  };
}

// Keeps the elements of unchanged items, so that scroll position, selections and open menus survive an update.
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
