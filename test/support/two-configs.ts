import assert from 'node:assert/strict';

/*
 * Two configurations that can be told apart by every part of an answer: whoever mixed them would name the user of one and
 * the host of the other.
 */

export type Kind = 'a' | 'b';

/** One of the two, made of the tests' configuration. */
export function configOf(kind: Kind, text: string): string {
  return text
    .replace('[app_rw, app_ro]', '[app_rw]')
    .replaceAll('app_rw', `app_${kind}`)
    .replaceAll('app_ro', `ro_${kind}`)
    .replaceAll('cluster-abc.', `cluster-${kind}.`)
    .replace('- name: api', `- name: api-${kind}`)
    .replace('perCaller: 1000/s, perDatabase: 1000/s', 'perCaller: 1000000/s, perDatabase: 1000000/s');
}

/** Which of the two answered a request for a token of `orders` that names no user. Fails for a mixed answer. */
export function kindOfAnswer(body: string): Kind {
  const { token, connection } = JSON.parse(body);
  const found = /^app_([ab]) orders\.cluster-([ab])\.\S* Orders\.cluster-([ab])\.\S*DBUser=app_([ab])&/i.exec(
    `${connection.user} ${connection.host} ${token}`,
  );
  const kinds = new Set(found?.slice(1).map((kind) => kind.toLowerCase()));
  assert.equal(kinds.size, 1, `a mixed answer: ${connection.user} ${connection.host}`);
  return kinds.has('a') ? 'a' : 'b';
}
