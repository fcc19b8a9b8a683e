/**
 * The address of the API server of the cluster that the process runs in, from the variables that Kubernetes sets in
 * every container; undefined outside of a cluster. An IPv6 host stands in brackets, as client-go writes it.
 */
export function inClusterApiServer(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = env;
  if (host === '' || port === '') return undefined;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
