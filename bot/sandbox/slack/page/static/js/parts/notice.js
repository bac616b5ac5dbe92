// One line for what went wrong.

const SHOWN_MS = 6000;

const SENTENCES = {
  not_in_channel: "Only members of the channel can do that.",
  is_archived: "This channel is archived.",
  unavailable: "The sandbox does not answer. Is it still running?",
  dispatch_failed: "The bot did not take that.",
  operation_timeout: "The bot took too long.",
};

export class Notice {
  constructor(element) {
    this.element = element;
  }

  show(code) {
    this.element.textContent = SENTENCES[code] ?? `Slack refused: ${code}`;
    this.element.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), SHOWN_MS);
  }

  hide() {
    this.element.hidden = true;
  }
}
