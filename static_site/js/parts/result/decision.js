import { verdict } from "../../words.js";

/** Whether the message would be routed at once, and why. */
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
