import { costLine, title } from "../text.js";

/** The labels of the model, shown until there is an answer. */
export class Taxonomy {
  #element;

  constructor(element) {
    this.#element = element;
  }

  /** `facets` as `GET /labels` returns them. */
  update({ facets }) {
    this.#element.querySelector("dl").replaceChildren(...facets.map(facetEntry));
  }
}

function facetEntry({ name, labels }) {
  const entry = document.createElement("div");
  entry.append(newElement("dt", title(name)), ...labels.map((label) => newElement("dd", label.name)));
  return entry;
}

function newElement(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

/** The cost of classifying in each mode, if it is known. */
export class Cost {
  #element;

  constructor(element) {
    this.#element = element;
  }

  update(cost) {
    this.#element.hidden = cost === null;
    this.#element.textContent = cost === null ? "" : costLine(cost);
  }
}
