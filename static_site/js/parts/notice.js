/** What stands in the way of an answer, in a sentence, and a way to try again where that may help. */
export class Notice {
  #element;
  onRetry = () => {};

  constructor(element) {
    this.#element = element;
    element.querySelector("button").addEventListener("click", () => this.onRetry());
  }

  /** `{ heading, advice, retry }`, or null for nothing to say. */
  update(notice) {
    this.#element.hidden = notice === null;
    if (notice === null) return;
    const [heading, advice, button] = this.#element.children;
    heading.textContent = notice.heading;
    advice.textContent = notice.advice;
    button.hidden = !notice.retry;
  }
}
