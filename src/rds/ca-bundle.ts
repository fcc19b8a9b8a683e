/** One certificate of a bundle. Fingerprints are lower-case hex without colons; times are milliseconds since the epoch. */
export type CaCertificate = {
  readonly subject: string;
  /** AWS's name of the CA, such as `rds-ca-rsa2048-g1`; null for a certificate that is not an RDS root. */
  readonly caId: string | null;
  readonly sha256: string;
  readonly sha1: string;
  readonly notBefore: number;
  readonly notAfter: number;
};

/** A set of CA certificates that a client trusts for one database's TLS. */
export type CaBundle = {
  /** A region, `global`, `amazon-roots`, or `file-` and the start of the file's SHA-256. */
  readonly id: string;
  readonly origin: 'built-in' | 'file' | 'fetched';
  /** Where AWS publishes this bundle; null for an operator's own file. */
  readonly sourceUrl: string | null;
  /** SHA-256 of `pem`, hex. */
  readonly sha256: string;
  readonly pem: string;
  readonly certificates: readonly CaCertificate[];
  /** The earliest `notAfter` of the certificates that had not expired when the bundle was read. */
  readonly notAfter: number;
};

/** The bundles in force now. `get` throws a `Fault` of code `ca_bundle_unavailable` where `find` gives undefined. */
export type CaBundles = {
  get(id: string): CaBundle;
  find(id: string): CaBundle | undefined;
  list(): readonly CaBundle[];
  /** Ends the scheduled fetches. */
  close(): Promise<void>;
};
