import { title } from "../words.js";

/** What the model can tell apart: shown until there is an answer. */
export class Taxonomy {
  #element;

  constructor(element) {
    this.#element = element;
  }

  /** `facets` as `GET /labels` gives them. */
  update({ facets }) {
    this.#element.querySelector("dl").replaceChildren(...facets.map(facetEntry));
  }
}

function facetEntry({ name, labels }) {
  const entry = document.createElement("div");
  const term = document.createElement("dt");
  term.textContent = title(name);
  entry.append(term, ...labels.map(labelEntry));
  return entry;
}

function labelEntry({ name }) {
  const entry = document.createElement("dd");
  entry.textContent = name;
  return entry;
}
