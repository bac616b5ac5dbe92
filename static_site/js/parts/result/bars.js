import { percent } from "../../text.js";

/** A list of labels with a bar each. Rows are reused across updates, so that the bars are animated. */
export class Bars {
  #list;
  #rows = new Map();

  constructor(list) {
    this.#list = list;
  }

  /** `scores` in the order to show; `best` is highlighted, with a mark at `threshold` unless that is null. */
  update({ scores, best, threshold = null }) {
    const rows = scores.map((score) => this.#row(score, score.label === best, threshold));
    const unchanged = rows.length === this.#list.children.length && rows.every((row, i) => row === this.#list.children[i]);
    if (!unchanged) this.#list.replaceChildren(...rows);
  }

  #row({ label, name, confidence }, isBest, threshold) {
    if (!this.#rows.has(label)) this.#rows.set(label, newRow());
    const row = this.#rows.get(label);
    const [nameElement, track, value] = row.children;
    nameElement.textContent = name;
    value.textContent = percent(confidence);
    row.classList.toggle("best", isBest);
    track.classList.toggle("marked", isBest && threshold !== null);
    track.style.setProperty("--confidence", confidence);
    track.style.setProperty("--threshold", threshold ?? 1);
    return row;
  }
}

function newRow() {
  const row = document.createElement("li");
  const [name, track, value] = ["name", "track", "value"].map((part) => {
    const element = document.createElement("span");
    element.className = `bar-${part}`;
    return element;
  });
  row.append(name, track, value);
  return row;
}
