/** The area for answers: one panel at a time, dimmed while a newer answer is loading. */
export class Stage {
  #element;

  constructor(element) {
    this.#element = element;
  }

  /** `panel`: the `data-panel` to show; null shows none, undefined changes nothing. */
  update({ panel, busy = false }) {
    this.#element.setAttribute("aria-busy", String(busy));
    if (panel === undefined) return;
    for (const child of this.#element.querySelectorAll("[data-panel]")) child.hidden = child.dataset.panel !== panel;
  }

  /** Scroll to the answer if it is below the fold, as on a phone. */
  reveal() {
    if (this.#element.getBoundingClientRect().top > innerHeight * 0.6) this.#element.scrollIntoView();
  }
}

/** Explains why there is no answer, with a button to try again if that may help. */
export class Notice {
  #element;
  onRetry = () => {};

  constructor(element) {
    this.#element = element;
    element.querySelector("button").addEventListener("click", () => this.onRetry());
  }

  /** `{ heading, advice, retry }`, or null to hide the notice. */
  update(notice) {
    this.#element.hidden = notice === null;
    if (notice === null) return;
    const [heading, advice, button] = this.#element.children;
    heading.textContent = notice.heading;
    advice.textContent = notice.advice;
    button.hidden = !notice.retry;
  }
}

/** A live region: tells screen readers what changed on the page. */
export class Announcer {
  #element;

  constructor(element) {
    this.#element = element;
  }

  update(sentence) {
    this.#element.textContent = sentence;
  }
}
