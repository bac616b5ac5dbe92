// Calls the server: a request for the state, one for each action, and a stream that reports changes of the state.

export class ApiError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export async function readJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new ApiError("unavailable");
  return response.json();
}

export async function act(path, fields) {
  const response = await fetch(`sandbox/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  });
  const answer = await response.json();
  if (!response.ok) throw new ApiError(answer.error.code);
  return answer;
}

export function follow(onChange, onConnection) {
  const stream = new EventSource("sandbox/stream");
  stream.addEventListener("message", onChange);
  stream.addEventListener("open", () => onConnection(true));
  stream.addEventListener("error", () => onConnection(false));
}
