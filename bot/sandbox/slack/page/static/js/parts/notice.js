// A line that shows errors.

const SHOWN_MS = 6000;

const MESSAGES = {
  not_in_channel: "Only members of the channel can do that.",
  is_archived: "This channel is archived.",
  unavailable: "The sandbox is not responding. Is it still running?",
  dispatch_failed: "The bot did not respond.",
  operation_timeout: "The bot took too long to respond.",
};

export class Notice {
  constructor(element) {
    this.element = element;
  }

  show(code) {
    this.element.textContent = MESSAGES[code] ?? `Slack refused: ${code}`;
    this.element.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), SHOWN_MS);
  }

  hide() {
    this.element.hidden = true;
  }
}
