// Tokens of the npm package `jose`: reads {"claims": {...}} from standard input, and writes
// {"keys": [...], "tokens": {"RS256": "...", ...}} with keys of its own.
import { readFileSync } from 'node:fs';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

const { claims } = JSON.parse(readFileSync(0, 'utf8'));
const keys = [];
const tokens = {};
for (const alg of ['RS256', 'PS256', 'ES256']) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = `jose-${alg}`;
  keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
  tokens[alg] = await new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(privateKey);
}
process.stdout.write(JSON.stringify({ keys, tokens }));
