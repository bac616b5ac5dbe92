import { Bars } from "./bars.js";

/** Every label of the main facet, and the mark that its best one has to reach. */
export class Scores {
  #bars;
  #note;

  constructor(element) {
    this.#bars = new Bars(element.querySelector("ol"));
    this.#note = element.querySelector("p");
  }

  update({ scores, best, threshold }) {
    this.#bars.update({ scores, best, threshold });
    this.#note.hidden = threshold === null;
  }
}
