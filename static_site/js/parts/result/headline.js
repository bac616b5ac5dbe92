import { percent } from "../../words.js";

/** The main facet and its best label, in large letters. */
export class Headline {
  #title;
  #name;
  #confidence;

  constructor(element) {
    this.#title = element.querySelector("h2");
    [this.#name, this.#confidence] = element.querySelectorAll("p > span");
  }

  update({ title, name, confidence }) {
    this.#title.textContent = title;
    this.#name.textContent = name;
    this.#confidence.textContent = percent(confidence);
  }
}
