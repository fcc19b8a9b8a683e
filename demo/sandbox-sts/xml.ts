import { randomUUID } from 'node:crypto';
import type { StsError } from './sts-error.ts';

export const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** An element's children by name, or its text. undefined leaves the element out. */
export type Element = string | number | undefined | { readonly [name: string]: Element };

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export function success(action: string, result: Element): Answer {
  const requestId = randomUUID();
  return xml(200, `${action}Response`, requestId, {
    [`${action}Result`]: result,
    ResponseMetadata: { RequestId: requestId },
  });
}

export function failure({ status, code, message }: StsError): Answer {
  const requestId = randomUUID();
  const Type = status < 500 ? 'Sender' : 'Receiver';
  return xml(status, 'ErrorResponse', requestId, {
    Error: { Type, Code: code, Message: message },
    RequestId: requestId,
  });
}

function xml(status: number, name: string, requestId: string, children: Element): Answer {
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: `<${name} xmlns="${NAMESPACE}">${write(children)}</${name}>\n`,
  };
}

function write(element: Element): string {
  if (element === undefined) return '';
  if (typeof element !== 'object') return escape(String(element));
  return Object.entries(element)
    .map(([name, child]) => (child === undefined ? '' : `<${name}>${write(child)}</${name}>`))
    .join('');
}

/** Messages repeat what a client sent: characters that XML 1.0 cannot hold become U+FFFD. */
function escape(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
