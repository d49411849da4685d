'use strict';

// The token lives in this page's memory alone: closing the page signs out of it.
let accessToken = null;

const first = `# Sign in above, then press the button.
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

async function post(body, headers) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: JSON.stringify(body),
  });
  return response.json();
}

async function fetcher(body, options) {
  const token = accessToken ? { authorization: `Bearer ${accessToken}` } : {};
  return post(body, { ...token, ...(options && options.headers) });
}

const root = ReactDOM.createRoot(document.getElementById('explorer'));

// Made anew after signing in, so that the schema is asked for by who is asking now.
function show(key) {
  root.render(React.createElement(GraphiQL, { key, fetcher, defaultQuery: first, shouldPersistHeaders: false }));
}

document.getElementById('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const who = document.getElementById('who');
  const { email, password } = Object.fromEntries(new FormData(event.target));
  const answer = await post({
    query: `mutation ($input: SignInInput!) {
      signIn(input: $input) { session { accessToken } userErrors { message } }
    }`,
    variables: { input: { email, password } },
  });
  const payload = answer.data && answer.data.signIn;
  if (payload && payload.session) {
    accessToken = payload.session.accessToken;
    who.textContent = `Signed in as ${email}`;
    event.target.reset();
    show(email);
  } else {
    who.textContent = (payload && payload.userErrors[0].message) || answer.errors[0].message;
  }
});

show('nobody');
