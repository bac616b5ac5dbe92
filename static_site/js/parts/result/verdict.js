import { duration, percent, verdict } from "../../text.js";
import { Bars } from "./bars.js";

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

/** Whether the message would be routed automatically, and why. */
export class Decision {
  #element;

  constructor(element) {
    this.#element = element;
  }

  update(decision) {
    const [heading, reason] = this.#element.children;
    this.#element.classList.toggle("automatic", decision.automatic);
    heading.textContent = verdict(decision);
    reason.textContent = decision.reason;
  }
}

/** All labels of the main facet, with a mark at the threshold for the best one. */
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

/** Which model answered, what served it, and how long it took. */
export class Provenance {
  #element;

  constructor(element) {
    this.#element = element;
  }

  update({ version, servedBy, milliseconds }) {
    this.#element.textContent = `Model ${version} · served by ${servedBy} · answered in ${duration(milliseconds)}`;
  }
}
