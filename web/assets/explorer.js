'use strict';

// The tokens are kept in this page's memory only: closing the page signs the user out.
let session = null;
let renewal = null; // the request for new tokens that is in progress
let timer = null;
let due = 0; // the time of the next renewal, by this computer's clock
let failures = 0; // consecutive renewals that failed
let ahead = 0; // how many milliseconds this computer's clock is ahead of the server's

// New tokens are requested this long before the old one expires.
const MARGIN_MS = 60_000;
// The shortest time between renewals, whatever the clocks say. It doubles after each failure, up to LONGEST_PAUSE_MS.
const PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 8 * 60_000;
const FIELDS = 'session { accessToken accessTokenExpiresAt refreshToken sessionExpiresAt }';
const SIGN_IN = `mutation ($input: SignInInput!) { signIn(input: $input) { ${FIELDS} userErrors { message } } }`;
const REFRESH = `mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { ${FIELDS} } }`;
const SIGN_OUT = 'mutation { signOut { endedSessionCount } }';

const FIRST = `# Sign in above, then run this query with the play button.
{
  viewer { role user { name } }
  students(first: 5) {
    totalCount
    nodes {
      name
      class { name teacher { name } }
      grades(first: 3) {
        nodes { letter subject { name } }
      }
    }
  }
}
`;

const form = document.getElementById('sign-in');
const leave = document.getElementById('sign-out');
const who = document.getElementById('who');
const root = ReactDOM.createRoot(document.getElementById('explorer'));

// Returns the server's answer, or { errors } of the same form if there is none.
async function post(body, token, headers) {
  const authorization = token ? { authorization: `Bearer ${token}` } : {};
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...authorization, ...headers },
      body: JSON.stringify(body),
    });
    const now = Date.parse(response.headers.get('date'));
    if (!Number.isNaN(now)) ahead = Date.now() - now;
    return await response.json();
  } catch {
    return { errors: [{ message: 'The server did not answer. Check your connection and try again.', extensions: { code: 'NO_ANSWER' } }] };
  }
}

const has = (answer, code) => (answer.errors || []).some((error) => error.extensions && error.extensions.code === code);

// `wait` is a duration, so a wrong clock does not matter.
function renewIn(wait) {
  clearTimeout(timer);
  due = Date.now() + wait;
  timer = setTimeout(renew, wait);
}

// Called when new tokens have just arrived. Their remaining life is measured by the server's clock, which set their expiry.
function begin(granted, email) {
  session = { ...granted, email };
  failures = 0;
  who.textContent = `Signed in as ${email}`;
  const life = Date.parse(granted.accessTokenExpiresAt) - (Date.now() - ahead);
  renewIn(Math.max(PAUSE_MS, life - MARGIN_MS));
}

function end(message) {
  session = null;
  clearTimeout(timer);
  form.hidden = false;
  leave.hidden = true;
  who.textContent = message;
  document.body.dataset.session = 'none';
  form.elements.email.focus();
}

// Resolves to whether there is a session with a valid token. Concurrent callers share one request, since a refresh token works only once.
function renew() {
  renewal = renewal || refresh().finally(() => { renewal = null; });
  return renewal;
}

async function refresh() {
  const before = session;
  if (!before) return false;
  const answer = await post({ query: REFRESH, variables: { input: { refreshToken: before.refreshToken } } });
  if (session !== before) return session !== null; // signed in or out meanwhile
  const granted = answer.data && answer.data.refreshSession && answer.data.refreshSession.session;
  if (granted) {
    begin(granted, before.email);
    return true;
  }
  if (has(answer, 'UNAUTHENTICATED')) end('Your session has ended. Sign in again.');
  else {
    who.textContent = answer.errors[0].message; // the session may still be valid
    failures += 1;
    renewIn(Math.min(PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS));
  }
  return false;
}

// Timers don't run while a computer sleeps. So the token is also checked before each request, and renewed if the server refuses it.
async function fetcher(body, options) {
  const headers = options && options.headers;
  if (session && Date.now() >= due) await renew();
  const token = session && session.accessToken;
  const answer = await post(body, token, headers);
  // A request whose token was refused has had no effect, so it is safe to send it again.
  if (token && !answer.data && has(answer, 'UNAUTHENTICATED') && (await renew())) return post(body, session.accessToken, headers);
  return answer;
}

// Creates a new GraphiQL after signing in or out, so that it requests the schema as the current viewer.
function show(key) {
  root.render(React.createElement(GraphiQL, { key, fetcher, defaultQuery: FIRST, shouldPersistHeaders: false }));
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(form));
  const button = form.querySelector('button');
  button.disabled = true;
  const answer = await post({ query: SIGN_IN, variables: { input: { email, password } } });
  button.disabled = false;
  const payload = answer.data && answer.data.signIn;
  if (payload && payload.session) {
    begin(payload.session, email);
    form.reset();
    form.hidden = true;
    leave.hidden = false;
    document.body.dataset.session = 'open';
    show(email);
  } else {
    who.textContent = (payload && payload.userErrors[0].message) || answer.errors[0].message;
  }
});

leave.addEventListener('click', async () => {
  await fetcher({ query: SIGN_OUT });
  end('Signed out.');
  show('nobody');
});

show('nobody');
