import { costLine } from "../words.js";

/** What classifying costs in each mode, where that is known. */
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
