import { COPIED, SELECTED } from "../text.js";

/** The page's API request as a curl command. */
export class Request {
  #code;
  #note;

  constructor(element) {
    this.#code = element.querySelector("code");
    this.#note = element.querySelector(".request-note");
    element.querySelector("button").addEventListener("click", () => this.#copy());
  }

  /** `{ url, method, headers, body }`, as for `fetch`. */
  update(request) {
    this.#code.textContent = curlCommand(request);
    this.#note.textContent = "";
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#code.textContent);
      this.#note.textContent = COPIED;
    } catch {
      // Pages over plain HTTP have no clipboard, and a browser may deny access to it.
      getSelection().selectAllChildren(this.#code);
      this.#note.textContent = SELECTED;
    }
  }
}

/** Return a request as a command, quoted for any POSIX shell. */
function curlCommand({ url, method, headers, body }) {
  const fields = Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  return [`curl -X ${method} ${quoted(url)}`, ...fields, `--data-raw ${quoted(body)}`].join(" \\\n  ");
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
