// Signs a person in with the user pool's pages: an authorization code with PKCE (RFC
// 7636, S256). The tokens stay in this object, in memory. Only while the browser is at
// those pages, the verifier, the state and the address to return to lie in the tab's
// session storage.

const pending = 'hl7lake.sign-in';
const farewell = 'hl7lake.signed-out';

// A token is renewed this long before it ends.
const margin = 60_000;

export class Session {
  #client;
  #pages;
  #tokens = null; // { id, refresh, ends, lasts }: times in milliseconds
  #claims = {};
  #seen = 0; // when the person last did something
  #renewal = null;
  #watch = 0;
  #ended;

  // config is config.json. ended is called when the session ends, before the browser
  // leaves for the pages: what it shows must be gone then.
  constructor(config, ended) {
    this.#client = config.client_id;
    this.#pages = config.sign_in;
    this.#ended = ended;
  }

  get signedIn() {
    return this.#tokens !== null;
  }

  // reads lists the institutions whose messages the person may read, and operates is the
  // one that the person operates, if any. They decide what is shown, and the API what is
  // allowed.
  get reads() {
    return ['read', 'read2', 'read3', 'read4'].map((name) => this.#claims['custom:' + name]).filter(Boolean);
  }

  get operates() {
    return this.#claims['custom:operate'] || '';
  }

  // sees lists the institutions of whose messages the person may see the states.
  get sees() {
    return [...new Set([...this.reads, this.operates].filter(Boolean))];
  }

  get name() {
    return this.#claims.email || this.#claims['cognito:username'] || '';
  }

  // begin goes to the pages. The browser comes back with a code.
  async begin(route) {
    const verifier = random(48);
    const state = random(24);
    sessionStorage.setItem(pending, JSON.stringify({ verifier, state, route }));
    const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
    location.assign(`${this.#pages}/oauth2/authorize?` + new URLSearchParams({
      response_type: 'code', client_id: this.#client, redirect_uri: this.#here, scope: 'openid',
      state, code_challenge: challenge, code_challenge_method: 'S256',
    }));
  }

  // finish redeems the code with which the browser came back, and returns the address to
  // go on to, or null if it did not come back from the pages. It throws a text for the
  // person if the sign-in failed.
  async finish() {
    const stored = sessionStorage.getItem(pending);
    sessionStorage.removeItem(pending);
    const given = new URLSearchParams(location.search);
    if (!given.has('code') && !given.has('error')) return null;
    history.replaceState(null, '', location.pathname); // the code is used up
    const { verifier, state, route } = JSON.parse(stored ?? '{}');
    if (!state || given.get('state') !== state) throw new Error('This sign-in was not begun in this tab. Please sign in again.');
    if (given.has('error')) throw new Error('The sign-in page refused: ' + given.get('error').slice(0, 60) + '.');
    if (!await this.#redeem({ grant_type: 'authorization_code', code: given.get('code'), redirect_uri: this.#here, code_verifier: verifier })) {
      throw new Error('The sign-in was not completed in time. Please sign in again.');
    }
    this.active();
    this.#watch = setInterval(() => this.#check(), 5000);
    return route || '#/messages';
  }

  // active notes that the person does something.
  active() {
    this.#seen = Date.now();
  }

  // token returns the ID token, or null if the session has ended.
  async token() {
    await this.#check();
    return this.#tokens?.id ?? null;
  }

  // end forgets everything and ends the session at the pages as well. The reason is shown
  // when the browser comes back: 'idle', 'ended' or nothing.
  end(reason = '') {
    if (!this.forget()) return;
    this.#ended();
    if (reason) sessionStorage.setItem(farewell, reason);
    location.replace(`${this.#pages}/logout?` + new URLSearchParams({ client_id: this.#client, logout_uri: this.#here }));
  }

  // forget drops the tokens, and reports whether there were any.
  forget() {
    const had = this.#tokens !== null;
    clearInterval(this.#watch);
    this.#tokens = null;
    this.#claims = {};
    return had;
  }

  // farewell returns why the last session in this tab ended, once.
  farewell() {
    const reason = sessionStorage.getItem(farewell);
    sessionStorage.removeItem(farewell);
    return {
      idle: 'You were signed out because nothing was done here for a while.',
      ended: 'Your session has ended. Please sign in again.',
    }[reason] ?? '';
  }

  get #here() {
    return location.origin + '/console';
  }

  // check ends a session in which nothing was done for as long as a token lasts, and
  // renews its token otherwise.
  async #check() {
    const tokens = this.#tokens;
    if (!tokens) return;
    const now = Date.now();
    if (now - this.#seen >= tokens.lasts) return this.end('idle');
    if (now < tokens.ends - margin) return;
    this.#renewal ??= this.#redeem({ grant_type: 'refresh_token', refresh_token: tokens.refresh }).finally(() => { this.#renewal = null; });
    const renewed = await this.#renewal;
    if (renewed === false || renewed === null && Date.now() >= tokens.ends) this.end('ended');
  }

  // redeem asks for tokens, at an endpoint that lets any origin's scripts call it (Amazon
  // Cognito Developer Guide, The token issuer endpoint). It returns false if they are refused, and null if there was
  // no answer.
  async #redeem(form) {
    let answer;
    try {
      const response = await fetch(`${this.#pages}/oauth2/token`, {
        method: 'POST', body: new URLSearchParams({ ...form, client_id: this.#client }), credentials: 'omit', cache: 'no-store',
      });
      if (response.status >= 500) return null;
      if (!response.ok) return false;
      answer = await response.json();
    } catch {
      return null;
    }
    if (form.refresh_token && !this.#tokens) return false; // signed out meanwhile
    const lasts = answer.expires_in * 1000;
    this.#tokens = { id: answer.id_token, refresh: answer.refresh_token ?? form.refresh_token, ends: Date.now() + lasts, lasts };
    this.#claims = claimsOf(answer.id_token);
    return true;
  }
}

function random(bytes) {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

// claimsOf reads a token that came from the pool itself, for display: nothing depends on
// its signature here.
function claimsOf(token) {
  const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
}
