// The server: one request for the state, one for each act, one stream that says when the state has changed.

export class Refusal extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export async function readJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Refusal("unavailable");
  return response.json();
}

export async function act(path, fields) {
  const response = await fetch(`sandbox/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer.error.code);
  return answer;
}

export function follow(onChange, onConnection) {
  const stream = new EventSource("sandbox/stream");
  stream.addEventListener("message", onChange);
  stream.addEventListener("open", () => onConnection(true));
  stream.addEventListener("error", () => onConnection(false));
}
