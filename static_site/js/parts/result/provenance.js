import { duration } from "../../words.js";

/** Which model answered, who served it, and how long that took. */
export class Provenance {
  #element;

  constructor(element) {
    this.#element = element;
  }

  update({ version, servedBy, milliseconds }) {
    this.#element.textContent = `Model ${version} · served by ${servedBy} · answered in ${duration(milliseconds)}`;
  }
}
