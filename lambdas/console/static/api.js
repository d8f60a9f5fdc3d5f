// Asks the lake's API.

// Problem is an answer that is not what was asked for, in words for the person.
export class Problem extends Error {
  constructor(status, code, text) {
    super(text);
    this.status = status;
    this.code = code;
  }
}

export class API {
  #session;

  constructor(session) {
    this.#session = session;
  }

  // get asks for JSON. Parameters without a value are left out.
  async get(path, parameters = {}, signal = undefined) {
    return (await this.#ask('GET', path + queryOf(parameters), undefined, signal)).json();
  }

  // text asks for a text, which is refused where it would come from elsewhere: it is too
  // large for the API then.
  async text(path, parameters = {}, signal = undefined) {
    return (await this.#ask('GET', path + queryOf(parameters), undefined, signal)).text();
  }

  // post sends JSON, in which a value may stand that must not be in an address.
  async post(path, body, signal = undefined) {
    return (await this.#ask('POST', path, body, signal)).json();
  }

  async #ask(method, path, body, signal) {
    const token = await this.#session.token();
    if (!token) throw new Problem(401, 'signed-out', 'You are signed out.');
    const headers = { Authorization: 'Bearer ' + token };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    let response;
    try {
      response = await fetch(path, {
        method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
        credentials: 'omit', cache: 'no-store', redirect: 'manual', referrerPolicy: 'no-referrer',
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Problem(0, 'unreachable', 'The lake cannot be reached. Check the connection.');
    }
    if (response.type === 'opaqueredirect') {
      throw new Problem(303, 'too-large', 'This is too large to be shown here. Get it on the command line, with lake get.');
    }
    if (response.status === 401) this.#session.end('ended');
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

async function problemOf(response) {
  const words = {
    401: 'Your session has ended. Please sign in again.',
    403: 'You may not do this.',
    404: 'There is no such thing here.',
    413: 'This is too large.',
    429: 'There are too many requests now. Wait a moment and try again.',
    503: 'The lake cannot answer now. Wait a moment and try again.',
  };
  let told = {};
  try {
    told = await response.json();
  } catch {
    // not a problem document
  }
  return new Problem(response.status, told.code ?? '', told.detail ?? words[response.status] ?? `The lake failed on this request (${response.status}).`);
}

function queryOf(parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== '' && value !== null && value !== undefined) query.set(name, value);
  }
  const text = query.toString();
  return text && '?' + text;
}
