import { COPIED, SELECTED } from "../words.js";

/** The request behind the page as a curl command, to read and to copy. */
export class Request {
  #code;
  #note;

  constructor(element) {
    this.#code = element.querySelector("code");
    this.#note = element.querySelector(".request-note");
    element.querySelector("button").addEventListener("click", () => this.#copy());
  }

  /** `{ url, method, headers, body }`, as `fetch` gets them. */
  update(request) {
    this.#code.textContent = curlCommand(request);
    this.#note.textContent = "";
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#code.textContent);
      this.#note.textContent = COPIED;
    } catch {
      // Plain http pages have no clipboard (it is undefined there), and a browser may refuse it.
      getSelection().selectAllChildren(this.#code);
      this.#note.textContent = SELECTED;
    }
  }
}

/** Write a request as a command that any POSIX shell takes literally. */
function curlCommand({ url, method, headers, body }) {
  const fields = Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  return [`curl -X ${method} ${quoted(url)}`, ...fields, `--data-raw ${quoted(body)}`].join(" \\\n  ");
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
