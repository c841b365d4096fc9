import type { IncomingMessage } from 'node:http';
import type { Presented } from '../../application/ports/admission.ts';

/** What a request carries, by place: `header.NAME` (lower case) and `query.NAME`. There is no `auth` here. */
export function presentedBy(request: IncomingMessage): Presented {
  const query = new URLSearchParams(request.url?.split('?', 2)[1]);
  return {
    read(place) {
      const [kind, ...rest] = place.split('.');
      const name = rest.join('.');
      if (kind === 'header') return request.headersDistinct[name] ?? [];
      return kind === 'query' ? query.getAll(name) : [];
    },
  };
}
