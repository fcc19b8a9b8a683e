/** The places AWS publishes the CA bundles of RDS at, one for each partition ("Using SSL/TLS", Amazon RDS User Guide). */
const COMMERCIAL = 'https://truststore.pki.rds.amazonaws.com';
const GOV_CLOUD = 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com';
const CHINA = 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn';

/** The roots of RDS Proxy's certificates. AWS publishes them one by one on this page, not as a bundle. */
const AMAZON_ROOTS = 'https://www.amazontrust.com/repository/';

/** The id of the roots that RDS Proxy's certificates chain to. */
export const AMAZON_ROOTS_ID = 'amazon-roots';

/** Where AWS publishes a bundle: `global` (of the commercial regions), a region's, or `amazon-roots`. */
export function caBundleUrl(id: string): string {
  return id === AMAZON_ROOTS_ID ? AMAZON_ROOTS : `${partitionUrl(id)}${bundlePath(id)}`;
}

/**
 * Where a bundle is fetched from: AWS, or a mirror that has the same paths below `sourceUrl`.
 * `amazon-roots` is published nowhere as one file, so there is no such place for it.
 */
export function fetchUrl(id: string, sourceUrl: string | undefined): string | undefined {
  if (id === AMAZON_ROOTS_ID) return undefined;
  return sourceUrl === undefined ? caBundleUrl(id) : `${sourceUrl.replace(/\/+$/, '')}${bundlePath(id)}`;
}

function bundlePath(id: string): string {
  return `/${id}/${id}-bundle.pem`;
}

function partitionUrl(id: string): string {
  if (id.startsWith('us-gov-')) return GOV_CLOUD;
  return id.startsWith('cn-') ? CHINA : COMMERCIAL;
}
