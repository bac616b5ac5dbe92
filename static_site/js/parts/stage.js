/** The half of the page that answers: one panel at a time, dimmed while a newer answer is on its way. */
export class Stage {
  #element;

  constructor(element) {
    this.#element = element;
  }

  /** `panel` is the `data-panel` to show; null shows none, undefined leaves it as it is. */
  update({ panel, busy = false }) {
    this.#element.setAttribute("aria-busy", String(busy));
    if (panel === undefined) return;
    for (const child of this.#element.querySelectorAll("[data-panel]")) child.hidden = child.dataset.panel !== panel;
  }

  /** Bring the answer into view where it is below the fold, as on a phone. */
  reveal() {
    if (this.#element.getBoundingClientRect().top > innerHeight * 0.6) this.#element.scrollIntoView();
  }
}
