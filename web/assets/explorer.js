'use strict';

// The tokens live in this page's memory alone: closing the page signs out of it.
let session = null;
let renewal = null; // the request for new tokens that is under way
let timer = null;
let due = 0; // when the next renewal is, by this computer's clock
let failures = 0; // of renewals, in a row
let ahead = 0; // by how many milliseconds this computer's clock is ahead of the server's

// New tokens are asked for this long before the old one expires.
const MARGIN_MS = 60_000;
// Never again sooner than this, whatever the clocks say; twice as long after each failure, up to the longest.
const PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 8 * 60_000;
const FIELDS = 'session { accessToken accessTokenExpiresAt refreshToken sessionExpiresAt }';
const SIGN_IN = `mutation ($input: SignInInput!) { signIn(input: $input) { ${FIELDS} userErrors { message } } }`;
const REFRESH = `mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { ${FIELDS} } }`;
const SIGN_OUT = 'mutation { signOut { endedSessions } }';

const FIRST = `# Sign in above, then press the button.
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

// Answers { errors } like the server's when there is no answer.
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
    return { errors: [{ message: 'The server does not answer. Try again.', extensions: { code: 'NO_ANSWER' } }] };
  }
}

const has = (answer, code) => (answer.errors || []).some((error) => error.extensions && error.extensions.code === code);

// `wait` is a length of time, so a clock that is wrong does not matter.
function renewIn(wait) {
  clearTimeout(timer);
  due = Date.now() + wait;
  timer = setTimeout(renew, wait);
}

// Called when the tokens have just come: a token's life is measured by the server's clock, which set its end.
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

// Whether there is a session with a token that is good. Of several requests that need new tokens the first one asks: a token refreshes once.
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
  if (has(answer, 'UNAUTHENTICATED')) end('Your session has ended: sign in again.');
  else {
    who.textContent = answer.errors[0].message; // the session may go on
    failures += 1;
    renewIn(Math.min(PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS));
  }
  return false;
}

// A computer that slept runs no timers: the token is looked at before each request, and an expired one that the server refuses is renewed.
async function fetcher(body, options) {
  const headers = options && options.headers;
  if (session && Date.now() >= due) await renew();
  const token = session && session.accessToken;
  const answer = await post(body, token, headers);
  // A request whose token is refused has done nothing, so it may be sent again.
  if (token && !answer.data && has(answer, 'UNAUTHENTICATED') && (await renew())) return post(body, session.accessToken, headers);
  return answer;
}

// Made anew after signing in, so that the schema is asked for by the viewer of now.
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
