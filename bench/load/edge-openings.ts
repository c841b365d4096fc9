import { type ClientSpec, groupSize } from './client-spec.ts';
import { type Opening, ready, refused, say, wait } from './opening.ts';

const recordEnd = '\x1e';

/** Clients of the four endpoints, and of a bare WebSocket. Each says which client it is and which group it is in. */
export const socketioOpening = (spec: ClientSpec, index: number): Opening => ({
  path: `/socket.io/?EIO=4&transport=websocket&${placeOf(spec, index)}`,
  next(payload) {
    const text = payload.toString();
    if (text.startsWith('0')) return say(`40${authOf(spec, index)}`);
    if (text.startsWith('40')) return ready;
    return text.startsWith('44') ? refused(payload) : wait;
  },
});

export const spacesOpening = (spec: ClientSpec, index: number): Opening => ({
  path: `/socket.io/?EIO=4&transport=websocket&tokenType=jwt&token=${tokenOf(spec, index)}`,
  next(payload) {
    const text = payload.toString();
    if (text.startsWith('0')) return say(`40/chat,{"token":"${tokenOf(spec, index)}","tokenType":"jwt"}`);
    if (text.startsWith('40/chat'))
      return say('42/chat,["SUBSCRIBE_CHANNEL",{"channel":{"_id":"all","type":"topic"}}]');
    if (text.includes('"CHANNEL_SUBSCRIBED"')) return ready;
    return text.startsWith('44') || text.includes('FAILED') ? refused(payload) : wait;
  },
});

export const relayOpening = (spec: ClientSpec, index: number): Opening => ({
  path: `/subscribe?jwt=${tokenOf(spec, index)}&${placeOf(spec, index)}`,
  first: [
    JSON.stringify({ bind: { ex: spec.stream ?? 'bench', key: spec.ownPattern ? `client.${index}` : '#', id: 1 } }),
  ],
  next: (payload) => (payload.toString().startsWith('{"bound"') ? ready : refused(payload)),
});

export const signalrOpening = (spec: ClientSpec, index: number): Opening => ({
  path: `/hub?access_token=${tokenOf(spec, index)}&${placeOf(spec, index)}`,
  first: [`{"protocol":"json","version":1}${recordEnd}`],
  next: (payload) => (payload.toString() === `{}${recordEnd}` ? ready : refused(payload)),
});

export const websocketOpening = (spec: ClientSpec, index: number): Opening => ({
  path: `/?${placeOf(spec, index)}`,
  next: (payload) => (payload.toString() === 'ready' ? ready : refused(payload)),
});

function placeOf({ topics = 0 }: ClientSpec, index: number): string {
  const place = `workstation=${index}&businessUnit=${Math.floor(index / groupSize)}`;
  if (topics === 0) return place;
  return `${place}&topics=${Array.from({ length: topics }, (_, topic) => `${index}-${topic}`).join(',')}`;
}

const tokenOf = ({ token = '', tokens = [] }: ClientSpec, index: number): string =>
  tokens[index % Math.max(tokens.length, 1)] ?? token;

function authOf(spec: ClientSpec, index: number): string {
  const token = tokenOf(spec, index);
  return token === '' ? '' : JSON.stringify({ token });
}
